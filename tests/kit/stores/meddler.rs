//! A proxy between a client and a server that speaks HTTP, which goes wrong as it is told to: it
//! refuses, cuts, delays, damages, loses, and lies about lengths. One request a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What goes wrong with a request.
#[derive(Debug, Clone)]
pub enum Mishap {
    /// The proxy answers in the server's stead, with a status, headers and a body.
    Refused(&'static str, &'static [&'static str], &'static str),
    /// The server gets half of the body, and both sides find the connection closed.
    CutOff,
    /// The server does what it is asked, and its answer never arrives.
    AnswerLost,
    /// The answer ends in its middle.
    AnswerCut,
    /// A byte of the request's body is another one, in its middle.
    Damaged,
    /// A byte of the answer's body is another one, in its middle.
    AnswerDamaged,
    /// The answer says that it is longer than it is.
    LengthTooLong,
    /// The answer says that it is shorter than it is.
    LengthTooShort,
    /// Everything takes so long.
    Delayed(Duration),
}

/// Which requests something happens to, and how often.
#[derive(Debug, Clone)]
pub struct Rule {
    methods: &'static [&'static str],
    path: &'static str,
    left: Option<u32>,
    happened: u32,
    mishap: Mishap,
}

impl Rule {
    /// Happens to every request of these methods whose path holds a text.
    pub fn always(methods: &'static [&'static str], path: &'static str, mishap: Mishap) -> Self {
        Self {
            methods,
            path,
            left: None,
            happened: 0,
            mishap,
        }
    }

    /// Happens to the next one alone.
    pub fn once(methods: &'static [&'static str], path: &'static str, mishap: Mishap) -> Self {
        Self {
            left: Some(1),
            ..Self::always(methods, path, mishap)
        }
    }

    fn takes(&mut self, asked: &Asked) -> bool {
        let is_it = self.methods.contains(&asked.method()) && asked.path().contains(self.path);
        if !is_it || self.left == Some(0) {
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        self.happened += 1;
        true
    }
}

/// A running proxy.
#[derive(Debug)]
pub struct Meddler {
    port: u16,
    rules: Arc<Mutex<Vec<Rule>>>,
}

impl Meddler {
    /// One that hands on to `port` of this machine.
    pub fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let rules = Arc::new(Mutex::new(Vec::new()));
        let known = Arc::clone(&rules);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let rules = Arc::clone(&known);
                // A connection that breaks on either side is what this is about.
                thread::spawn(move || _ = hand_on(&near, port, &rules));
            }
        });
        Self { port: own, rules }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Goes wrong like this from now on, and in no other way.
    pub fn plan(&self, rule: Rule) {
        *self.rules.lock().unwrap() = vec![rule];
    }

    /// Nothing goes wrong any more. Panics where what was planned never happened; tells how often it
    /// did.
    pub fn mend(&self) -> u32 {
        let rules = std::mem::take(&mut *self.rules.lock().unwrap());
        for rule in &rules {
            assert!(rule.happened > 0, "it never happened: {rule:?}");
        }
        rules.iter().map(|rule| rule.happened).sum()
    }
}

#[derive(Debug)]
struct Asked {
    head: Vec<String>,
    body: Vec<u8>,
}

impl Asked {
    fn word(&self, at: usize) -> &str {
        self.head[0].split(' ').nth(at).unwrap_or_default()
    }

    fn method(&self) -> &str {
        self.word(0)
    }

    fn path(&self) -> &str {
        self.word(1)
    }
}

fn hand_on(near: &TcpStream, port: u16, rules: &Mutex<Vec<Rule>>) -> std::io::Result<()> {
    let Some(mut asked) = read(near)? else {
        return Ok(());
    };
    let mishap = rules.lock().unwrap().iter_mut().find_map(|rule| {
        let takes = rule.takes(&asked);
        takes.then(|| rule.mishap.clone())
    });
    match &mishap {
        Some(Mishap::Refused(status, headers, body)) => {
            let said = super::puppet::answer(status, headers, body);
            (&*near).write_all(&said)?;
            return near.shutdown(Shutdown::Write);
        }
        Some(Mishap::Delayed(time)) => thread::sleep(*time),
        Some(Mishap::Damaged) => flip_middle(&mut asked.body),
        _ => {}
    }
    let mut far = TcpStream::connect(("127.0.0.1", port))?;
    let half = asked.body.len() / 2;
    let sent = match mishap {
        Some(Mishap::CutOff) => &asked.body[..half],
        _ => &asked.body,
    };
    send(&mut far, &asked.head, sent)?;
    if matches!(mishap, Some(Mishap::CutOff)) {
        far.shutdown(Shutdown::Both)?;
        return near.shutdown(Shutdown::Both);
    }
    let mut answer = Vec::new();
    // A server that answers before it read all breaks the connection; what it said counts.
    let _ = far.read_to_end(&mut answer);
    meddle(&mut answer, mishap.as_ref());
    (&*near).write_all(&answer)?;
    near.shutdown(Shutdown::Both)
}

fn meddle(answer: &mut Vec<u8>, mishap: Option<&Mishap>) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let body = end.map_or(answer.len(), |end| end + 4);
    match mishap {
        Some(Mishap::AnswerLost) => answer.clear(),
        Some(Mishap::AnswerCut) => answer.truncate(body + (answer.len() - body) / 2),
        Some(Mishap::AnswerDamaged) => flip_middle(&mut answer[body..]),
        Some(Mishap::LengthTooLong) => lie(answer, body, 7),
        Some(Mishap::LengthTooShort) => lie(answer, body, -7),
        _ => {}
    }
}

/// Says another length of an answer that tells one.
fn lie(answer: &mut Vec<u8>, body: usize, by: i64) {
    let head = String::from_utf8_lossy(&answer[..body]).into_owned();
    let lines = head.split("\r\n").map(|line| match length_of(line) {
        Some(length) => format!("Content-Length: {}", (length + by).max(0)),
        None => line.to_owned(),
    });
    let head = lines.collect::<Vec<_>>().join("\r\n");
    answer.splice(..body, head.into_bytes());
}

fn length_of(line: &str) -> Option<i64> {
    let (name, value) = line.split_once(':')?;
    let is_it = name.eq_ignore_ascii_case("content-length");
    is_it.then(|| value.trim().parse().ok())?
}

fn flip_middle(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
}

fn read(near: &TcpStream) -> std::io::Result<Option<Asked>> {
    let mut reader = BufReader::new(near);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length = head.iter().find_map(|line| length_of(line));
    let is_chunked = head
        .iter()
        .any(|line| line.to_lowercase().contains(": chunked"));
    assert!(!is_chunked, "requests tell their length: {head:?}");
    let mut body = vec![0; length.unwrap_or(0) as usize];
    reader.read_exact(&mut body)?;
    Ok(Some(Asked { head, body }))
}

/// The server closes the connection after its answer, so that the answer's end is seen.
fn send(far: &mut TcpStream, head: &[String], body: &[u8]) -> std::io::Result<()> {
    let kept = |line: &&String| !line.to_lowercase().starts_with("connection:");
    for line in head.iter().filter(kept) {
        write!(far, "{line}\r\n")?;
    }
    write!(far, "Connection: close\r\n\r\n")?;
    far.write_all(body)
}
