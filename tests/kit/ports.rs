//! Ports for servers of tests, which run beside each other.

use std::env;
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::ops::Range;
use std::sync::{LazyLock, Mutex};

/// Below what Linux gives to outgoing connections (`net.ipv4.ip_local_port_range`, 32768 and up): a port
/// that is free when it is asked for must still be so when the server gets to it.
const SERVERS: Range<u16> = 10_240..32_000;

/// A locked file for each port that was given: tests are processes of their own, and a port that one of
/// them was given is free until its server gets to it. The locks go with the process.
static GIVEN: LazyLock<Mutex<Vec<File>>> = LazyLock::new(Mutex::default);

/// A port that nobody listens at; never one that a running test was given.
pub fn free_port() -> u16 {
    let mut given = GIVEN.lock().unwrap();
    for _ in 0..1000 {
        let port = any_port();
        let Some(held) = hold(port) else { continue };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.push(held);
            return port;
        }
    }
    panic!("no port of {SERVERS:?} is free");
}

/// Takes the lock of a port, unless a running test has it.
fn hold(port: u16) -> Option<File> {
    let folder = env::temp_dir().join("respaldo-test-ports");
    fs::create_dir_all(&folder).unwrap();
    let file = File::create(folder.join(port.to_string())).unwrap();
    file.try_lock().is_ok().then_some(file)
}

fn any_port() -> u16 {
    let width = u64::from(SERVERS.end - SERVERS.start);
    let offset = RandomState::new().hash_one(()) % width;
    SERVERS.start + u16::try_from(offset).unwrap()
}
