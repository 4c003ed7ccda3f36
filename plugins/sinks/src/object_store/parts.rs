//! How an object is cut, and its source read a part at a time.

use std::io;

use bytes::Bytes;
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind, PutSource};
use respaldo_engine::store::fault_of_io;

const MIB: u64 = 1024 * 1024;
/// Parts of usual objects; those of very large ones grow.
const USUAL_PART_BYTES: u64 = 16 * MIB;
/// What the parts of one put may take in memory together, as long as one of them fits.
const HELD_BYTES: u64 = 64 * MIB;
const PIECE_BYTES: usize = 256 * 1024;

/// What a store takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Largest object.
    pub(super) max_object_bytes: u64,
    /// Most parts of one object.
    pub(super) max_parts: u64,
    /// Most parts sent at the same time.
    pub(super) at_once: u64,
}

/// How one object is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Size of every part but the last.
    pub(super) part_bytes: u64,
    /// How many there are; one for an empty object.
    pub(super) parts: u64,
    /// How many may be in memory, the one being read included.
    pub(super) held: u64,
}

impl Cut {
    /// The cut of an object of this size; `None` where the store does not take so much.
    pub(super) fn of(size_bytes: u64, shape: Shape) -> Option<Self> {
        if size_bytes > shape.max_object_bytes {
            return None;
        }
        let needed = size_bytes.div_ceil(shape.max_parts).next_multiple_of(MIB);
        let part_bytes = needed.max(USUAL_PART_BYTES);
        Some(Self {
            part_bytes,
            parts: size_bytes.div_ceil(part_bytes).max(1),
            held: (HELD_BYTES / part_bytes).clamp(1, shape.at_once + 1),
        })
    }
}

/// A part of an object, held until the store has it.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// From 1 on.
    pub(super) number: u64,
    /// Where it begins in the object.
    pub(super) offset: u64,
    /// Its bytes.
    pub(super) body: Bytes,
}

/// Reads a source part by part, and holds it to the length that it promised.
pub(super) struct Parts<'a> {
    source: &'a mut dyn PutSource,
    key: &'a ObjectKey,
    cx: &'a Context,
    cut: Cut,
    size_bytes: u64,
    given: u64,
}

impl<'a> Parts<'a> {
    pub(super) fn new(
        source: &'a mut dyn PutSource,
        key: &'a ObjectKey,
        cut: Cut,
        cx: &'a Context,
    ) -> Self {
        let size_bytes = source.size_bytes();
        Self {
            source,
            key,
            cx,
            cut,
            size_bytes,
            given: 0,
        }
    }

    /// The next part. The last one is given only once the source is known to end there.
    pub(super) fn next(&mut self) -> Result<Part, Fault> {
        let offset = self.given * self.cut.part_bytes;
        let size_bytes = self.cut.part_bytes.min(self.size_bytes - offset);
        let body = self.read(size_bytes)?;
        self.given += 1;
        if self.given == self.cut.parts {
            self.ensure_end()?;
        }
        Ok(Part {
            number: self.given,
            offset,
            body,
        })
    }

    fn read(&mut self, size_bytes: u64) -> Result<Bytes, Fault> {
        let mut bytes = vec![0; size_bytes as usize];
        let mut filled = 0;
        while filled < bytes.len() {
            let end = bytes.len().min(filled + PIECE_BYTES);
            match self.read_piece(&mut bytes[filled..end])? {
                0 => return Err(self.other_length()),
                got => filled += got,
            }
        }
        Ok(bytes.into())
    }

    fn ensure_end(&mut self) -> Result<(), Fault> {
        match self.read_piece(&mut [0])? {
            0 => Ok(()),
            _ => Err(self.other_length()),
        }
    }

    fn read_piece(&mut self, piece: &mut [u8]) -> Result<usize, Fault> {
        loop {
            self.cx.check()?;
            match self.source.read(piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let subject = format!("read the source of {}", self.key);
                    return Err(fault_of_io(subject, error));
                }
                Ok(got) => return Ok(got),
            }
        }
    }

    fn other_length(&self) -> Fault {
        let subject = format!(
            "the source of {} does not have the {} bytes it promised",
            self.key, self.size_bytes
        );
        Fault::bare(FaultKind::Corrupt, subject)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIB: u64 = MIB * MIB;
    const S3: Shape = Shape {
        max_object_bytes: 5 * TIB,
        max_parts: 10_000,
        at_once: 2,
    };

    #[test]
    fn six_gigabytes_are_cut_into_legal_parts() {
        let cut = Cut::of(6_000_000_000, S3).unwrap();
        assert_eq!((cut.part_bytes, cut.parts, cut.held), (16 * MIB, 358, 3));
    }

    #[test]
    fn the_largest_object_fits_and_one_byte_more_is_refused() {
        assert!(Cut::of(5 * TIB, S3).unwrap().parts <= 10_000);
        assert_eq!(Cut::of(5 * TIB + 1, S3), None);
        assert_eq!(Cut::of(0, S3).unwrap().parts, 1);
    }

    proptest! {
        #[test]
        fn every_cut_is_legal_and_covers_the_object(size_bytes in 0..=5 * TIB) {
            let cut = Cut::of(size_bytes, S3).unwrap();
            prop_assert!((1..=10_000).contains(&cut.parts));
            prop_assert!((5 * MIB..=5 * 1024 * MIB).contains(&cut.part_bytes));
            prop_assert!(cut.parts * cut.part_bytes >= size_bytes);
            prop_assert!((cut.parts - 1) * cut.part_bytes < size_bytes.max(1));
            prop_assert!(cut.held == 1 || cut.held * cut.part_bytes <= HELD_BYTES);
        }
    }
}
