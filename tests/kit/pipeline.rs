//! A client that pipelines: statements one after the other without asking for an answer, which no
//! ready-made client of ours does. Just enough of the protocol for a server that trusts us.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

/// Sends `statements` in one pipeline, and the end of it only after `wait`; fails when the server does.
pub fn run(port: u16, db: &str, statements: &[String], wait: impl FnOnce()) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(&startup(db))?;
    until_ready(&mut stream)?;
    for statement in statements {
        stream.write_all(&message(
            b'P',
            &[&[0], statement.as_bytes(), &[0, 0, 0]].concat(),
        ))?;
        stream.write_all(&message(b'B', &[0; 8]))?;
        stream.write_all(&message(b'E', &[0; 5]))?;
    }
    stream.write_all(&message(b'H', &[]))?;
    wait();
    stream.write_all(&message(b'S', &[]))?;
    until_ready(&mut stream)?;
    thread::sleep(Duration::from_millis(200));
    stream.write_all(&message(b'X', &[]))
}

fn startup(db: &str) -> Vec<u8> {
    let mut body = 196_608_u32.to_be_bytes().to_vec();
    for word in [
        "user",
        "postgres",
        "database",
        db,
        "application_name",
        "writer",
        "",
    ] {
        body.extend_from_slice(word.as_bytes());
        body.push(0);
    }
    let mut all = (body.len() as u32 + 4).to_be_bytes().to_vec();
    all.append(&mut body);
    all
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 4).to_be_bytes();
    [&[kind], &length[..], body].concat()
}

/// Reads until the server is ready for the next query.
fn until_ready(stream: &mut TcpStream) -> std::io::Result<()> {
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut body = vec![0; length.saturating_sub(4) as usize];
        stream.read_exact(&mut body)?;
        if head[0] == b'Z' {
            return Ok(());
        }
    }
}
