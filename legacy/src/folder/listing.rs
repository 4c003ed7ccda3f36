//! The files there are.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::{Folder, Record};
use crate::error::LegacyError;
use crate::file::LegacyFile;
use crate::kind::LegacyKind;
use crate::name::BackupName;
use crate::zone::Zone;

impl Folder {
    /// Files of every type, newest first; each with whose it is, seen from a database.
    pub(crate) fn list(
        &self,
        record: &Record,
        database: &str,
        zone: Zone,
    ) -> Result<Vec<LegacyFile>, LegacyError> {
        let mut all = Vec::new();
        for kind in LegacyKind::ALL {
            for entry in self.entries(kind)? {
                all.extend(file(kind, &entry, record, database, zone));
            }
        }
        all.sort_by(|a, b| (b.created_at, &b.name).cmp(&(a.created_at, &a.name)));
        Ok(all)
    }

    /// What is in the folder of a type; nothing where that is missing.
    fn entries(&self, kind: LegacyKind) -> Result<Vec<DirEntry>, LegacyError> {
        let folder = self.of(kind);
        let read = fs::read_dir(&folder).and_then(Iterator::collect);
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read.map_err(LegacyError::io("listing", &folder)),
        }
    }
}

/// An entry as a backup: a file whose name ends in `.sql` and is not hidden.
fn file(
    kind: LegacyKind,
    entry: &DirEntry,
    record: &Record,
    database: &str,
    zone: Zone,
) -> Option<LegacyFile> {
    let name = entry.file_name().into_string().ok()?;
    let metadata = entry.metadata().ok()?;
    let is_sql = Path::new(&name).extension() == Some("sql".as_ref());
    let is_backup = metadata.is_file() && !name.starts_with('.') && is_sql;
    if !is_backup {
        return None;
    }
    let stamp = BackupName::parse(&name);
    let changed_at = || {
        metadata
            .modified()
            .map_or(DateTime::UNIX_EPOCH, DateTime::<Utc>::from)
    };
    Some(LegacyFile {
        owner: record.owner(kind, &name, metadata.len(), database),
        path: entry.path(),
        kind,
        size_bytes: metadata.len(),
        created_at: stamp.map_or_else(changed_at, |stamp| zone.instant(stamp.at)),
        stamp,
        name,
    })
}
