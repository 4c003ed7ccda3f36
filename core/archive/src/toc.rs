//! Header and entries of an archive.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};

use crate::entry::{Entry, Offset, Section};
use crate::error::{ArchiveError, Result};
use crate::header::{Compression, Header, Version};
use crate::wire::{WireReader, put_int};

/// More entries than this are damage.
const MAX_ENTRIES: i32 = 50_000_000;

/// The table of contents: read and written byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toc {
    /// The header.
    pub header: Header,
    /// The entries, in the order of a restore.
    pub entries: Vec<Entry>,
}

impl Toc {
    /// Reads header and entries, and says how many bytes they took: the first block follows. Reads in small steps.
    pub fn read(source: &mut impl Read) -> Result<(Self, u64)> {
        let mut wire = WireReader::new(source);
        let header = Header::read(&mut wire)?;
        let entries = read_entries(&mut wire, header.version)?;
        Ok((Self { header, entries }, wire.position()))
    }

    /// Reads the entries once more, to the end of the input, and checks that they are the same but for offsets.
    pub(crate) fn read_repeated(&self, source: &mut impl Read) -> Result<()> {
        let mut wire = WireReader::new(source);
        let mut repeated = read_entries(&mut wire, self.header.version)?;
        for (theirs, ours) in repeated.iter_mut().zip(&self.entries) {
            theirs.offset = ours.offset;
        }
        let is_same = repeated == self.entries && io::copy(wire.source(), &mut io::sink())? == 0;
        if is_same {
            Ok(())
        } else {
            Err(wire.damaged("what follows the last block is not known"))
        }
    }

    /// Writes header and entries with the offsets they have.
    pub fn write(&self, out: &mut impl Write) -> Result<()> {
        self.header.write(out)?;
        put_int(
            out,
            i32::try_from(self.entries.len())
                .map_err(|_| ArchiveError::TooLong("the list of entries"))?,
        )?;
        self.entries
            .iter()
            .try_for_each(|entry| entry.write(out, self.header.version))
    }

    /// Bytes that [`Toc::write`] writes; offsets do not change it.
    pub fn encoded_len(&self) -> Result<u64> {
        let mut count = Count(0);
        self.write(&mut count)?;
        Ok(count.0)
    }

    /// The entry of this dump id.
    pub fn entry(&self, dump_id: i32) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.dump_id == dump_id)
    }

    /// The entries which hold rows of tables.
    pub fn table_data(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_table_data())
    }

    /// Dump ids of the entries which have a data block.
    pub(crate) fn block_ids(&self) -> HashSet<i32> {
        self.entries
            .iter()
            .filter(|entry| entry.has_block())
            .map(|entry| entry.dump_id)
            .collect()
    }

    /// Keeps only the entries that `keep` names. Dependencies on dropped ones stay: pg_restore passes over them.
    pub fn retain(&mut self, keep: impl FnMut(&Entry) -> bool) {
        self.entries.retain(keep);
    }

    /// A copy with only the entries that `keep` names.
    #[must_use]
    pub fn slice(&self, mut keep: impl FnMut(&Entry) -> bool) -> Self {
        let entries = self
            .entries
            .iter()
            .filter(|entry| keep(entry))
            .cloned()
            .collect();
        Self {
            header: self.header.clone(),
            entries,
        }
    }

    /// A copy without data of any kind: a whole archive once written, which pg_restore takes for the schema. Comments and
    /// grants on large objects go with them.
    #[must_use]
    pub fn schema_only(&self) -> Self {
        let dropped: HashSet<i32> = self
            .entries
            .iter()
            .filter(|entry| entry.is_data())
            .map(|entry| entry.dump_id)
            .collect();
        let follows_dropped = |entry: &Entry| {
            entry.section == Section::None
                && entry.dependencies.iter().any(|id| dropped.contains(id))
        };
        self.slice(|entry| !entry.is_data() && !follows_dropped(entry))
    }

    /// A copy whose header says another compression, for an archive that is written anew.
    #[must_use]
    pub fn with_compression(mut self, compression: Compression) -> Self {
        self.header.compression = compression;
        self
    }

    /// Re-encodes for a newer header version; an older one would lose fields and is refused.
    pub fn upgrade(&mut self, to: Version) -> Result<()> {
        let from = self.header.version;
        if to.check_supported()? < from {
            return Err(ArchiveError::Downgrade { from, to });
        }
        self.header.version = to;
        self.fill_relkinds();
        Ok(())
    }

    /// Entries from an older archive have no relkind; 0 is what pg_dump writes where there is none to say.
    pub(crate) fn fill_relkinds(&mut self) {
        if self.header.version.has_relkind() {
            for entry in &mut self.entries {
                entry.relkind.get_or_insert(0);
            }
        }
    }

    /// Adds what pg_dump leaves to luck: what must wait for which rows, what must not be done side by side, and in which order
    /// definitions give what the source had. All are described where they are done.
    pub fn make_exact(&mut self) {
        self.wait_for_partitions();
        self.attach_one_by_one();
        self.wait_for_grants();
        self.put_in_order();
    }

    /// An id free in this archive, above dangling dependencies too: a new entry must not be taken for a dropped one.
    ///
    /// # Errors
    /// All are used up.
    pub fn next_dump_id(&self) -> Result<i32> {
        let ids = self
            .entries
            .iter()
            .flat_map(|e| e.dependencies.iter().copied().chain([e.dump_id]));
        ids.max()
            .unwrap_or(0)
            .max(0)
            .checked_add(1)
            .ok_or(ArchiveError::NoFreeId)
    }

    /// Says where blocks are.
    pub(crate) fn set_offsets(&mut self, offsets: &HashMap<i32, u64>) {
        for entry in self.entries.iter_mut().filter(|entry| entry.has_block()) {
            entry.offset = offsets
                .get(&entry.dump_id)
                .map_or(Offset::NotSet, |&at| Offset::At(at));
        }
    }

    /// Forgets where blocks were.
    pub(crate) fn clear_offsets(&mut self) {
        for entry in self.entries.iter_mut().filter(|entry| entry.has_block()) {
            entry.offset = Offset::NotSet;
        }
    }
}

fn read_entries<R: Read>(wire: &mut WireReader<R>, version: Version) -> Result<Vec<Entry>> {
    let count = wire.int("the count of entries")?;
    if !(0..=MAX_ENTRIES).contains(&count) {
        return Err(wire.damaged("the count of entries is out of range"));
    }
    let mut entries = Vec::new();
    let mut seen = HashSet::new();
    for _ in 0..count {
        let entry = Entry::read(wire, version)?;
        if !seen.insert(entry.dump_id) {
            return Err(wire.damaged("two entries have the same dump id"));
        }
        // What grows by doubling takes twice its memory in the end, and the count may be a lie.
        if entries.len() == entries.capacity() {
            entries.reserve_exact(entries.len() / 8 + 64);
        }
        entries.push(entry);
    }
    entries.shrink_to_fit();
    Ok(entries)
}

/// Counts what is written.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
