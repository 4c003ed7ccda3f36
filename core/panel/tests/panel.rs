//! The panel over a real socket.
#![expect(
    clippy::unwrap_used,
    reason = "what cannot be set up must fail the test at once"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use respaldo_panel::{Pages, Panel, start};

#[derive(Default)]
struct World(AtomicBool);

impl Pages for World {
    fn metrics(&self) -> (String, &'static str) {
        ("up 1\n".to_owned(), "text/plain; version=0.0.4")
    }

    fn health(&self) -> (String, bool) {
        ("{}".to_owned(), self.0.load(Ordering::SeqCst))
    }
}

fn begin(at: &str) -> (Panel, SocketAddr, Arc<World>) {
    let world = Arc::new(World::default());
    let (tell, told) = channel();
    let panel = start(at.parse().unwrap(), world.clone(), move |address| {
        tell.send(address).unwrap();
    });
    let address = told.recv_timeout(Duration::from_secs(30)).unwrap();
    (panel.unwrap(), address, world)
}

fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn figures_and_health_are_told_while_it_lives() {
    let (panel, address, world) = begin("127.0.0.1:0");
    let metrics = ask(address, "/metrics");
    assert!(
        metrics.starts_with("HTTP/1.1 200") && metrics.ends_with("up 1\n"),
        "{metrics}"
    );
    assert!(metrics.contains("text/plain; version=0.0.4"), "{metrics}");
    assert!(ask(address, "/healthz").starts_with("HTTP/1.1 503"));
    world.0.store(true, Ordering::SeqCst);
    assert!(ask(address, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(ask(address, "/other").starts_with("HTTP/1.1 404"));
    drop(panel);
    let gone = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        TcpStream::connect(address).is_err()
    });
    assert!(gone, "it listens on after its end");
}

#[test]
fn an_address_that_is_taken_is_tried_again() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    let freed = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        drop(taken);
    });
    let (_panel, address, _) = begin(&at.to_string());
    freed.join().unwrap();
    assert_eq!(address, at);
}
