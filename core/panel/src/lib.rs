//! What a service tells over HTTP: `/healthz` for whoever restarts it, `/metrics` for Prometheus.
//!
//! It listens on this machine only; there are no logins yet.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// How often an address that is taken is tried again.
const BIND_EVERY: Duration = Duration::from_secs(10);

/// What it is asked for: told anew for each request, and soon.
pub trait Pages: Send + Sync + 'static {
    /// The figures, and their content type.
    fn metrics(&self) -> (String, &'static str);

    /// How things stand, as JSON, and whether backups are being made.
    fn health(&self) -> (String, bool);
}

/// It listens until this is dropped.
pub struct Panel {
    stop: Option<oneshot::Sender<()>>,
}

impl Drop for Panel {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // One that stopped by itself was told of.
            stop.send(()).ok();
        }
    }
}

/// Listens from now on, on a thread of its own. An address that is taken keeps no service from its work: it is
/// tried again and again. `listening` hears of the address once there is one.
pub fn start(
    address: SocketAddr,
    pages: Arc<dyn Pages>,
    listening: impl FnOnce(SocketAddr) + Send + 'static,
) -> io::Result<Panel> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel();
    thread::Builder::new()
        .name("respaldo-panel".to_owned())
        .spawn(move || serve(&runtime, address, pages, listening, stopped))?;
    Ok(Panel { stop: Some(stop) })
}

fn serve(
    runtime: &Runtime,
    address: SocketAddr,
    pages: Arc<dyn Pages>,
    listening: impl FnOnce(SocketAddr),
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        let ended = tokio::select! {
            listened = listen(address, pages, listening) => listened,
            _ = stopped => Ok(()),
        };
        if let Err(error) = ended {
            tracing::error!(%error, %address, "the panel ended");
        }
    });
}

async fn listen(
    address: SocketAddr,
    pages: Arc<dyn Pages>,
    listening: impl FnOnce(SocketAddr),
) -> io::Result<()> {
    let listener = bind(address).await;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    listening(listener.local_addr()?);
    axum::serve(listener, routes(pages)).await
}

async fn bind(address: SocketAddr) -> TcpListener {
    let mut told = false;
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return listener,
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%error, %address, "the panel's address cannot be listened on; tried again");
                }
                tokio::time::sleep(BIND_EVERY).await;
            }
        }
    }
}

fn routes(pages: Arc<dyn Pages>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .with_state(pages)
}

async fn metrics(State(pages): State<Arc<dyn Pages>>) -> Response {
    let (text, kind) = pages.metrics();
    ([(CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
}

/// 503 where no backups are being made: a probe that knows nothing but the code understands.
async fn health(State(pages): State<Arc<dyn Pages>>) -> Response {
    let (text, is_well) = pages.health();
    let code = match is_well {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let kind = HeaderValue::from_static("application/json");
    (code, [(CONTENT_TYPE, kind)], text).into_response()
}
