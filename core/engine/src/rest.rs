//! What of an archive is no block of a table's rows: its header, all definitions, large objects.
//!
//! Each block of rows has a hash of its own and is checked as it is loaded. The rest has one hash
//! together, checked before a restore makes anything: a word changed in a definition would
//! otherwise be restored by the tools without complaint.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use respaldo_domain::manifest::{ArchiveFacts, ArchiveRest};
use respaldo_domain::object::Sha256;

use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::store::{HashingWriter, fault_of_io};

/// Bytes read at a time.
const AT_ONCE_BYTES: u64 = 256 * 1024;

/// Hashes what of an archive lies outside of `blocks`, given as offset and length.
pub(crate) fn of_file(
    path: &Path,
    blocks: impl Iterator<Item = (u64, u64)>,
    cx: &Context,
) -> Result<ArchiveRest, Fault> {
    let reading = |e| Fault::io(format!("reading {}", path.display()), e);
    let mut file = File::open(path).map_err(reading)?;
    let size_bytes = file.metadata().map_err(reading)?.len();
    let ranges = outside(size_bytes, blocks);
    let mut hash = HashingWriter::default();
    for (offset, length) in &ranges {
        cx.check()?;
        file.seek(SeekFrom::Start(*offset)).map_err(reading)?;
        let at_once = AT_ONCE_BYTES.min(*length) as usize;
        let mut range = BufReader::with_capacity(at_once, (&file).take(*length));
        io::copy(&mut range, &mut hash).map_err(reading)?;
    }
    let sha256 = hash.finish().0;
    Ok(ArchiveRest { ranges, sha256 })
}

/// The rest of an archive that is nothing else.
pub(crate) fn all(size_bytes: u64, sha256: Sha256) -> ArchiveRest {
    ArchiveRest {
        ranges: vec![(0, size_bytes)],
        sha256,
    }
}

/// Hash of so many bytes at the beginning, where the rest is just these.
pub(crate) fn of_beginning(rest: &ArchiveRest, size_bytes: u64) -> Option<Sha256> {
    (rest.ranges == [(0, size_bytes)]).then_some(rest.sha256)
}

/// The ranges, as offset and length, that none of the blocks covers.
fn outside(size_bytes: u64, blocks: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut blocks: Vec<_> = blocks.collect();
    blocks.sort_unstable();
    let mut ranges = Vec::new();
    let mut at = 0;
    for (offset, length) in blocks.into_iter().chain([(size_bytes, 0)]) {
        if offset > at {
            ranges.push((at, offset - at));
        }
        at = at.max(offset + length);
    }
    ranges
}

/// Fails with [`FaultKind::Corrupt`] where the stored rest is not what was sealed. Where an archive
/// has no hash of its rest, because others made it, the whole of it is hashed.
pub(crate) fn check(
    objects: &dyn ObjectReader,
    facts: &ArchiveFacts,
    cx: &Context,
) -> Result<(), Fault> {
    let key = facts.name.key();
    let whole = (vec![(0, facts.archive_bytes())], facts.archive_sha256());
    let (ranges, sha256) = match &facts.rest {
        Some(rest) => (rest.ranges.clone(), rest.sha256),
        None => whole,
    };
    let mut hash = HashingWriter::default();
    for (offset, length) in ranges {
        let mut stream = objects.open(&key, Some(offset..offset.saturating_add(length)), cx)?;
        io::copy(&mut stream, &mut hash).map_err(|e| fault_of_io(format!("reading {key}"), e))?;
    }
    match hash.finish().0 == sha256 {
        true => Ok(()),
        false => {
            let what = format!("the definitions or large objects in {key} are damaged");
            Err(Fault::bare(FaultKind::Corrupt, what))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_block_covers_is_found_in_any_order() {
        let blocks = [(50, 10), (20, 30), (70, 5)];
        assert_eq!(
            outside(100, blocks.into_iter()),
            [(0, 20), (60, 10), (75, 25)]
        );
        assert_eq!(outside(10, std::iter::empty()), [(0, 10)]);
        assert_eq!(outside(10, [(0, 10)].into_iter()), []);
    }
}
