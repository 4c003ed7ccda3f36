//! Where the secret key comes from, and reading it.

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use age::armor::ArmoredReader;
use age::secrecy::SecretString as AgeSecret;
use age::x25519::Identity;
use age::{DecryptError, Decryptor, scrypt};
use secrecy::{ExposeSecret, SecretString};

/// No identity file is larger.
const MAX_BYTES: u64 = 1024 * 1024;
/// Work for a passphrase is doubled with each step; this takes about a minute.
const MAX_WORK_FACTOR: u8 = 24;

/// Where the secret key lies.
pub struct IdentitySource {
    /// The file, or the key itself.
    pub key: Key,
    /// Opens a file that is protected by a passphrase.
    pub passphrase: Option<SecretString>,
}

/// The file of the key, or its text.
pub enum Key {
    /// A file as `age-keygen` writes it, or that file encrypted by `age --passphrase`.
    File(PathBuf),
    /// What would stand in the file.
    Text(SecretString),
}

/// Why the key cannot be used. No message holds anything of it.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read.
    #[error("it cannot be read")]
    File(#[source] io::Error),
    /// It is protected, and no passphrase is given.
    #[error("it is protected by a passphrase: set [encryption] passphrase")]
    Protected,
    /// The passphrase is another.
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    /// It is encrypted in a way that a passphrase does not open.
    #[error("it is encrypted, and not by a passphrase")]
    NotByPassphrase,
    /// It is damaged.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// A line is no key.
    #[error("line {0} is no key (AGE-SECRET-KEY-1...)")]
    NoKey(usize),
    /// There is none in it.
    #[error("there is no key in it")]
    Empty,
}

impl fmt::Display for IdentitySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Key::File(path) => write!(f, "{}", path.display()),
            Key::Text(_) => f.write_str("[encryption] identity"),
        }
    }
}

impl IdentitySource {
    pub(crate) fn read(&self) -> Result<Vec<Identity>, IdentityError> {
        let bytes = match &self.key {
            Key::Text(text) => text.expose_secret().as_bytes().to_vec(),
            Key::File(path) => {
                let mut bytes = Vec::new();
                File::open(path)
                    .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
                    .map_err(IdentityError::File)?;
                bytes
            }
        };
        let is_protected =
            bytes.starts_with(b"age-encryption.org/") || bytes.starts_with(b"-----BEGIN AGE");
        match is_protected {
            true => keys(&self.unprotected(&bytes)?),
            false => keys(&String::from_utf8_lossy(&bytes)),
        }
    }

    fn unprotected(&self, bytes: &[u8]) -> Result<String, IdentityError> {
        let damaged = |error: DecryptError| IdentityError::Damaged(error.to_string());
        let decryptor = Decryptor::new(ArmoredReader::new(bytes)).map_err(damaged)?;
        if !decryptor.is_scrypt() {
            return Err(IdentityError::NotByPassphrase);
        }
        let passphrase = self.passphrase.as_ref().ok_or(IdentityError::Protected)?;
        let secret = AgeSecret::from(passphrase.expose_secret().trim_end().to_owned());
        let mut identity = scrypt::Identity::new(secret);
        identity.set_max_work_factor(MAX_WORK_FACTOR);
        let opened = decryptor.decrypt([&identity as &dyn age::Identity].into_iter());
        let opened = opened.map_err(|error| match error {
            DecryptError::DecryptionFailed
            | DecryptError::KeyDecryptionFailed
            | DecryptError::NoMatchingKeys => IdentityError::WrongPassphrase,
            error => damaged(error),
        })?;
        let mut text = String::new();
        let read = opened.take(MAX_BYTES).read_to_string(&mut text);
        read.map_err(|error| IdentityError::Damaged(error.to_string()))?;
        Ok(text)
    }
}

fn keys(text: &str) -> Result<Vec<Identity>, IdentityError> {
    let lines = text.lines().map(str::trim).enumerate();
    let keys = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let keys = keys.map(|(number, line)| {
        let key = line.parse::<Identity>();
        key.map_err(|_| IdentityError::NoKey(number + 1))
    });
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    match keys.is_empty() {
        true => Err(IdentityError::Empty),
        false => Ok(keys),
    }
}

/// A cause and what caused it.
pub(crate) fn chain(error: &IdentityError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
