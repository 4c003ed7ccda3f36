//! Large objects that lie nowhere: their bytes are made as they are read and checked as they come.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use respaldo_engine::ports::PutSource;

/// The byte at a place.
fn byte_at(place: u64) -> u8 {
    let mixed = (place / 8 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).to_le_bytes()[(place % 8) as usize]
}

/// A source of bytes that are made.
pub struct Made<'a> {
    size_bytes: u64,
    given: u64,
    /// The same for others to see.
    shown: Arc<AtomicU64>,
    /// What happens once so many bytes were given.
    then: Option<(u64, Box<dyn FnOnce() + Send + 'a>)>,
}

impl<'a> Made<'a> {
    /// So many bytes.
    pub fn of(size_bytes: u64) -> Self {
        Self {
            size_bytes,
            given: 0,
            shown: Arc::default(),
            then: None,
        }
    }

    /// How many bytes were given so far.
    pub fn given(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.shown)
    }

    /// Does something once `given` bytes were given.
    #[must_use]
    pub fn after(self, given: u64, then: impl FnOnce() + Send + 'a) -> Self {
        Self {
            then: Some((given, Box::new(then))),
            ..self
        }
    }
}

impl Read for Made<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some((_, then)) = self.then.take_if(|(at, _)| *at <= self.given) {
            then();
        }
        let count = (out.len() as u64).min(self.size_bytes - self.given) as usize;
        for byte in &mut out[..count] {
            *byte = byte_at(self.given);
            self.given += 1;
        }
        self.shown.store(self.given, Ordering::SeqCst);
        Ok(count)
    }
}

impl PutSource for Made<'_> {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

/// Takes bytes and panics where they are not those that were made.
#[derive(Debug)]
pub struct Checked {
    place: u64,
    /// How many came.
    pub count: u64,
}

impl Checked {
    /// Expects what was made from a place on.
    pub fn from(place: u64) -> Self {
        Self { place, count: 0 }
    }
}

impl Write for Checked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            assert_eq!(*byte, byte_at(self.place), "at byte {}", self.place);
            self.place += 1;
        }
        self.count += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
