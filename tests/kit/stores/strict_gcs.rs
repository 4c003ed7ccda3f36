//! Google Cloud Storage of our own, stricter than fake-gcs-server: `strict_gcs.py` says in what.

use std::fs;
use std::process::Command;

use super::server::{Server, program, python};
use crate::ports::free_port;

/// A running server with a bucket `backups`.
#[derive(Debug)]
pub struct StrictGcs {
    _server: Server,
    port: u16,
}

impl StrictGcs {
    /// Starts one.
    pub fn start() -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let script = folder.path().join("strict_gcs.py");
        fs::write(&script, include_str!("strict_gcs.py")).unwrap();
        let mut command = Command::new(program("python/bin/python3"));
        command.arg(script).arg(port.to_string());
        let mut server = Server::start(folder, &mut command);
        server.wait_for_port(port);
        Self {
            _server: server,
            port,
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many uploads were begun and neither ended nor completed.
    pub fn open_sessions(&self) -> u64 {
        let script = "import json, sys, urllib.request
said = urllib.request.urlopen('http://127.0.0.1:' + sys.argv[1] + '/sessions')
print(json.load(said)['open'])";
        let said = python(script, &[&self.port.to_string()]);
        said.parse().unwrap()
    }
}
