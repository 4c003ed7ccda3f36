//! The print of a table: how many lines COPY gives, and the sum of their SHA-256, so that the order does not matter.

use std::fmt;
use std::io::BufRead;

use respaldo_sdk::{Context, Result};
use sha2::{Digest, Sha256};

/// Of no lines, to begin with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Print {
    lines: u64,
    sum: [u64; 4],
}

impl Print {
    /// Reads all lines. `lines` counts those of all tables: a heartbeat is a number that grows.
    pub fn of(mut rows: impl BufRead, lines: &mut u64, cx: &dyn Context) -> Result<Self> {
        let (mut print, mut line) = (Self::default(), Vec::new());
        while rows.read_until(b'\n', &mut line)? > 0 {
            print.add(&line);
            line.clear();
            *lines += 1;
            if lines.is_multiple_of(1024) {
                cx.check()?;
                cx.progress(*lines, 0);
            }
        }
        Ok(print)
    }

    fn add(&mut self, line: &[u8]) {
        let hash = Sha256::digest(line);
        self.lines += 1;
        for (sum, part) in self.sum.iter_mut().zip(hash.chunks_exact(8)) {
            let part = part.iter().fold(0, |part, byte| part << 8 | u64::from(*byte));
            *sum = sum.wrapping_add(part);
        }
    }
}

impl fmt::Display for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.lines)?;
        self.sum.iter().try_for_each(|part| write!(f, "{part:016x}"))
    }
}
