//! The panel over a real socket, with a program around it that knows nothing.
#![expect(
    clippy::unwrap_used,
    reason = "what cannot be set up must fail the test at once"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use respaldo_panel::ask::{Change, Question, RestoreWish, Work};
use respaldo_panel::ports::{
    Call, Changes, Entry, Lang, Ledger, Pages, Phrases, Planned, Ports, Problem, Questions, Watch,
    Worked, Works,
};
use respaldo_panel::{Panel, Settings, start};
use serde_json::{Value, json};

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

impl Questions for World {
    fn bases(&self) -> Vec<String> {
        vec!["tienda".to_owned()]
    }

    fn rest(&self) {}

    fn ask(&self, _question: &Question, _call: &Call) -> Result<Value, Problem> {
        Ok(json!({}))
    }
}

impl Changes for World {
    fn change(&self, _change: &Change, _call: &Call) -> Result<Value, Problem> {
        Ok(json!({}))
    }
}

impl Works for World {
    fn plan(&self, _wish: &RestoreWish, _call: &Call) -> Result<Planned, Problem> {
        Ok(Planned {
            preview: json!({}),
            confirmation: "tienda".to_owned(),
            archive: "full_20261124_021746.backup".to_owned(),
        })
    }

    fn at_work(&self, _base: &str) -> Option<String> {
        None
    }

    fn work(&self, _work: &Work, _call: &Call, _watch: Arc<dyn Watch>) -> Result<Worked, Problem> {
        Ok(Worked::default())
    }
}

impl Ledger for World {
    fn write(&self, _base: &str, _entries: &[Entry]) -> Result<(), String> {
        Ok(())
    }

    fn read(&self, _call: &Call, _limit: u32, _offset: u32) -> Result<(Vec<Entry>, u64), Problem> {
        Ok((Vec::new(), 0))
    }
}

impl Phrases for World {
    fn words(&self, _code: &str, _lang: Lang) -> Option<(&'static str, &'static str)> {
        None
    }
}

fn settings(at: &str, folder: &Path) -> Settings {
    Settings {
        listen: at.parse().unwrap(),
        base_path: String::new(),
        tls: None,
        trusted_proxies: Vec::new(),
        behind_proxy: false,
        session: Duration::from_hours(1),
        folder: folder.to_owned(),
        version: "0".to_owned(),
        lang: Lang::En,
        parallel_jobs: 1,
    }
}

struct Begun {
    panel: Panel,
    address: SocketAddr,
    token: Option<String>,
    world: Arc<World>,
    _folder: tempfile::TempDir,
}

fn begin(at: &str) -> Begun {
    let world = Arc::new(World::default());
    let folder = tempfile::tempdir().unwrap();
    let ports = Ports {
        pages: world.clone(),
        questions: world.clone(),
        changes: world.clone(),
        works: world.clone(),
        ledger: world.clone(),
        phrases: world.clone(),
    };
    let (tell, told) = channel();
    let panel = start(settings(at, folder.path()), ports, move |address, token| {
        tell.send((address, token.map(str::to_owned))).unwrap();
    });
    let (address, token) = told.recv_timeout(Duration::from_secs(30)).unwrap();
    Begun {
        panel: panel.unwrap(),
        address,
        token,
        world,
        _folder: folder,
    }
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
    let begun = begin("127.0.0.1:0");
    let address = begun.address;
    let metrics = ask(address, "/metrics");
    assert!(
        metrics.starts_with("HTTP/1.1 200") && metrics.ends_with("up 1\n"),
        "{metrics}"
    );
    assert!(metrics.contains("text/plain; version=0.0.4"), "{metrics}");
    assert!(ask(address, "/healthz").starts_with("HTTP/1.1 503"));
    begun.world.0.store(true, Ordering::SeqCst);
    assert!(ask(address, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(ask(address, "/other.js").starts_with("HTTP/1.1 404"));
    assert_eq!(begun.token.as_ref().map(String::len), Some(43));
    drop(begun.panel);
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
    let begun = begin(&at.to_string());
    freed.join().unwrap();
    assert_eq!(begun.address, at);
}
