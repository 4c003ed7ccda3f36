//! The record of own files: the right to remove them. Lost, it gives no right at all.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Folder, Locked, write_durably};
use crate::error::LegacyError;
use crate::file::Owner;
use crate::kind::LegacyKind;

const FILE: &str = "own.json";
const VERSION: u32 = 1;

/// What this service remembers of its backups.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    version: u32,
    /// Files made and not removed by it.
    pub(crate) files: Vec<OwnFile>,
    /// Last runs by database and type, also those whose file is not known.
    #[serde(default)]
    runs: BTreeMap<String, BTreeMap<LegacyKind, DateTime<Utc>>>,
}

/// A file this service made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnFile {
    /// Its type.
    pub(crate) kind: LegacyKind,
    /// Its name.
    pub(crate) name: String,
    /// The database it is of, as `host:port/name`.
    pub(crate) database: String,
    /// When it was begun.
    pub(crate) began_at: DateTime<Utc>,
    /// Its size.
    pub(crate) size_bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub(crate) sha256: String,
}

/// A record that was read, and whether one that is there could not be.
#[derive(Debug, Default)]
pub(crate) struct ReadRecord {
    pub(crate) record: Record,
    /// What is wrong with the file; the record is empty then.
    pub(crate) problem: Option<String>,
}

impl Record {
    /// Reads it; where it is missing nothing is recorded.
    pub(crate) fn read(folder: &Folder) -> ReadRecord {
        let path = folder.memory(FILE);
        let read = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice::<Self>(&bytes).map_err(|error| error.to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return ReadRecord::default(),
            Err(error) => Err(error.to_string()),
        };
        let known = read.and_then(|record| match record.version {
            VERSION => Ok(record),
            other => Err(format!("version {other} is not known")),
        });
        match known {
            Ok(record) => ReadRecord {
                record,
                problem: None,
            },
            Err(problem) => ReadRecord {
                record: Self::default(),
                problem: Some(format!("{}: {problem}", path.display())),
            },
        }
    }

    /// Writes it. What could not be read is put aside, not overwritten.
    pub(crate) fn write(&mut self, locked: &Locked) -> Result<(), LegacyError> {
        let path = locked.folder().memory(FILE);
        if Self::read(locked.folder()).problem.is_some() {
            let aside = path.with_extension(format!("json.unreadable-{}", Utc::now().timestamp()));
            fs::rename(&path, &aside).map_err(LegacyError::io("putting aside", &path))?;
        }
        self.version = VERSION;
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other);
        write_durably(&path, &text.map_err(LegacyError::io("writing", &path))?)
    }

    /// Adds a file, in the place of one of the same name.
    pub(crate) fn add(&mut self, file: OwnFile) {
        self.remove(file.kind, &file.name);
        self.files.push(file);
    }

    /// Forgets a file.
    pub(crate) fn remove(&mut self, kind: LegacyKind, name: &str) {
        self.files
            .retain(|file| (file.kind, file.name.as_str()) != (kind, name));
    }

    /// What is recorded of a file.
    pub(crate) fn find(&self, kind: LegacyKind, name: &str) -> Option<&OwnFile> {
        let mut files = self.files.iter();
        files.find(|file| (file.kind, file.name.as_str()) == (kind, name))
    }

    /// Whose a file of this size is, seen from a database.
    pub(crate) fn owner(
        &self,
        kind: LegacyKind,
        name: &str,
        size_bytes: u64,
        database: &str,
    ) -> Owner {
        match self.find(kind, name) {
            None => Owner::Foreign,
            Some(own) if own.size_bytes != size_bytes => Owner::Changed,
            Some(own) if own.database != database => Owner::OtherDatabase,
            Some(_) => Owner::Own,
        }
    }

    /// Notes a run.
    pub(crate) fn ran(&mut self, database: &str, kind: LegacyKind, at: DateTime<Utc>) {
        self.runs
            .entry(database.to_owned())
            .or_default()
            .insert(kind, at);
    }

    /// The last run that was noted.
    pub(crate) fn last_run(&self, database: &str, kind: LegacyKind) -> Option<DateTime<Utc>> {
        self.runs.get(database)?.get(&kind).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(name: &str) -> OwnFile {
        OwnFile {
            kind: LegacyKind::Daily,
            name: name.to_owned(),
            database: "h:1/d".to_owned(),
            began_at: DateTime::UNIX_EPOCH,
            size_bytes: 5,
            sha256: String::new(),
        }
    }

    #[test]
    fn a_file_is_own_only_as_it_was_recorded() {
        let mut record = Record::default();
        record.add(own("a"));
        let owner = |name, size, database| record.owner(LegacyKind::Daily, name, size, database);
        assert_eq!(owner("a", 5, "h:1/d"), Owner::Own);
        assert_eq!(owner("a", 6, "h:1/d"), Owner::Changed);
        assert_eq!(owner("a", 5, "h:1/e"), Owner::OtherDatabase);
        assert_eq!(owner("b", 5, "h:1/d"), Owner::Foreign);
        assert_eq!(
            record.owner(LegacyKind::Weekly, "a", 5, "h:1/d"),
            Owner::Foreign
        );
    }

    #[test]
    fn a_record_that_cannot_be_read_gives_no_right_and_is_put_aside() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::at(root.path());
        let locked = folder.lock().unwrap();
        let mut record = Record::default();
        record.add(own("a"));
        record.ran("h:1/d", LegacyKind::Daily, DateTime::UNIX_EPOCH);
        record.write(&locked).unwrap();
        let read = Record::read(&folder);
        assert_eq!((read.record.files.len(), read.problem), (1, None));
        for broken in ["", "{", r#"{"version": 9, "files": []}"#] {
            fs::write(folder.memory(FILE), broken).unwrap();
            let read = Record::read(&folder);
            assert!(read.record.files.is_empty() && read.problem.is_some());
        }
        record.write(&locked).unwrap();
        assert_eq!(Record::read(&folder).record.files.len(), 1);
        let names = fs::read_dir(folder.memory(".")).unwrap().flatten();
        let aside = names.filter(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().contains("unreadable")
        });
        assert_eq!(aside.count(), 1);
    }
}
