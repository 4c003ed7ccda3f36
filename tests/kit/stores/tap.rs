//! A way to a server that can break, refuse, and damage what goes over it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A port that hands on to another.
#[derive(Debug)]
pub struct Tap {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    broken: AtomicBool,
    /// Every so many bytes sent to the server, one is another; 0 for none.
    damage_every: AtomicU64,
    /// Connections break after so many bytes of the server's; 0 for never.
    break_after: AtomicU64,
    /// So many answers are still to be lost.
    lost_answers: AtomicU64,
    /// Bytes that went to the server.
    sent: AtomicU64,
    ends: Mutex<Vec<TcpStream>>,
}

impl Tap {
    /// A port that hands on to `port` of this machine.
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

    /// How many bytes went to the server so far.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// Breaks every connection, and every later one at once.
    pub fn break_off(&self) {
        self.shared.broken.store(true, Ordering::SeqCst);
        self.break_those_there_are();
    }

    /// Breaks every connection that there is; later ones are handed on.
    pub fn break_those_there_are(&self) {
        for end in self.shared.ends.lock().unwrap().drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// Hands on again.
    pub fn mend(&self) {
        self.shared.broken.store(false, Ordering::SeqCst);
        self.shared.damage_every.store(0, Ordering::SeqCst);
        self.shared.break_after.store(0, Ordering::SeqCst);
    }

    /// Changes a byte of what is sent to the server every so many bytes.
    pub fn damage_every(&self, bytes: u64) {
        self.shared.damage_every.store(bytes, Ordering::SeqCst);
    }

    /// The server hears the next so many requests, and its answers never arrive.
    pub fn lose_answers(&self, count: u64) {
        self.shared.lost_answers.store(count, Ordering::SeqCst);
    }

    /// Breaks each new connection after so many bytes that the server sent.
    pub fn break_after(&self, bytes: u64) {
        self.shared.break_after.store(bytes, Ordering::SeqCst);
    }
}

impl Shared {
    fn join(self: &Arc<Self>, near: TcpStream, to: u16) {
        let mut ends = self.ends.lock().unwrap();
        if self.broken.load(Ordering::SeqCst) {
            return;
        }
        let Ok(far) = TcpStream::connect(("127.0.0.1", to)) else {
            return;
        };
        let (there, back) = (Arc::clone(self), Arc::clone(self));
        let (near_out, far_out) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        let (near_in, far_in) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || there.send(near_in, far_out));
        thread::spawn(move || back.answer(far_in, near_out));
        ends.extend([near, far]);
    }

    fn send(&self, mut from: TcpStream, mut to: TcpStream) {
        let (mut buffer, mut sent) = (vec![0; 64 * 1024], 0_u64);
        while let Ok(got @ 1..) = from.read(&mut buffer) {
            let every = self.damage_every.load(Ordering::SeqCst);
            let before = sent.checked_div(every);
            let next = before.map_or(u64::MAX, |before| (before + 1) * every);
            if next < sent + got as u64 {
                buffer[(next - sent) as usize] ^= 0x20;
            }
            sent += got as u64;
            self.sent.fetch_add(got as u64, Ordering::SeqCst);
            if to.write_all(&buffer[..got]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    }

    fn loses_one(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        let lost = &self.lost_answers;
        lost.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
            .is_ok()
    }

    fn answer(&self, mut from: TcpStream, mut to: TcpStream) {
        let limit = match self.break_after.load(Ordering::SeqCst) {
            0 => u64::MAX,
            limit => limit,
        };
        let (mut buffer, mut sent) = (vec![0; 64 * 1024], 0_u64);
        while let Ok(got @ 1..) = from.read(&mut buffer) {
            sent += got as u64;
            if self.loses_one() || sent > limit || to.write_all(&buffer[..got]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    }
}
