//! OpenSSH's server with its SFTP, for whoever runs the tests, by key.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Process, make_key};
use crate::ports::free_port;

const SSHD: &str = "/usr/sbin/sshd";

/// A running server.
#[derive(Debug)]
pub struct Sshd {
    folder: TempDir,
    port: u16,
    process: Option<Process>,
}

impl Sshd {
    /// Starts a server with keys of its own.
    pub fn start() -> Self {
        assert!(
            Path::new(SSHD).exists(),
            "{SSHD} is not there: run scripts/stores.sh"
        );
        let folder = tempfile::tempdir().unwrap();
        for (name, kind) in [
            ("host", "ed25519"),
            ("host_ecdsa", "ecdsa"),
            ("user", "ed25519"),
        ] {
            make_key(&folder.path().join(name), kind, "");
        }
        make_key(
            &folder.path().join("user_encrypted"),
            "ed25519",
            "open sesame",
        );
        fs::create_dir(folder.path().join("data")).unwrap();
        let mut server = Self {
            folder,
            port: free_port(),
            process: None,
        };
        server.write_configuration();
        server.start_again();
        server
    }

    fn write_configuration(&self) {
        let folder = self.folder.path().display();
        let config = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nHostKey {folder}/host_ecdsa\n\
             AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             MaxStartups 100\nPidFile none\nSubsystem sftp internal-sftp\n",
            self.port
        );
        fs::write(self.path("config"), config).unwrap();
        let keys = [self.text("user.pub"), self.text("user_encrypted.pub")];
        fs::write(self.path("authorized"), keys.concat()).unwrap();
    }

    /// Starts the killed server at the same port.
    pub fn start_again(&mut self) {
        // Debian's server wants it where it runs as root; elsewhere it is not used.
        let _ = fs::create_dir_all("/run/sshd");
        let mut command = Command::new(SSHD);
        command.args(["-D", "-e", "-f"]).arg(self.path("config"));
        self.process = Some(Process::start(&mut command, self.port, &self.path("log")));
    }

    /// Kills the server and its sessions, without a word to anybody.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A folder that it can write in.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The file with the private key that logs in.
    pub fn key_file(&self) -> PathBuf {
        self.path("user")
    }

    /// The same, encrypted with "open sesame".
    pub fn encrypted_key_file(&self) -> PathBuf {
        self.path("user_encrypted")
    }

    /// The line of the server's public key of a kind: "host" or "`host_ecdsa`".
    pub fn host_key(&self, name: &str) -> String {
        self.text(&format!("{name}.pub")).trim().to_owned()
    }

    /// The fingerprint of its preferred key.
    pub fn fingerprint(&self) -> String {
        let out = Command::new("ssh-keygen")
            .arg("-lf")
            .arg(self.path("host.pub"))
            .output()
            .unwrap();
        let text = String::from_utf8(out.stdout).unwrap();
        text.split(' ').nth(1).unwrap().to_owned()
    }

    /// Who logs in: whoever runs the tests.
    pub fn user() -> String {
        let out = Command::new("id").arg("-un").output().unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}
