//! What is told: a webhook that listens, and the panel that is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use respaldo_tests::respaldo::wait_until;
use serde_json::Value;

use super::scene::{LONG, Scene};

/// A webhook that takes everything, once it is up.
pub struct Webhook {
    port: u16,
    is_up: Arc<AtomicBool>,
    heard: Arc<Mutex<Vec<Value>>>,
    refused: Arc<Mutex<usize>>,
}

impl Webhook {
    pub fn open() -> Self {
        let webhook = Self::down();
        webhook.comes_up();
        webhook
    }

    /// One that is overloaded until it comes up.
    pub fn down() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let webhook = Self {
            port: listener.local_addr().unwrap().port(),
            is_up: Arc::default(),
            heard: Arc::default(),
            refused: Arc::default(),
        };
        let (is_up, heard) = (Arc::clone(&webhook.is_up), Arc::clone(&webhook.heard));
        let refused = Arc::clone(&webhook.refused);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let takes = is_up.load(Ordering::SeqCst);
                let code = if takes { "200 OK" } else { "503 Busy" };
                let notice = answer(stream, code);
                match takes {
                    true => heard.lock().unwrap().push(notice),
                    false => *refused.lock().unwrap() += 1,
                }
            }
        });
        webhook
    }

    pub fn comes_up(&self) {
        self.is_up.store(true, Ordering::SeqCst);
    }

    /// How many notices came while it was down.
    pub fn refused(&self) -> usize {
        *self.refused.lock().unwrap()
    }

    pub fn section(&self) -> String {
        format!(
            "[notify]\nwebhook = \"http://127.0.0.1:{}/hook\"\n",
            self.port
        )
    }

    /// Each alarm with what became of it and what it concerns, such as `began backup-failing FULL`.
    pub fn alarms(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let heard = self.heard.lock().unwrap();
        let of_one = |notice: &Value| {
            let (kind, run) = (&notice["kind"], word(&notice["run"]));
            let alarm = format!("{} {} {run}", word(&kind["what"]), word(&kind["alarm"]));
            alarm.trim_end().to_owned()
        };
        heard.iter().map(of_one).collect()
    }

    /// Waits until these came, in this order and no more of their kind; a hiccup of something else is no matter.
    pub fn wait_for(&self, alarms: &[&str]) {
        let topic = |alarm: &str| alarm.split_once(' ').unwrap().1.to_owned();
        let topics: Vec<String> = alarms.iter().map(|alarm| topic(alarm)).collect();
        let heard = || {
            let mut all = self.alarms();
            all.retain(|alarm| topics.contains(&topic(alarm)));
            all
        };
        let came = wait_until(LONG, || heard().len() >= alarms.len());
        assert!(came && heard() == alarms, "{:?}", self.alarms());
    }
}

/// The body of a request, which is answered.
fn answer(stream: TcpStream, code: &str) -> Value {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(count) = line.strip_prefix("content-length:") {
            length = count.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = format!("HTTP/1.1 {code}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

impl Scene {
    /// What the panel answers: the code and the body.
    pub fn ask(&self, path: &str) -> (u16, String) {
        let panel = self.status()["servicio"]["panel"]
            .as_str()
            .unwrap()
            .to_owned();
        let address = panel.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let code = head.split(' ').nth(1).unwrap().parse().unwrap();
        (code, body.to_owned())
    }
}
