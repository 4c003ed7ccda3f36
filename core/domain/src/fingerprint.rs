//! Row fingerprints: the content of a table as a count and an order-independent sum.
//!
//! Each row's COPY text, without its newline, is hashed with SipHash-1-3 of 128 bits under a
//! constant key, and the hashes are added modulo 2^128. Order does not matter, duplicates do. The
//! key and the algorithm are one constant, named in each manifest, the same for every dumper: two
//! fingerprints may be compared only when both name it.

use std::fmt;
use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

/// Name of algorithm, key and text settings in use. A change of any of them is a new name.
pub const ALGORITHM: &str = "copytext-sip13-128-sum/1";

const KEY: (u64, u64) = (0x7265_7370_616c_646f, 0x6669_6e67_6572_0001);

/// Rows of a table and the sum of their hashes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "FingerprintText", into = "FingerprintText")]
pub struct RowFingerprint {
    /// Number of rows.
    pub rows: u64,
    /// Sum of the rows' hashes modulo 2^128.
    pub sum: u128,
}

/// How a fingerprint is written: a 128-bit sum does not fit a JSON number.
#[derive(Serialize, Deserialize)]
struct FingerprintText {
    rows: u64,
    sum: String,
}

impl From<RowFingerprint> for FingerprintText {
    fn from(print: RowFingerprint) -> Self {
        Self {
            rows: print.rows,
            sum: format!("{:032x}", print.sum),
        }
    }
}

impl TryFrom<FingerprintText> for RowFingerprint {
    type Error = std::num::ParseIntError;

    fn try_from(text: FingerprintText) -> Result<Self, Self::Error> {
        Ok(Self {
            rows: text.rows,
            sum: u128::from_str_radix(&text.sum, 16)?,
        })
    }
}

impl RowFingerprint {
    /// Adds one row: its COPY text without the newline.
    #[inline]
    pub fn add(&mut self, row: &[u8]) {
        let mut hasher = new_hasher();
        hasher.write(row);
        self.add_hash(&hasher);
    }

    fn add_hash(&mut self, hasher: &SipHasher13) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(hasher.finish128().as_u128());
    }

    /// Adds the rows of another part of the same table.
    pub fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

fn new_hasher() -> SipHasher13 {
    SipHasher13::new_with_keys(KEY.0, KEY.1)
}

/// A fingerprint in the making, of rows that come in parts: a row may be larger than memory should be.
#[derive(Debug, Default)]
pub struct Fingerprinting {
    print: RowFingerprint,
    /// The row at hand, where it did not begin with its last part.
    row: Option<SipHasher13>,
}

impl Fingerprinting {
    /// A part of a row of which more follows.
    pub fn more(&mut self, part: &[u8]) {
        self.row.get_or_insert_with(new_hasher).write(part);
    }

    /// The last part of a row, or a whole one.
    #[inline]
    pub fn last(&mut self, part: &[u8]) {
        match self.row.take() {
            None => self.print.add(part),
            Some(mut row) => {
                row.write(part);
                self.print.add_hash(&row);
            }
        }
    }

    /// The fingerprint of the rows that ended.
    pub fn finish(self) -> RowFingerprint {
        self.print
    }
}

impl fmt::Display for RowFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:032x}", self.rows, self.sum)
    }
}

impl fmt::Debug for RowFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowFingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&str]) -> RowFingerprint {
        let mut print = RowFingerprint::default();
        for row in rows {
            print.add(row.as_bytes());
        }
        print
    }

    #[test]
    fn order_does_not_matter_and_duplicates_do() {
        assert_eq!(of(&["a", "b"]), of(&["b", "a"]));
        assert_ne!(of(&["a", "a"]), of(&["a"]));
        assert_ne!(of(&["a", "a", "b"]), of(&["a", "b", "b"]));
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let mut whole = of(&["a", "b"]);
        whole.merge(of(&["c"]));
        assert_eq!(whole, of(&["a", "b", "c"]));
    }

    #[test]
    fn a_row_is_the_same_in_whatever_parts_it_comes() {
        let row = "a row of some length\tand another value".as_bytes();
        let mut whole = RowFingerprint::default();
        whole.add(row);
        whole.add(b"b");
        for size in 1..row.len() + 2 {
            let mut parts = Fingerprinting::default();
            row.chunks(size).for_each(|part| parts.more(part));
            parts.last(b"");
            parts.last(b"b");
            assert_eq!(parts.finish(), whole, "{size}");
        }
    }

    /// The constant is part of the manifest's format: this value may never change.
    #[test]
    fn the_algorithm_stays_what_its_name_says() {
        assert_eq!(of(&["1\tuno"]).to_string(), GOLDEN);
    }

    const GOLDEN: &str = "1:082f5c5f2aeae7e1ec114539750d2bb6";
}
