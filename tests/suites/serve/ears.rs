//! What is told: a webhook that listens, and the panel that is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use respaldo_tests::respaldo::wait_until;
use serde_json::Value;

use super::scene::{LONG, Scene};

/// A webhook that takes everything.
pub struct Webhook {
    port: u16,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Webhook {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                told.lock().unwrap().push(take(stream));
            }
        });
        Self { port, heard }
    }

    pub fn section(&self) -> String {
        format!(
            "[notify]\nwebhook = \"http://127.0.0.1:{}/hook\"\n",
            self.port
        )
    }

    /// Each alarm with what became of it, such as `began engine-legacy`.
    pub fn alarms(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let heard = self.heard.lock().unwrap();
        let kinds = heard.iter().map(|notice| &notice["kind"]);
        kinds
            .map(|kind| format!("{} {}", word(&kind["what"]), word(&kind["alarm"])))
            .collect()
    }

    pub fn wait_for(&self, alarms: &[&str]) {
        let heard = wait_until(LONG, || self.alarms().len() >= alarms.len());
        assert!(heard && self.alarms() == alarms, "{:?}", self.alarms());
    }
}

/// The body of a request, which is answered.
fn take(stream: TcpStream) -> Value {
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
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
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
