//! fake-gcs-server, which speaks Google Cloud Storage. It asks nobody who they are.

use std::process::Command;

use super::server::{Server, program, python_until};
use crate::ports::free_port;

/// A running server with a bucket `backups`.
#[derive(Debug)]
pub struct FakeGcs {
    server: Server,
    port: u16,
}

impl FakeGcs {
    /// Starts one and makes its bucket.
    pub fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(program("python/bin/fake-gcs-server"));
        command.args([
            "-scheme",
            "http",
            "-host",
            "127.0.0.1",
            "-log-level",
            "warn",
        ]);
        command.args(["-backend", "memory", "-port", &port.to_string()]);
        command.arg("-external-url");
        command.arg(format!("http://127.0.0.1:{port}"));
        command.arg("-public-host");
        command.arg(format!("127.0.0.1:{port}"));
        let mut server = Server::start(tempfile::tempdir().unwrap(), &mut command);
        server.wait_for_port(port);
        python_until(
            "import sys, urllib.request
urllib.request.urlopen(urllib.request.Request(
    'http://127.0.0.1:' + sys.argv[1] + '/storage/v1/b?project=p', b'{\"name\": \"backups\"}',
    {'Content-Type': 'application/json'}))",
            &[&port.to_string()],
        );
        Self { server, port }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.server.kill();
    }
}
