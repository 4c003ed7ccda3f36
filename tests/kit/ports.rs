//! Ports for servers of tests, which run beside each other.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::ops::Range;
use std::sync::{LazyLock, Mutex};

/// Below what Linux gives to outgoing connections (`net.ipv4.ip_local_port_range`, 32768 and up): a port
/// that is free when it is asked for must still be so when the server gets to it.
const SERVERS: Range<u16> = 10_240..32_000;

static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port that nobody listens at; never the same twice in one test.
pub fn free_port() -> u16 {
    let mut given = GIVEN.lock().unwrap();
    for _ in 0..1000 {
        let port = any_port();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && given.insert(port) {
            return port;
        }
    }
    panic!("no port of {SERVERS:?} is free");
}

fn any_port() -> u16 {
    let width = u64::from(SERVERS.end - SERVERS.start);
    let offset = RandomState::new().hash_one(()) % width;
    SERVERS.start + u16::try_from(offset).unwrap()
}
