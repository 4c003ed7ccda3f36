//! The relations of the database under a snapshot, listed by the server or remembered.
//!
//! Listing thousands takes the server longer than saying that no row of its catalogs is another one.
//! So in a database of many tables the last listing is kept in the working folder, with the hash of
//! everything that it depends on. The file is a cache: lost, damaged or of something else, the
//! server lists again.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use respaldo_domain::object::Sha256;
use respaldo_domain::source::Lineage;
use respaldo_domain::table::TableFacts;
use respaldo_postgres::Snapshot;
use respaldo_postgres::definitions::Print;

use super::chain;
use crate::intent::{WorkDir, replace};
use crate::parts::Parts;
use crate::ports::Fault;
use crate::store::{HashingWriter, sha256};

const FILE: &str = "relations.json";

/// Every relation under the snapshot. Of many tables, [`Snapshot::print`] is read as well.
pub(super) fn relations(
    parts: &Parts,
    lineage: &Lineage,
    snapshot: &mut Snapshot,
) -> Result<Vec<Arc<TableFacts>>, Fault> {
    let file = WorkDir::open(&parts.settings.work_dir)?.file(FILE);
    if file.exists() {
        read_print(snapshot);
        let key = snapshot.print().map(|print| key(parts, lineage, print));
        if let Some(tables) = key.and_then(|key| remembered(&file, key)) {
            return Ok(tables);
        }
    }
    let tables = snapshot.tables()?;
    if tables.len() >= parts.settings.take_over_from {
        if snapshot.print().is_none() {
            read_print(snapshot);
        }
        if let Some(print) = snapshot.print() {
            remember(&file, key(parts, lineage, print), &tables);
        }
    }
    Ok(tables)
}

/// Without it everything is read that it would have spared.
fn read_print(snapshot: &mut Snapshot) {
    if let Err(error) = snapshot.read_print() {
        let error = chain(&error);
        tracing::debug!(%error, "whether the catalogs are what they were cannot be told");
    }
}

/// Hash of what a listing depends on, this version of ours included.
fn key(parts: &Parts, lineage: &Lineage, print: &Print) -> Sha256 {
    let Print {
        catalogs,
        surroundings,
    } = print;
    let version = &parts.settings.version;
    let text = format!("{version}\n{lineage:?}\n{catalogs}\n{surroundings}");
    sha256(text.as_bytes())
}

/// The listing in the file, where it is of this key and whole: the key, a line for each relation, and the hash of all
/// these lines. Line by line, for ten thousand relations are megabytes.
fn remembered(file: &Path, key: Sha256) -> Option<Vec<Arc<TableFacts>>> {
    let mut lines = BufReader::new(File::open(file).ok()?);
    let mut line = Vec::new();
    let mut next = |line: &mut Vec<u8>| {
        line.clear();
        lines.read_until(b'\n', line).ok()?;
        line.pop().filter(|end| *end == b'\n').map(drop)
    };
    next(&mut line)?;
    if line != key.to_string().as_bytes() {
        return None;
    }
    let mut tables = Vec::new();
    let mut hash = HashingWriter::default();
    loop {
        next(&mut line)?;
        if !line.starts_with(b"{") {
            break;
        }
        hash.write_all(&line).ok()?;
        tables.push(Arc::new(serde_json::from_slice(&line).ok()?));
    }
    let is_end = lines.fill_buf().ok()?.is_empty();
    let is_whole = is_end && hash.finish().0.to_string().as_bytes() == line;
    is_whole.then_some(tables)
}

fn remember(file: &Path, key: Sha256, tables: &[Arc<TableFacts>]) {
    if let Err(error) = write(file, key, tables) {
        tracing::debug!(%error, "the list of relations was not kept; it will be made again");
    }
}

/// Not forced to the disk: what a crash leaves of it is seen to be damaged.
fn write(file: &Path, key: Sha256, tables: &[Arc<TableFacts>]) -> io::Result<()> {
    replace(file, |file| {
        let mut out = BufWriter::new(file);
        writeln!(out, "{key}")?;
        let mut hash = HashingWriter::default();
        for facts in tables {
            let line = serde_json::to_vec(&**facts)?;
            hash.write_all(&line)?;
            out.write_all(&line)?;
            out.write_all(b"\n")?;
        }
        writeln!(out, "{}", hash.finish().0)?;
        out.flush()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_listing_of_another_key_or_with_any_damage_is_none() {
        let folder = std::env::temp_dir().join(format!("respaldo-listing-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, key) = (folder.join(FILE), Sha256([7; 32]));
        assert_eq!(remembered(&file, key), None);
        remember(&file, key, &[]);
        assert_eq!(remembered(&file, key), Some(Vec::new()));
        assert_eq!(remembered(&file, Sha256([8; 32])), None);
        let good = fs::read(&file).unwrap();
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 1;
            fs::write(&file, bad).unwrap();
            assert_eq!(remembered(&file, key), None, "byte {place}");
            fs::write(&file, &good[..place]).unwrap();
            assert_eq!(remembered(&file, key), None, "{place} bytes");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
