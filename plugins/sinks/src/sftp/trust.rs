//! Which server is the right one. Nobody is trusted silently.

use std::path::{Path, PathBuf};

use respaldo_engine::ports::{Fault, FaultKind};
use russh::keys::known_hosts::known_host_keys_path;
use russh::keys::ssh_key::Fingerprint;
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey};

use super::account::wrong;
use crate::Problem;

/// Host keys that can be checked, the preferred first.
const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP256,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP384,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP521,
    },
];

/// What is known of the server.
pub(super) enum Trust {
    Key(PublicKey),
    Fingerprint(Fingerprint),
    KnownHosts(PathBuf),
    Nothing,
}

impl Trust {
    pub(super) fn new(
        host_key: Option<String>,
        known_hosts: Option<PathBuf>,
    ) -> Result<Self, Problem> {
        match (host_key, known_hosts) {
            (Some(_), Some(_)) => wrong("host_key", "give host_key or known_hosts, not both"),
            (Some(text), None) => Self::of_key(text.trim()),
            (None, Some(path)) => match std::fs::metadata(&path) {
                Ok(_) => Ok(Self::KnownHosts(path)),
                Err(error) => wrong("known_hosts", format!("{}: {error}", path.display())),
            },
            (None, None) => Ok(Self::Nothing),
        }
    }

    fn of_key(text: &str) -> Result<Self, Problem> {
        if let Ok(fingerprint) = text.parse() {
            return Ok(Self::Fingerprint(fingerprint));
        }
        match PublicKey::from_openssh(text) {
            Ok(key) if ALGORITHMS.contains(&key.algorithm()) => Ok(Self::Key(key)),
            Ok(key) => wrong(
                "host_key",
                format!(
                    "{} keys are not supported: give the server's ssh-ed25519 or ecdsa key",
                    key.algorithm()
                ),
            ),
            Err(_) => wrong(
                "host_key",
                "must be a fingerprint as SHA256:... or a line as \"ssh-ed25519 AAAA...\"",
            ),
        }
    }

    /// Which kinds of key to ask the server for: those that we could recognize.
    pub(super) fn algorithms(&self, host: &str, port: u16) -> Vec<Algorithm> {
        let known = match self {
            Self::Key(key) => vec![key.algorithm()],
            Self::KnownHosts(path) => known(path, host, port)
                .iter()
                .map(PublicKey::algorithm)
                .filter(|algorithm| ALGORITHMS.contains(algorithm))
                .collect(),
            Self::Fingerprint(_) | Self::Nothing => Vec::new(),
        };
        match known.is_empty() {
            true => ALGORITHMS.to_vec(),
            false => known,
        }
    }

    /// Whether the key that the server has shown is its own.
    pub(super) fn check(&self, shown: &PublicKey, host: &str, port: u16) -> Result<(), Fault> {
        let right = match self {
            Self::Key(key) => key.key_data() == shown.key_data(),
            Self::Fingerprint(known) => *known == shown.fingerprint(known.algorithm()),
            Self::KnownHosts(path) => {
                let known = known(path, host, port);
                if known.is_empty() {
                    let place = format!("{} holds no key of it", path.display());
                    return Err(unknown(shown, host, port, &place));
                }
                known.iter().any(|key| key.key_data() == shown.key_data())
            }
            Self::Nothing => {
                return Err(unknown(shown, host, port, "no host_key is configured"));
            }
        };
        match right {
            true => Ok(()),
            false => Err(changed(shown, host, port)),
        }
    }
}

fn known(path: &Path, host: &str, port: u16) -> Vec<PublicKey> {
    let lines = known_host_keys_path(host, port, path).unwrap_or_default();
    lines.into_iter().map(|(_, key)| key).collect()
}

fn unknown(shown: &PublicKey, host: &str, port: u16, place: &str) -> Fault {
    let subject = format!("the server {host}:{port} is not known, so nothing was sent to it");
    let why = format!(
        "{place}; it shows the key {} ({}): if that is what `ssh-keygen -lf` says on the server \
         itself, set host_key = \"{}\"",
        shown.fingerprint(HashAlg::Sha256),
        shown.algorithm(),
        shown.fingerprint(HashAlg::Sha256),
    );
    Fault::new(FaultKind::Denied, subject, why)
}

fn changed(shown: &PublicKey, host: &str, port: u16) -> Fault {
    let subject = format!(
        "THE HOST KEY OF {host}:{port} IS NOT THE CONFIGURED ONE: somebody may be listening in, or \
         the server was set up anew; nothing was sent to it"
    );
    let why = format!(
        "it shows the key {} ({}); ask who runs the server before changing the configuration",
        shown.fingerprint(HashAlg::Sha256),
        shown.algorithm(),
    );
    Fault::new(FaultKind::Denied, subject, why)
}
