//! Definitions that need not be read again: those of an older backup, where everything they depend
//! on is what it was.
//!
//! A key is the hash of all that: the catalogs and settings under the snapshot, the version of the
//! tools and what they are told. It stands in the manifest beside size and hash of the table of
//! contents that it belongs to. Where a later backup of the same lineage finds the same key, it
//! takes those bytes, which are hashed before they are believed, and the dumper puts sequence values
//! and rows of today into them. Whatever is in the way only costs a run of pg_dump. A full takes
//! over nothing, so that no chain rests on the bytes of another.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::manifest::{Contents, Manifest};
use respaldo_domain::object::Sha256;
use respaldo_domain::source::SourceFacts;
use respaldo_domain::table::{TableName, quote_identifier};
use respaldo_postgres::definitions::{self, Print};

use super::chain;
use crate::intent::beside;
use crate::parts::Parts;
use crate::ports::{
    Context, Definitions, DumpReceipt, DumpRequest, Fault, FaultKind, SourceTarget,
};
use crate::store::{HashingWriter, fault_of_io, sha256};

/// Largest table of contents that is taken over, in bytes: 10,000 tables take about 10 MB.
const MAX_CONTENTS_BYTES: u64 = 256 * 1024 * 1024;

/// The table of contents of a stored archive.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    archive: ArchiveName,
    contents: Contents,
}

impl Stored {
    /// That of a backup of this very history: transaction ids tell versions of catalog rows apart
    /// only there, and what happened while that backup was written must not have been lost since.
    pub(super) fn of(manifest: &Manifest, source: &SourceFacts) -> Option<Self> {
        let is_of_history = manifest.source.lineage == source.lineage;
        let contents = manifest.contents.clone().filter(|_| is_of_history)?;
        Some(Self {
            archive: manifest.archive.clone(),
            contents,
        })
    }

    /// The backup for which pg_dump wrote these definitions.
    fn written_by(&self) -> ArchiveName {
        let first = self.contents.taken_from.as_ref();
        first.unwrap_or(&self.archive).clone()
    }
}

/// What is known of the definitions under a snapshot.
#[derive(Debug, Default)]
pub(super) struct Known {
    key: Option<Key>,
    found: Option<Found>,
}

#[derive(Debug)]
struct Key {
    hash: Sha256,
    surroundings: String,
}

/// Definitions of the key, in a file.
#[derive(Debug)]
struct Found {
    file: PathBuf,
    /// The backup they were written by.
    written_by: ArchiveName,
}

/// What pg_dump is told to pass over.
#[derive(Debug)]
pub(super) struct PassedOver {
    pub(super) schemas: Vec<String>,
    pub(super) relations: Vec<TableName>,
}

/// What the manifest says of definitions beside their bytes.
#[derive(Debug)]
pub(super) struct Provenance {
    key: Sha256,
    taken_from: Option<ArchiveName>,
}

impl Known {
    /// Takes the key of what was read under a snapshot, and brings definitions into a file beside the spool where a
    /// stored archive has those of this key.
    pub(super) fn find(
        parts: &Parts,
        stored: &[Stored],
        print: &Print,
        passed_over: &PassedOver,
        spool: &Path,
        cx: &Context,
    ) -> Result<Self, Fault> {
        let key = Key {
            hash: sha256(&whole(parts, passed_over, print)?),
            surroundings: print.surroundings.clone(),
        };
        let equal = stored
            .iter()
            .filter(|stored| stored.contents.key == key.hash);
        let file = beside(spool);
        let mut found = equal.filter(|stored| has_fetched(parts, stored, &file, cx));
        let found = found.next().map(Stored::written_by);
        Ok(Self {
            key: Some(key),
            found: found.map(|written_by| Found { file, written_by }),
        })
    }

    /// Puts what was found into the order.
    pub(super) fn give_to(&mut self, order: &mut DumpRequest) {
        // A dumper that is to write large objects has to run pg_dump anyway.
        self.found.take_if(|_| order.large_objects);
        order.contents = self.found.as_ref().map(|found| found.file.clone());
    }

    /// What the manifest says of the definitions in the archive that was written; `None` where no later backup may
    /// take them over.
    pub(super) fn provenance(
        self,
        target: &SourceTarget,
        receipt: &DumpReceipt,
    ) -> Option<Provenance> {
        let key = self.key?;
        let taken_from = match receipt.definitions {
            Definitions::TakenOver => self.found.map(|found| found.written_by),
            Definitions::Written if has_moved(target, &key) => return None,
            Definitions::Written => None,
        };
        Some(Provenance {
            key: key.hash,
            taken_from,
        })
    }
}

impl Provenance {
    /// With the table of contents at the beginning of the spool, whose hash is read where it is not `known`.
    pub(super) fn of_spool(
        self,
        spool: &Path,
        size_bytes: u64,
        known: Option<Sha256>,
    ) -> Result<Contents, Fault> {
        Ok(Contents {
            key: self.key,
            size_bytes,
            sha256: known.map_or_else(|| hash_of(spool, size_bytes), Ok)?,
            taken_from: self.taken_from,
        })
    }
}

/// Everything that the key is the hash of, each part with its length before it.
fn whole(parts: &Parts, passed_over: &PassedOver, print: &Print) -> Result<Vec<u8>, Fault> {
    let PassedOver { schemas, relations } = passed_over;
    let schemas: Vec<_> = schemas
        .iter()
        .map(|schema| quote_identifier(schema))
        .collect();
    let left_out: Vec<_> = relations.iter().map(TableName::quoted).collect();
    let all = [
        "definitions 1",
        &parts.settings.version,
        parts.dumper.name(),
        &parts.tools.get()?.pg_dump.version().text,
        &schemas.join("\n"),
        &left_out.join("\n"),
        &print.surroundings,
        &print.catalogs,
    ];
    let lines = all.iter().map(|part| format!("{}\n{part}\n", part.len()));
    Ok(lines.collect::<String>().into_bytes())
}

/// Whether what has no versions is no longer what it was when the key was taken, before pg_dump ran.
fn has_moved(target: &SourceTarget, key: &Key) -> bool {
    let now = definitions::surroundings_now(&target.conninfo);
    now.map_or(true, |now| now != key.surroundings)
}

/// Whether the stored bytes lie in the file now; what is lost or damaged costs a run of pg_dump, and is for validation to
/// report.
fn has_fetched(parts: &Parts, stored: &Stored, into: &Path, cx: &Context) -> bool {
    let fetched = fetch(parts, stored, into, cx).inspect_err(|fault| {
        let error = chain(fault);
        tracing::warn!(%error, "the definitions of an older backup are not taken over");
    });
    fetched.is_ok()
}

/// Brings the stored bytes, which must be those that were sealed. In a file they take no memory beside what is made of
/// them.
fn fetch(parts: &Parts, stored: &Stored, into: &Path, cx: &Context) -> Result<(), Fault> {
    let key = stored.archive.key();
    let size_bytes = stored.contents.size_bytes;
    if size_bytes > MAX_CONTENTS_BYTES {
        let what = format!("{key} begins with a table of contents of {size_bytes} bytes");
        return Err(Fault::bare(FaultKind::Invalid, what));
    }
    let mut source = parts.store.open_inside(&key, Some(0..size_bytes), cx)?;
    let writing = |error| fault_of_io(format!("fetching the definitions in {key}"), error);
    let mut file = File::create(into).map_err(writing)?;
    let mut hash = HashingWriter::default();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let got = source.read(&mut buffer).map_err(writing)?;
        if got == 0 {
            break;
        }
        hash.write_all(&buffer[..got]).map_err(writing)?;
        file.write_all(&buffer[..got]).map_err(writing)?;
    }
    if hash.finish().0 == stored.contents.sha256 {
        return Ok(());
    }
    let what = format!("the definitions in {key} are damaged");
    Err(Fault::bare(FaultKind::Corrupt, what))
}

/// Hash of the first bytes of the spool.
fn hash_of(spool: &Path, size_bytes: u64) -> Result<Sha256, Fault> {
    let reading = |error| Fault::io(format!("reading {}", spool.display()), error);
    let mut file = File::open(spool).map_err(reading)?.take(size_bytes);
    let mut hash = HashingWriter::default();
    io::copy(&mut file, &mut hash).map_err(reading)?;
    Ok(hash.finish().0)
}
