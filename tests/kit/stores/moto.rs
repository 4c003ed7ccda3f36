//! moto, a second store that speaks S3. It checks no credentials and no checksums, and says of every
//! unfinished upload that it began in 2010.

use std::process::Command;

use super::server::{Server, boto, boto_until, free_port, program};

/// A running server with a bucket `backups`.
#[derive(Debug)]
pub struct Moto {
    _server: Server,
    port: u16,
}

impl Moto {
    /// Starts one and makes its bucket.
    pub fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(program("python/bin/moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let mut server = Server::start(tempfile::tempdir().unwrap(), &mut command);
        server.wait_for_port(port);
        boto_until(port, "s3.create_bucket(Bucket='backups')");
        Self {
            _server: server,
            port,
        }
    }

    /// Where it speaks S3.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs a script with `s3`, a client of boto3.
    pub fn boto(&self, script: &str) -> String {
        boto(self.port, script)
    }
}
