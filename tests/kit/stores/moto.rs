//! moto, a second store that speaks S3. It checks no credentials and no checksums, and says of every
//! unfinished upload that it began in 2010.

use std::process::Command;

use super::server::{Server, boto, boto_until, program};
use crate::ports::free_port;

const ONE_AT_A_TIME: &str = "
import sys
from moto.server import DomainDispatcherApplication, create_backend_app, run_simple
application = DomainDispatcherApplication(create_backend_app)
run_simple('127.0.0.1', int(sys.argv[1]), application, threaded=False)
";

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
        Self::run(port, &mut command)
    }

    /// One that answers one request after another, so that conditions hold in any race, as Amazon
    /// says that they do. The completions of SeaweedFS 4.48 look first and write then.
    pub fn start_one_at_a_time() -> Self {
        let port = free_port();
        let mut command = Command::new(program("python/bin/python3"));
        command.args(["-c", ONE_AT_A_TIME, &port.to_string()]);
        Self::run(port, &mut command)
    }

    fn run(port: u16, command: &mut Command) -> Self {
        let mut server = Server::start(tempfile::tempdir().unwrap(), command);
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
