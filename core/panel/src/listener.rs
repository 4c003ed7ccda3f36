//! Connections: how many, from whom, how long they may take to say what they want. TLS where it is configured.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::origin::Connection;
use crate::site::Site;
use crate::tls::Tls;

/// How often an address that is taken is tried again.
const BIND_EVERY: Duration = Duration::from_secs(10);
/// Connections at once.
const MOST: usize = 512;
/// Of one address; a proxy is one.
const MOST_OF_ONE: usize = 64;
const MOST_OF_PROXY: usize = 400;
/// The head of a request is there in that time, counted anew for each of a connection.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a head.
const HEAD_BYTES: usize = 32 * 1024;
const HEADERS: usize = 100;
/// At the end, what is under way may be said to its end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Places by address.
#[derive(Clone, Default)]
struct Places(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A place, until it is dropped.
struct Place(Places, IpAddr);

impl Places {
    fn take(&self, address: IpAddr, most: usize) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let of_one = taken.entry(address).or_default();
        if all >= MOST || *of_one >= most {
            return None;
        }
        *of_one += 1;
        drop(taken);
        Some(Place(self.clone(), address))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.1);
            }
        }
    }
}

/// An address to listen on, as soon as it is free.
pub async fn bind(address: SocketAddr) -> TcpListener {
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

/// Takes connections until `closing` says so.
pub async fn serve(
    listener: TcpListener,
    site: Arc<Site>,
    tls: Option<Tls>,
    mut closing: watch::Receiver<bool>,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Places::default();
    let mut tasks = JoinSet::new();
    let is_closing = |closing: &watch::Receiver<bool>| *closing.borrow();
    while !is_closing(&closing) {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // Its other end is gone: so is the service.
            changed = closing.changed() => if changed.is_ok() { continue } else { break },
            Some(_) = tasks.join_next() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, for example: others may end meanwhile.
                tracing::debug!(%error, "a connection was not taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let most = match site.settings.behind_proxy {
            true => MOST_OF_PROXY,
            false => MOST_OF_ONE,
        };
        let Some(place) = places.take(peer.ip().to_canonical(), most) else {
            continue;
        };
        stream.set_nodelay(true).ok();
        let acceptor = tls.as_ref().map(Tls::acceptor);
        let (site, closing) = (Arc::clone(&site), closing.clone());
        tasks.spawn(async move {
            let _place = place;
            connection(stream, peer.ip(), acceptor, site, closing).await;
        });
    }
    drop(listener);
    let all = async { while tasks.join_next().await.is_some() {} };
    tokio::time::timeout(LAST_WORDS, all).await.ok();
    Ok(())
}

async fn connection(
    stream: tokio::net::TcpStream,
    peer: IpAddr,
    acceptor: Option<TlsAcceptor>,
    site: Arc<Site>,
    closing: watch::Receiver<bool>,
) {
    let tls = acceptor.is_some();
    let connection = Connection { peer, tls };
    match acceptor {
        None => talk(stream, connection, site, closing).await,
        Some(acceptor) => {
            let shaken = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await;
            if let Ok(Ok(stream)) = shaken {
                talk(stream, connection, site, closing).await;
            }
        }
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: Connection,
    site: Arc<Site>,
    mut closing: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let site = Arc::clone(&site);
        let request = request.map(Body::new);
        async move { Ok::<_, Infallible>(site.respond(request, connection).await) }
    });
    let talk = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(talk);
    let ended = tokio::select! {
        ended = talk.as_mut() => ended,
        () = async { closing.wait_for(|closing| *closing).await.ok(); } => {
            talk.as_mut().graceful_shutdown();
            talk.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended");
    }
}
