//! A table of contents that is not taken apart: for whoever keeps nearly all of it as it is.
//!
//! Entries stay the bytes they are in; of each only what it is of is looked at. In a database of ten thousand tables that
//! spares a quarter of a million small pieces of memory.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Write;

use crate::entry::{Entry, Offset, Section, is_of_large_objects, offset_from};
use crate::error::{ArchiveError, Result};
use crate::header::{Header, Version};
use crate::wire::{INT_LEN, WireReader, int_from, put_int};

/// A header and the entries, which lie elsewhere.
#[derive(Debug)]
pub struct Skimmed<'a> {
    /// The header, to be written as it is now.
    pub header: Header,
    /// The entries in their order.
    pub entries: Vec<Skim<'a>>,
}

/// One entry.
#[derive(Debug)]
pub struct Skim<'a> {
    bytes: Cow<'a, [u8]>,
    dump_id: i32,
    /// Encoded.
    dependencies: &'a [u8],
    tag: &'a [u8],
    desc: &'a [u8],
    section: Section,
    has_block: bool,
    version: Version,
}

impl<'a> Skimmed<'a> {
    /// Header and entries of `bytes`, which end with the last entry.
    pub fn of(bytes: &'a [u8]) -> Result<Self> {
        let mut rest = bytes;
        let mut wire = WireReader::new(&mut rest);
        let header = Header::read(&mut wire)?;
        let count = wire.int("the count of entries")?;
        let at = wire.position();
        let mut cursor = Cursor {
            bytes,
            at: at as usize,
        };
        // The count may be a lie; an entry takes more bytes than this.
        let mut entries = Vec::with_capacity((count.max(0) as usize).min(rest.len() / 64));
        for _ in 0..count {
            entries.push(cursor.entry(header.version)?);
        }
        if cursor.at == bytes.len() {
            Ok(Self { header, entries })
        } else {
            Err(cursor.damaged("something follows the table of contents"))
        }
    }

    /// Writes all of it; returns how many bytes that were.
    pub fn write(&self, out: &mut impl Write) -> Result<u64> {
        let mut start = Vec::new();
        self.header.write(&mut start)?;
        let count = i32::try_from(self.entries.len());
        put_int(
            &mut start,
            count.map_err(|_| ArchiveError::TooLong("the list of entries"))?,
        )?;
        out.write_all(&start)?;
        let mut written = start.len() as u64;
        for entry in &self.entries {
            out.write_all(&entry.bytes)?;
            written += entry.bytes.len() as u64;
        }
        Ok(written)
    }
}

impl Skimmed<'_> {
    /// Drops entries, and every mention of them.
    pub fn drop_entries(&mut self, is_dropped: impl Fn(&Skim<'_>) -> bool) -> Result<()> {
        let mut dropped = HashSet::new();
        self.entries.retain(|entry| {
            let stays = !is_dropped(entry);
            if !stays {
                dropped.insert(entry.dump_id);
            }
            stays
        });
        if dropped.is_empty() {
            return Ok(());
        }
        for skim in &mut self.entries {
            if skim.mentions(&dropped)? {
                let mut entry = skim.entry()?;
                entry.dependencies.retain(|id| !dropped.contains(id));
                skim.replace(&entry)?;
            }
        }
        Ok(())
    }
}

impl Skim<'_> {
    /// Its kind, `TABLE DATA` for example.
    pub fn desc(&self) -> &[u8] {
        self.desc
    }

    /// When a restore takes it.
    pub fn section(&self) -> Section {
        self.section
    }

    /// Whether a data block belongs to it.
    pub fn has_block(&self) -> bool {
        self.has_block
    }

    /// Whether it is large objects, or what is said about one of them.
    pub fn is_of_large_objects(&self) -> bool {
        is_of_large_objects(self.desc, self.tag)
    }

    /// Whether it depends on one of these entries.
    fn mentions(&self, dump_ids: &HashSet<i32>) -> Result<bool> {
        let mut cursor = Cursor {
            bytes: self.dependencies,
            at: 0,
        };
        while let Some(text) = cursor.string("a dependency")? {
            let id = std::str::from_utf8(text)
                .ok()
                .and_then(|id| id.parse().ok());
            let id = id.ok_or_else(|| cursor.damaged("a dependency is malformed"))?;
            if dump_ids.contains(&id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All of it.
    pub fn entry(&self) -> Result<Entry> {
        let mut bytes = &*self.bytes;
        Entry::read(&mut WireReader::new(&mut bytes), self.version)
    }

    /// Puts another in its place: the same entry with other words or fewer dependencies.
    pub fn replace(&mut self, entry: &Entry) -> Result<()> {
        let mut bytes = Vec::new();
        entry.write(&mut bytes, self.version)?;
        self.bytes = Cow::Owned(bytes);
        Ok(())
    }
}

/// Passes over encoded pieces.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// As [`Entry::write`] lays it out.
    fn entry(&mut self, version: Version) -> Result<Skim<'a>> {
        const UP_TO_TAG: [&str; 2] = ["a catalog's oid", "an oid"];
        const AFTER_SECTION: [&str; 6] = [
            "a definition",
            "a drop statement",
            "a copy statement",
            "a schema's name",
            "a tablespace's name",
            "an access method",
        ];
        let start = self.at;
        let dump_id = self.int("an entry's dump id")?;
        self.int("an entry")?;
        for what in UP_TO_TAG {
            self.string(what)?;
        }
        let tag = self.string("an entry's name")?.unwrap_or_default();
        let desc = self.string("an entry's kind")?.unwrap_or_default();
        let section = Section::from_number(self.int("an entry's section")?);
        let section = section.ok_or_else(|| self.damaged("a section is not known"))?;
        for what in AFTER_SECTION {
            self.string(what)?;
        }
        if version.has_relkind() {
            self.int("a relation's kind")?;
        }
        self.string("an owner")?;
        self.string("an entry")?;
        let first_dependency = self.at;
        while self.string("a dependency")?.is_some() {}
        let dependencies = &self.bytes[first_dependency..self.at];
        let offset = self.take("an offset")?;
        let offset =
            offset_from(offset).ok_or_else(|| self.damaged("an offset's state is not known"))?;
        Ok(Skim {
            bytes: Cow::Borrowed(&self.bytes[start..self.at]),
            dump_id,
            dependencies,
            tag,
            desc,
            section,
            has_block: offset != Offset::NoData,
            version,
        })
    }

    fn take<const N: usize>(&mut self, reading: &'static str) -> Result<[u8; N]> {
        let taken = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk);
        let taken = *taken.ok_or(ArchiveError::Truncated {
            at: self.bytes.len() as u64,
            reading,
        })?;
        self.at += N;
        Ok(taken)
    }

    fn int(&mut self, reading: &'static str) -> Result<i32> {
        let bytes = self.take::<INT_LEN>(reading)?;
        int_from(bytes).ok_or_else(|| self.damaged("an integer is malformed"))
    }

    fn string(&mut self, reading: &'static str) -> Result<Option<&'a [u8]>> {
        let Ok(length) = usize::try_from(self.int(reading)?) else {
            return Ok(None);
        };
        let end = self.at.checked_add(length);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or(ArchiveError::Truncated {
            at: self.bytes.len() as u64,
            reading,
        })?;
        self.at += length;
        Ok(Some(taken))
    }

    fn damaged(&self, problem: &'static str) -> ArchiveError {
        ArchiveError::Damaged {
            at: self.at as u64,
            problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Compression;
    use crate::testing::entry;
    use crate::toc::Toc;

    fn toc(version: Version) -> Toc {
        let mut set = entry(3, "SEQUENCE SET", "q", &[2]);
        set.section = Section::Data;
        set.defn = Some("SELECT 1;\n".into());
        set.relkind = version.has_relkind().then_some(83);
        let mut table = entry(1, "TABLE", "t", &[]);
        table.relkind = version.has_relkind().then_some(114);
        let mut rows = entry(4, "TABLE DATA", "t", &[1]);
        rows.offset = crate::Offset::At(77);
        rows.relkind = version.has_relkind().then_some(0);
        let header = Header {
            version,
            int_size: 4,
            offset_size: 8,
            format: 1,
            compression: Compression::Gzip(-1),
            created: [1, 2, 3, 4, 5, 6, 7],
            database: Some("d".into()),
            server_version: Some("15.1".into()),
            dump_version: None,
        };
        let entries = vec![table, set, rows];
        Toc { header, entries }
    }

    fn bytes(toc: &Toc) -> Vec<u8> {
        let mut bytes = Vec::new();
        toc.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_kept_is_written_byte_for_byte_and_what_is_replaced_as_a_whole_reader_reads_it() {
        for version in [Version::V1_14, Version::V1_15, Version::V1_16] {
            let toc = toc(version);
            let before = bytes(&toc);
            let mut skimmed = Skimmed::of(&before).unwrap();
            let mut after = Vec::new();
            let written = skimmed.write(&mut after).unwrap();
            assert_eq!(after, before);
            assert_eq!(written, before.len() as u64);
            let told: Vec<_> = skimmed
                .entries
                .iter()
                .map(|entry| (entry.desc(), entry.section(), entry.has_block()))
                .collect();
            assert_eq!(
                told,
                [
                    (&b"TABLE"[..], Section::PreData, false),
                    (b"SEQUENCE SET", Section::Data, false),
                    (b"TABLE DATA", Section::Data, true),
                ]
            );
            let mut set = skimmed.entries[1].entry().unwrap();
            assert_eq!(set, toc.entries[1]);
            set.defn = Some("SELECT 22;\n".into());
            skimmed.entries[1].replace(&set).unwrap();
            after.clear();
            skimmed.write(&mut after).unwrap();
            let (read, _) = Toc::read(&mut &after[..]).unwrap();
            assert_eq!(read.entries[1], set);
            assert_eq!(read.entries[2], toc.entries[2]);
        }
    }

    #[test]
    fn what_is_dropped_is_mentioned_no_more_and_the_rest_stays_byte_for_byte() {
        for version in [Version::V1_14, Version::V1_15, Version::V1_16] {
            let mut toc = toc(version);
            let mut index = entry(5, "INDEX", "i", &[1, 4, 3]);
            index.relkind = version.has_relkind().then_some(0);
            toc.entries.push(index);
            let before = bytes(&toc);
            let mut skimmed = Skimmed::of(&before).unwrap();
            skimmed
                .drop_entries(|entry| entry.desc() == b"TABLE DATA")
                .unwrap();
            let mut after = Vec::new();
            skimmed.write(&mut after).unwrap();
            toc.entries.remove(2);
            toc.entries[2].dependencies = vec![1, 3];
            assert_eq!(after, bytes(&toc));
        }
    }

    #[test]
    fn what_is_cut_short_or_goes_on_is_an_error() {
        let whole = bytes(&toc(Version::V1_15));
        for end in 0..whole.len() {
            assert!(Skimmed::of(&whole[..end]).is_err(), "{end} bytes");
        }
        assert!(Skimmed::of(&[&whole[..], b"x"].concat()).is_err());
    }

    #[test]
    fn any_damaged_byte_is_an_error_or_harmless_and_never_a_panic() {
        let whole = bytes(&toc(Version::V1_16));
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[place] ^= 1 << bit;
                if let Ok(skimmed) = Skimmed::of(&damaged) {
                    let _ = skimmed.entries.iter().map(Skim::entry).count();
                    let mut skimmed = skimmed;
                    let _ = skimmed.drop_entries(|entry| entry.desc() == b"TABLE DATA");
                    let mut out = Vec::new();
                    let _ = skimmed.write(&mut out);
                }
            }
        }
    }
}
