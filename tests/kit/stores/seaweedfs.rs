//! SeaweedFS, which speaks S3 most faithfully: signatures, checksums, conditions and locks.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::server::{Server, boto, boto_until, program};
use crate::ports::free_port;

/// Name of its key.
pub const KEY: &str = "testkey";
/// Its key.
pub const SECRET: &str = "testsecret";

const IDENTITIES: &str = r#"{"identities":[{"name":"admin","credentials":[{"accessKey":"testkey","secretKey":"testsecret"}],"actions":["Admin","Read","List","Tagging","Write"]}]}"#;

/// A running server with two buckets: `backups`, and `locked`, whose objects can be locked.
#[derive(Debug)]
pub struct SeaweedFs {
    server: Server,
    port: u16,
}

impl SeaweedFs {
    /// Starts one and makes its buckets.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// One with room for some ten gigabytes.
    pub fn start_large() -> Self {
        Self::start_with(&["-volume.max=100".to_owned()])
    }

    fn start_with(more: &[String]) -> Self {
        let port = free_port();
        let mut server = launch(port, more);
        server.wait_for_port(port);
        boto_until(
            port,
            "names = [b['Name'] for b in s3.list_buckets()['Buckets']]
if 'backups' not in names: s3.create_bucket(Bucket='backups')
if 'locked' not in names: s3.create_bucket(Bucket='locked', ObjectLockEnabledForBucket=True)
s3.put_object(Bucket='backups', Key='.ready', Body=b'x')
s3.delete_object(Bucket='backups', Key='.ready')",
        );
        Self { server, port }
    }

    /// One that speaks TLS with the certificate and key of a folder, `cert.pem` and `key.pem`. It has
    /// no bucket; it makes one that is put into.
    pub fn start_tls(certificates: &Path) -> Self {
        let port = free_port();
        let option = |name, file| format!("-s3.{name}.file={}/{file}", certificates.display());
        let options = [option("cert", "cert.pem"), option("key", "key.pem")];
        let mut server = launch(port, &options);
        server.wait_for_port(port);
        Self { server, port }
    }

    /// Waits until `ready` says so.
    pub fn wait_until(&mut self, ready: impl Fn() -> bool) {
        self.server.wait_until(ready);
    }

    /// Where it speaks S3.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Runs a script with `s3`, a client of boto3.
    pub fn boto(&self, script: &str) -> String {
        boto(self.port, script)
    }
}

fn launch(port: u16, more: &[String]) -> Server {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("s3.json"), IDENTITIES).unwrap();
    let mut command = Command::new(program("python/bin/weed"));
    command.args([
        "server",
        "-dir=data",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        // On by default, and posts to its makers.
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=128",
        "-master.raftBootstrap",
        "-volume.max=30",
        "-filer",
        "-s3",
        "-s3.config=s3.json",
        // Fixed ports otherwise, which kill a second server.
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]);
    command.arg(format!("-s3.port={port}")).args(more);
    for own in [
        "master.port",
        "master.port.grpc",
        "volume.port",
        "volume.port.grpc",
        "filer.port",
        "filer.port.grpc",
        "s3.port.grpc",
        "metricsPort",
    ] {
        command.arg(format!("-{own}={}", free_port()));
    }
    Server::start(folder, &mut command)
}
