//! The certificate of the panel, read again when its files change: one that is renewed needs no restart.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Where the certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, in PEM.
    pub cert: PathBuf,
    /// The key, in PEM.
    pub key: PathBuf,
}

/// The certificate in use.
pub struct Tls {
    files: TlsFiles,
    used: Mutex<Used>,
}

struct Used {
    config: Arc<ServerConfig>,
    of: [Option<SystemTime>; 2],
    looked: Instant,
}

impl Tls {
    /// Reads both files.
    pub fn open(files: TlsFiles) -> io::Result<Self> {
        let used = Used {
            config: read(&files)?,
            of: times(&files),
            looked: Instant::now(),
        };
        Ok(Self {
            files,
            used: Mutex::new(used),
        })
    }

    /// For the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.looked.elapsed() >= LOOK_EVERY {
            used.looked = Instant::now();
            let times = times(&self.files);
            if times != used.of {
                match read(&self.files) {
                    Ok(config) => {
                        used.config = config;
                        used.of = times;
                    }
                    Err(error) => {
                        tracing::error!(%error, "the new certificate cannot be used; the old one is");
                    }
                }
            }
        }
        TlsAcceptor::from(Arc::clone(&used.config))
    }
}

fn times(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    let time = |path: &Path| fs::metadata(path).and_then(|facts| facts.modified()).ok();
    [time(&files.cert), time(&files.key)]
}

/// What both files say, or why they cannot be used.
pub fn read(files: &TlsFiles) -> io::Result<Arc<ServerConfig>> {
    let wrong = |path: &Path, why: String| io::Error::other(format!("{}: {why}", path.display()));
    let chain = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(&files.cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(&files.cert, "no certificate in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| wrong(&files.key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong(&files.cert, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
