//! A proxy in front of a server that can cut connections as a machine does that loses its network:
//! without a word. Packets that still come are dropped before the kernel can acknowledge them, so
//! probes go unanswered and nothing is reset.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use socket2::{SockFilter, SockRef};

/// Classic BPF: `ret #0`, no byte of any packet is let through.
const DROP_ALL: SockFilter = SockFilter::new(0x06, 0, 0, 0);

/// A proxy on a port of its own.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    cut: AtomicBool,
    /// Both ends of every connection, kept so that none is closed.
    ends: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Hands on what comes to the server at `port` of this machine.
    pub fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let state = Arc::clone(&shared);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                state.join(near, port);
            }
        });
        Self { port: own, shared }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts every connection, half open on both sides; later ones are accepted and never answered.
    pub fn cut(&self) {
        self.shared.cut.store(true, Ordering::SeqCst);
        let ends = self.shared.ends.lock().unwrap();
        for end in ends.iter() {
            SockRef::from(end).attach_filter(&[DROP_ALL]).unwrap();
        }
    }

    /// Cuts the connections that there are; later ones are handed on.
    pub fn cut_those_there_are(&self) {
        for end in self.shared.ends.lock().unwrap().iter() {
            SockRef::from(end).attach_filter(&[DROP_ALL]).unwrap();
        }
    }

    /// Breaks every connection aloud: both sides hear of it.
    pub fn reset(&self) {
        for end in self.shared.ends.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn join(self: &Arc<Self>, near: TcpStream, port: u16) {
        let mut ends = self.ends.lock().unwrap();
        if self.cut.load(Ordering::SeqCst) {
            ends.push(near);
            return;
        }
        let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else {
            return;
        };
        self.pump(&near, &far);
        self.pump(&far, &near);
        ends.extend([near, far]);
    }

    fn pump(self: &Arc<Self>, from: &TcpStream, to: &TcpStream) {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let state = Arc::clone(self);
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let read = from.read(&mut buffer).unwrap_or(0);
                while state.cut.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_secs(1));
                }
                if read == 0 || to.write_all(&buffer[..read]).is_err() {
                    let _ = to.shutdown(Shutdown::Both);
                    return;
                }
            }
        });
    }
}
