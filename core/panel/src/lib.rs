//! What a service tells and is told over HTTP: pages for people, an API for programs, `/healthz` for whoever restarts it,
//! `/metrics` for Prometheus.
//!
//! It knows nothing of backups: what is asked, changed and begun are values ([`ask`]), and the program around answers
//! them ([`ports`]). A request goes through one table of routes ([`routes`]), from which the check of roles and parameters
//! and the OpenAPI document are made too.

mod api;
pub mod ask;
mod cache;
mod files;
mod jobs;
mod journal;
mod listener;
mod openapi;
mod origin;
mod people;
pub mod ports;
mod problem;
mod routes;
mod secrets;
mod sessions;
mod site;
mod store;
mod tickets;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use ports::{Lang, Pages, Ports};
use site::Site;
use tls::Tls;

pub use origin::Net;
pub use tls::TlsFiles;

/// Threads that may wait for a database or a disk.
const WAITING_THREADS: usize = 24;
/// How often it is looked whether the service stands otherwise.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const STACK_BYTES: usize = 2 * 1024 * 1024;

/// How the panel is set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What stands before every path: nothing, or `/x`.
    pub base_path: String,
    /// The certificate, where it speaks TLS itself.
    pub tls: Option<TlsFiles>,
    /// Whose `X-Forwarded-...` count.
    pub trusted_proxies: Vec<Net>,
    /// Another speaks TLS.
    pub behind_proxy: bool,
    /// A session ends after it was idle so long.
    pub session: Duration,
    /// Its files: users, jobs, who did what.
    pub folder: PathBuf,
    /// Of the program.
    pub version: String,
    /// Where nobody says another.
    pub lang: Lang,
    /// Jobs that work at once.
    pub parallel_jobs: usize,
}

/// It listens until this ends.
pub struct Panel {
    closing: watch::Sender<bool>,
    site: Arc<Site>,
    thread: Option<JoinHandle<()>>,
}

impl Panel {
    /// Jobs under way may end within `within`; then they are told to stop, which takes `clean_up` at most. Then nobody
    /// is listened to any more.
    pub fn end(self, within: Duration, clean_up: Duration) {
        self.site.jobs.close(within, clean_up);
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.closing.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic was reported by the hook.
            thread.join().ok();
        }
    }
}

/// Whether there is a user in a folder.
pub fn is_set_up(folder: &Path) -> io::Result<bool> {
    people::People::of(folder)
        .is_set_up()
        .map_err(io::Error::other)
}

/// Whether a certificate and its key can be used.
pub fn check_tls(files: &TlsFiles) -> io::Result<()> {
    tls::read(files).map(|_| ())
}

/// Listens from now on, on threads of its own. An address that is taken keeps no service from its work: it is tried
/// again and again. `listening` hears of the address once there is one, and of the token with which the first user is made
/// where there is none.
pub fn start(
    settings: Settings,
    ports: Ports,
    listening: impl FnOnce(SocketAddr, Option<&str>) + Send + 'static,
) -> io::Result<Panel> {
    let tls = settings.tls.clone().map(Tls::open).transpose()?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(WAITING_THREADS)
        .thread_stack_size(STACK_BYTES)
        .thread_name("respaldo-panel-work")
        .build()?;
    let (site, setup_token) = Site::open(settings, ports)?;
    let (closing, closed) = watch::channel(false);
    let thread = {
        let (site, token) = (Arc::clone(&site), setup_token);
        let listening = move |address| listening(address, token.as_deref());
        let serve = move || serve(&runtime, &site, tls, listening, closed);
        thread::Builder::new()
            .name("respaldo-panel".to_owned())
            .spawn(serve)?
    };
    Ok(Panel {
        closing,
        site,
        thread: Some(thread),
    })
}

fn serve(
    runtime: &Runtime,
    site: &Arc<Site>,
    tls: Option<Tls>,
    listening: impl FnOnce(SocketAddr),
    closing: watch::Receiver<bool>,
) {
    let address = site.settings.listen;
    runtime.block_on(async {
        let mut closed = closing.clone();
        let all = async {
            let listener = listener::bind(address).await;
            listening(listener.local_addr()?);
            tokio::select! {
                ended = listener::serve(listener, Arc::clone(site), tls, closing) => ended,
                () = follow(site) => Ok(()),
            }
        };
        let ended = tokio::select! {
            ended = all => ended,
            // Only while there is no address yet: a listener ends by itself.
            () = async { closed.wait_for(|closed| *closed).await.ok(); tokio::time::sleep(LOOK_EVERY * 2).await; } => Ok(()),
        };
        if let Err(error) = ended {
            tracing::error!(%error, %address, "the panel ended");
        }
    });
}

/// Tells those who listen when the service stands otherwise.
async fn follow(site: &Arc<Site>) {
    let mut before = String::new();
    loop {
        let pages: &dyn Pages = &*site.ports.pages;
        let (now, _) = pages.health();
        if now != before {
            if !before.is_empty() {
                site.cache.forget();
            }
            let told: serde_json::Value = serde_json::from_str(&now).unwrap_or_default();
            site.jobs.stream.push("estado", &told);
            before = now;
        }
        let questions = Arc::clone(&site.ports.questions);
        tokio::task::spawn_blocking(move || questions.rest())
            .await
            .ok();
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
