//! A full dump while many look at the panel, and while nobody does.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use respaldo_tests::ports::free_port;
use respaldo_tests::{Cluster, Respaldo, Service};

use crate::data;
use crate::meter::{Cost, Failed, Meter};
use crate::options::Options;
use crate::results::{Results, Turn};
use crate::rooms::{quiet, server};
use crate::tools;

/// Nobody looks.
pub const ALONE: &str = "respaldo, nobody looks at the panel";
/// Fifty do.
pub const WATCHED: &str = "respaldo, 50 people look at the panel";

const VIEWERS: u64 = 50;
/// Each loads one page after the other, with so much time between.
const BETWEEN: Duration = Duration::from_secs(2);
const PAGES: [&str; 4] = ["overview", "backups?limit=25", "status", "jobs"];
const MEGABYTES: u64 = 450;
const PATIENCE: Duration = Duration::from_secs(30);
/// What the first user sends.
const SETUP: &str = r#""usuario":"ana","clave":"correct horse battery""#;

/// Measures full dumps by turns.
pub fn run(options: &Options, results: &mut Results) {
    let cluster = server().start();
    let url = cluster.new_database("viewed");
    data::fill_mixed(&url, options.scaled(MEGABYTES));
    let watched = Watched::start(&cluster);
    let meter = Meter::on(&[&cluster]);
    let title = "Full dump of a mixed database while 50 people look at the panel".to_owned();
    results.section("viewers", title, None);
    for round in 0..options.rounds {
        quiet(&cluster);
        let turns: [Turn<'_>; 2] = [
            (ALONE, Box::new(|| watched.dump(&meter))),
            (WATCHED, Box::new(|| watched.dump_watched(&meter))),
        ];
        results.round(round, &turns);
    }
}

/// A service whose panel somebody is logged in to.
struct Watched {
    driver: Respaldo,
    port: u16,
    cookie: String,
    _service: Service,
}

impl Watched {
    fn start(cluster: &Cluster) -> Self {
        let port = free_port();
        let driver = Respaldo::new(cluster, "viewed")
            .config(&format!("[panel]\nlisten = \"127.0.0.1:{port}\"\n"))
            .quiet_hours()
            .limit(Duration::from_hours(1));
        let answers = || TcpStream::connect(("127.0.0.1", port)).is_ok();
        let service = Service::start(&driver, &[], answers);
        let body = format!("{{\"token\":\"{}\",{SETUP}}}", service.setup_token());
        let answer = ask(port, "POST", "setup", "", &body).unwrap();
        let cookie = answer
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "))
            .and_then(|cookie| cookie.split(';').next())
            .unwrap()
            .to_owned();
        Self {
            driver,
            port,
            cookie,
            _service: service,
        }
    }

    fn dump(&self, meter: &Meter) -> Result<Cost, Failed> {
        let mut command = self.driver.command(&["backup", "full", "--json"]);
        let (cost, _) = meter.measure(|| tools::run(&mut command))?;
        // Room for the next.
        self.driver
            .ok(&["delete", "--with-dependents", &self.newest()]);
        Ok(cost)
    }

    fn newest(&self) -> String {
        let list = self.driver.ok(&["list", "--json"]).json();
        list[0]["nombre"].as_str().unwrap().to_owned()
    }

    fn dump_watched(&self, meter: &Meter) -> Result<Cost, Failed> {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            for viewer in 0..VIEWERS {
                let over = &over;
                scope.spawn(move || self.look(viewer, over));
            }
            let dumped = self.dump(meter);
            over.store(true, Ordering::Relaxed);
            dumped
        })
    }

    /// One person: page after page, until it is over.
    fn look(&self, viewer: u64, over: &AtomicBool) {
        // They do not all come at once.
        thread::sleep(BETWEEN * viewer as u32 / VIEWERS as u32);
        for page in PAGES.iter().cycle() {
            if over.load(Ordering::Relaxed) {
                return;
            }
            let answer = ask(self.port, "GET", page, &self.cookie, "").unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{page}: {answer}");
            thread::sleep(BETWEEN);
        }
    }
}

/// A request by hand, which costs next to nothing here.
fn ask(port: u16, method: &str, page: &str, cookie: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} /api/v1/{page} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncookie: {cookie}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
