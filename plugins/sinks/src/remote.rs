//! What sinks over a network share: a place where their requests run, limits of waiting, HTTP, and
//! faults that show no secret.

use std::path::Path;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, StatusCode};
use respaldo_engine::ports::{Context, Fault, FaultKind};
use tokio::runtime::{Builder, Runtime};

use crate::Problem;

/// Longest wait for a connection.
pub(crate) const CONNECT_LIMIT: Duration = Duration::from_secs(15);
/// Longest silence of the other side in the middle of something.
pub(crate) const SILENCE_LIMIT: Duration = Duration::from_secs(60);
/// How soon a request ends after the run was told to stop.
const CANCEL_WITHIN: Duration = Duration::from_millis(100);

/// Runs the requests of one sink, for callers that block. May be used by many threads at once, none
/// of which is itself inside a runtime.
pub(crate) struct Driver {
    runtime: Runtime,
}

impl Driver {
    /// Threads of its own; they idle until something is asked.
    pub(crate) fn new() -> Result<Self, Problem> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("sink")
            .enable_all()
            .build()
            .map_err(|error| Problem::Value {
                option: "use",
                why: format!("threads for the sink cannot be started: {error}"),
            })?;
        Ok(Self { runtime })
    }

    /// Waits for `work`, no longer than `limit`, and not once the run is to stop. What is given up is
    /// dropped where it stands.
    pub(crate) fn wait<T>(
        &self,
        subject: &str,
        limit: Duration,
        cx: &Context,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        cx.check()?;
        self.runtime.block_on(async {
            tokio::select! {
                done = work => done,
                fault = stopped(cx) => Err(fault),
                () = tokio::time::sleep(limit) => {
                    let why = format!("no answer within {} seconds", limit.as_secs());
                    Err(Fault::new(FaultKind::Unavailable, subject, why))
                }
            }
        })
    }
}

async fn stopped(cx: &Context) -> Fault {
    loop {
        tokio::time::sleep(CANCEL_WITHIN).await;
        if let Err(fault) = cx.check() {
            return fault;
        }
    }
}

/// A client that trusts the system's authorities and those in the file, follows no redirect (the
/// next address is none that anybody chose to trust with a secret), and gives up on silence.
pub(crate) fn client(ca_file: Option<&Path>) -> Result<Client, Problem> {
    build(Client::builder().read_timeout(SILENCE_LIMIT), ca_file)
}

/// The same without a limit of silence, for requests that take long to send: while they are sent the
/// other side is silent, however well it listens. Whoever sends bounds the wait.
pub(crate) fn patient_client(ca_file: Option<&Path>) -> Result<Client, Problem> {
    build(Client::builder(), ca_file)
}

fn build(builder: ClientBuilder, ca_file: Option<&Path>) -> Result<Client, Problem> {
    install_cryptography();
    let mut builder = builder
        .connect_timeout(CONNECT_LIMIT)
        .tcp_user_timeout(SILENCE_LIMIT)
        .redirect(Policy::none())
        .user_agent(concat!("respaldo/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = ca_file {
        builder = builder.tls_certs_merge(authorities(path)?);
    }
    builder.build().map_err(|error| Problem::Value {
        option: "ca_file",
        why: format!("no HTTPS client can be made: {}", error.without_url()),
    })
}

/// The certificates of a PEM file.
pub(crate) fn authorities(path: &Path) -> Result<Vec<Certificate>, Problem> {
    let wrong = |why: String| Problem::Value {
        option: "ca_file",
        why: format!("{}: {why}", path.display()),
    };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).ok();
    found
        .filter(|certificates| !certificates.is_empty())
        .ok_or_else(|| wrong("there is no certificate in PEM form in it".to_owned()))
}

/// Chooses ring for the process; a second call keeps the first choice, which is the same.
pub(crate) fn install_cryptography() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The fault of a request that got no answer. The address, which may hold a secret, is left out.
pub(crate) fn unanswered(subject: impl Into<String>, error: reqwest::Error) -> Fault {
    Fault::new(FaultKind::Unavailable, subject, error.without_url())
}

/// The fault of an answer that is none of those hoped for; `words` are the server's own.
pub(crate) fn refused(subject: impl Into<String>, status: StatusCode, words: &str) -> Fault {
    let words: String = words.trim().chars().take(300).collect();
    let why = match words.is_empty() {
        true => format!("it answered {status}"),
        false => format!("it answered {status}: {words}"),
    };
    Fault::new(kind_of(status), subject, why)
}

/// What a status means where nothing more is known.
pub(crate) fn kind_of(status: StatusCode) -> FaultKind {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => FaultKind::Denied,
        StatusCode::NOT_FOUND | StatusCode::GONE => FaultKind::NotFound,
        StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => FaultKind::Exists,
        StatusCode::RANGE_NOT_SATISFIABLE => FaultKind::Corrupt,
        StatusCode::INSUFFICIENT_STORAGE | StatusCode::PAYLOAD_TOO_LARGE => FaultKind::Full,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::LOCKED => {
            FaultKind::Unavailable
        }
        status if status.is_server_error() => FaultKind::Unavailable,
        _ => FaultKind::Invalid,
    }
}
