//! The relations of the database under a snapshot, listed by the server or remembered.
//!
//! Listing thousands takes the server longer than saying that no row of its catalogs is another one.
//! So in a database of many tables the last listing is kept in the working folder, with the hash of
//! everything that it depends on. The file is a cache: lost, damaged or of something else, the
//! server lists again.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use respaldo_domain::object::Sha256;
use respaldo_domain::source::Lineage;
use respaldo_domain::table::TableFacts;
use respaldo_postgres::Snapshot;
use respaldo_postgres::definitions::Print;

use super::chain;
use crate::intent::{WorkDir, write_durably};
use crate::parts::Parts;
use crate::ports::Fault;
use crate::store::sha256;

const FILE: &str = "relations.json";

/// Every relation under the snapshot. Of many tables, [`Snapshot::print`] is read as well.
pub(super) fn relations(
    parts: &Parts,
    lineage: &Lineage,
    snapshot: &mut Snapshot,
) -> Result<Vec<Arc<TableFacts>>, Fault> {
    let file = WorkDir::open(&parts.settings.work_dir)?.file(FILE);
    if let Some(remembered) = Remembered::read(&file) {
        read_print(snapshot);
        let key = snapshot.print().map(|print| key(parts, lineage, print));
        if let Some(tables) = key.and_then(|key| remembered.tables(key)) {
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

/// A file: key, hash of the listing, and the listing, a line each.
struct Remembered(Vec<u8>);

impl Remembered {
    fn read(file: &Path) -> Option<Self> {
        fs::read(file).ok().map(Self)
    }

    /// The listing, where it is of this key and whole.
    fn tables(&self, key: Sha256) -> Option<Vec<Arc<TableFacts>>> {
        let head = format!("{key}\n");
        let rest = self.0.strip_prefix(head.as_bytes())?;
        let at = rest.iter().position(|byte| *byte == b'\n')?;
        let (hash, listing) = (&rest[..at], &rest[at + 1..]);
        if sha256(listing).to_string().as_bytes() != hash {
            return None;
        }
        let tables: Vec<TableFacts> = serde_json::from_slice(listing).ok()?;
        Some(tables.into_iter().map(Arc::new).collect())
    }
}

fn remember(file: &Path, key: Sha256, tables: &[Arc<TableFacts>]) {
    let plain: Vec<&TableFacts> = tables.iter().map(|facts| &**facts).collect();
    let written = serde_json::to_vec(&plain)
        .map_err(std::io::Error::other)
        .and_then(|listing| {
            let head = format!("{key}\n{}\n", sha256(&listing));
            write_durably(file, &[head.as_bytes(), &listing].concat())
        });
    if let Err(error) = written {
        tracing::debug!(%error, "the list of relations was not kept; it will be made again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_of_another_key_or_with_any_damage_is_none() {
        let folder = std::env::temp_dir().join(format!("respaldo-listing-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, key) = (folder.join(FILE), Sha256([7; 32]));
        assert!(Remembered::read(&file).is_none());
        remember(&file, key, &[]);
        let good = Remembered::read(&file).unwrap();
        assert_eq!(good.tables(key).unwrap(), []);
        assert_eq!(good.tables(Sha256([8; 32])), None);
        for place in 0..good.0.len() {
            let mut bad = good.0.clone();
            bad[place] ^= 1;
            assert_eq!(Remembered(bad).tables(key), None, "byte {place}");
            assert_eq!(Remembered(good.0[..place].to_vec()).tables(key), None);
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
