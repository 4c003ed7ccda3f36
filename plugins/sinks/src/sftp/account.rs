//! Whom to reach, and as whom: the options, checked.

use std::path::Path;
use std::sync::Arc;

use russh::keys::{Algorithm, PrivateKey, decode_secret_key};
use secrecy::{ExposeSecret, SecretString};

use super::Options;
use super::trust::Trust;
use crate::Problem;

const SSH_PORT: u16 = 22;

/// A login on a server.
pub(super) struct Account {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) login: Login,
    pub(super) trust: Arc<Trust>,
}

/// What proves who we are.
pub(super) enum Login {
    Password(SecretString),
    Key(Arc<PrivateKey>),
}

impl Account {
    pub(super) fn new(options: Options) -> Result<Self, Problem> {
        let port = options.port.unwrap_or(SSH_PORT);
        let host = plain("host", &options.host)?;
        if host.contains(['/', '@']) {
            return wrong(
                "host",
                "the server's name only: no sftp://, no user, no folder",
            );
        }
        Ok(Self {
            user: plain("user", &options.user)?,
            login: login(&options)?,
            trust: Arc::new(Trust::new(options.host_key, options.known_hosts)?),
            host,
            port,
        })
    }

    /// The server as an address without secrets.
    pub(super) fn address(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match self.port {
            SSH_PORT => format!("sftp://{}@{host}", self.user),
            port => format!("sftp://{}@{host}:{port}", self.user),
        }
    }
}

/// The folder of the sink, without a slash at its end.
pub(super) fn folder(dir: &str) -> Result<String, Problem> {
    let dir = plain("dir", dir)?;
    let trimmed = dir.trim_end_matches('/');
    match trimmed {
        "" => Ok("/".to_owned()),
        "~" => Ok(".".to_owned()),
        // No shell is there to understand it, so it would become a folder of that name.
        _ => Ok(trimmed.strip_prefix("~/").unwrap_or(trimmed).to_owned()),
    }
}

fn plain(option: &'static str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    match text.is_empty() || text.contains(char::is_control) {
        true => wrong(option, "must be a name on one line"),
        false => Ok(text.to_owned()),
    }
}

fn login(options: &Options) -> Result<Login, Problem> {
    let passphrase = options.passphrase.as_ref();
    match (
        &options.password,
        &options.private_key,
        &options.private_key_file,
    ) {
        (Some(_), None, None) if passphrase.is_some() => {
            wrong("passphrase", "is for a private key, and none is given")
        }
        (Some(password), None, None) => Ok(Login::Password(password.clone())),
        (None, Some(text), None) => key("private_key", text, passphrase),
        (None, None, Some(path)) => key("private_key_file", &text_of(path)?, passphrase),
        (None, None, None) => wrong(
            "password",
            "give password, private_key or private_key_file to log in with",
        ),
        _ => wrong(
            "password",
            "give only one of password, private_key and private_key_file",
        ),
    }
}

fn text_of(path: &Path) -> Result<SecretString, Problem> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.into()),
        Err(error) => wrong("private_key_file", format!("{}: {error}", path.display())),
    }
}

fn key(
    option: &'static str,
    text: &SecretString,
    passphrase: Option<&SecretString>,
) -> Result<Login, Problem> {
    let secret = passphrase.map(SecretString::expose_secret);
    let key = match decode_secret_key(text.expose_secret(), secret) {
        Ok(key) => key,
        Err(russh::keys::Error::KeyIsEncrypted) => {
            return wrong(
                "passphrase",
                "the private key is encrypted: give its passphrase",
            );
        }
        // What a parser says of a secret may quote it.
        Err(_) if secret.is_some() => {
            return wrong(
                option,
                "is no private key, or the passphrase is another one",
            );
        }
        Err(_) => return wrong(option, "is no private key in OpenSSH's or PEM form"),
    };
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => Ok(Login::Key(Arc::new(key))),
        other => wrong(
            option,
            format!("{other} keys are not supported: make one by `ssh-keygen -t ed25519`"),
        ),
    }
}

pub(super) fn wrong<T>(option: &'static str, why: impl Into<String>) -> Result<T, Problem> {
    Err(Problem::value(option, why))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::by_name;

    fn complaint(options: serde_json::Value) -> String {
        use std::error::Error as _;
        let error = by_name("sftp", "away", options).err().unwrap();
        error.source().unwrap().to_string()
    }

    #[test]
    fn what_is_of_no_use_is_told_by_option_and_without_the_secret() {
        let base = json!({ "host": "h", "user": "u", "dir": "d", "password": "hunter2" });
        assert!(by_name("sftp", "away", base.clone()).is_ok());
        for (option, value, named) in [
            ("host", json!("sftp://h"), "host"),
            ("user", json!(" "), "user"),
            ("dir", json!(""), "dir"),
            ("passphrase", json!("hunter2"), "passphrase"),
            ("private_key", json!("hunter2"), "only one"),
            ("host_key", json!("SHA256:short"), "host_key"),
            ("known_hosts", json!("/nowhere/known_hosts"), "known_hosts"),
        ] {
            let mut options = base.clone();
            options[option] = value;
            let said = complaint(options);
            assert!(said.contains(named) && !said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_without_showing_it() {
        let said = complaint(
            json!({ "host": "h", "user": "u", "dir": "d", "private_key": "hunter2hunter2" }),
        );
        assert!(
            said.contains("private_key") && !said.contains("hunter2"),
            "{said}"
        );
    }
}
