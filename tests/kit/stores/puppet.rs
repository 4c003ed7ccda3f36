//! An HTTP server that says what it is told to: for answers that no honest server gives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request: its first line, its headers and what it carried.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Method and path.
    pub line: String,
    /// In lower case, `name: value`.
    pub headers: Vec<String>,
    /// The bytes after them.
    pub body: Vec<u8>,
}

impl Asked {
    /// Whether it has this method.
    pub fn is(&self, method: &str) -> bool {
        self.line.split(' ').next() == Some(method)
    }

    /// The path.
    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }
}

/// A running puppet.
pub struct Puppet {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Puppet {
    /// Answers each request with the bytes that `answer` gives, and closes the connection.
    pub fn saying(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || {
                    if let Some(asked) = read(&stream) {
                        log.lock().unwrap().push(asked.clone());
                        let _ = (&stream).write_all(&answer(&asked));
                    }
                });
            }
        });
        Self { port, asked }
    }

    /// Where it listens on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let line = lines.first()?.clone();
    let headers: Vec<String> = lines[1..].iter().map(|line| line.to_lowercase()).collect();
    let length = headers
        .iter()
        .find_map(|header| header.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        line,
        headers,
        body,
    })
}

/// An answer with a body, after which the connection ends.
pub fn answer(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let headers = [headers, &[""]].concat().join("\r\n");
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
