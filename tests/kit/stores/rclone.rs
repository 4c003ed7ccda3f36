//! rclone as a server of WebDAV and of SFTP without OpenSSH's extensions.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::process::{Process, make_key};
use super::server::program;
use crate::ports::free_port;

/// Who may log in.
pub const USER: &str = "ana";
/// With what.
pub const PASSWORD: &str = "correct horse";

/// A running server.
#[derive(Debug)]
pub struct Rclone {
    folder: TempDir,
    kind: Kind,
    port: u16,
    process: Option<Process>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Webdav,
    WebdavOverTls,
    Sftp,
}

impl Rclone {
    /// A WebDAV server that speaks plain HTTP.
    pub fn webdav() -> Self {
        Self::start(Kind::Webdav)
    }

    /// A WebDAV server that speaks HTTPS, with a certificate of its own.
    pub fn webdav_over_tls() -> Self {
        Self::start(Kind::WebdavOverTls)
    }

    /// An SFTP server.
    pub fn sftp() -> Self {
        Self::start(Kind::Sftp)
    }

    fn start(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let mut server = Self {
            folder,
            kind,
            port: free_port(),
            process: None,
        };
        match kind {
            Kind::Webdav => {}
            Kind::WebdavOverTls => server.make_certificate(),
            Kind::Sftp => make_key(&server.path("host"), "ed25519", ""),
        }
        server.start_again();
        server
    }

    fn make_certificate(&self) {
        let out = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ])
            .args(["-nodes", "-days", "2", "-subj", "/CN=store"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
            .arg(self.path("tls.key"))
            .arg("-out")
            .arg(self.certificate())
            .output()
            .unwrap_or_else(|e| panic!("cannot run openssl: {e}"));
        assert!(out.status.success(), "openssl: {out:?}");
    }

    /// Starts the killed server at the same port.
    pub fn start_again(&mut self) {
        let mut command = Command::new(program("python/bin/rclone"));
        let protocol = match self.kind {
            Kind::Sftp => "sftp",
            Kind::Webdav | Kind::WebdavOverTls => "webdav",
        };
        command
            // At 0 it turns in a circle.
            .args(["serve", protocol, "--dir-cache-time", "10ms"])
            .args(["--user", USER, "--pass", PASSWORD])
            .args(["--addr", &format!("127.0.0.1:{}", self.port)])
            .arg("--cache-dir")
            .arg(self.path("cache"))
            .arg("--config")
            .arg(self.path("config"));
        match self.kind {
            Kind::Webdav => {}
            Kind::WebdavOverTls => {
                command.arg("--cert").arg(self.certificate());
                command.arg("--key").arg(self.path("tls.key"));
            }
            Kind::Sftp => {
                command.arg("--key").arg(self.path("host"));
                // Without it a file can be written from its beginning to its end only.
                command.args(["--vfs-cache-mode", "writes", "--vfs-write-back", "0s"]);
            }
        }
        command.arg(self.data());
        self.process = Some(Process::start(&mut command, self.port, &self.path("log")));
    }

    /// Kills the server, without a word to anybody.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that it serves.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The line of the SFTP server's public key.
    pub fn host_key(&self) -> String {
        let text = fs::read_to_string(self.path("host.pub")).unwrap();
        text.trim().to_owned()
    }

    /// The certificate of the HTTPS server.
    pub fn certificate(&self) -> PathBuf {
        self.path("tls.crt")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
