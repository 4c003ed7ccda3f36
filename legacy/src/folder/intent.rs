//! The intent of the run at work, and clearing up after one that died.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Locked, OwnFile, Record, hash_of, write_durably};
use crate::error::LegacyError;
use crate::name::UNFINISHED;

const FILE: &str = "run.json";

/// What a run is about to write.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Intent {
    /// Unfinished files, absolute.
    pub(crate) unfinished: Vec<PathBuf>,
    /// The whole file that is about to get its name.
    #[serde(default)]
    pub(crate) publishing: Option<OwnFile>,
}

/// What was found of a run that died.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Unfinished files that were removed.
    pub(crate) removed: Vec<PathBuf>,
    /// A backup that was whole and not recorded yet.
    pub(crate) recorded: Option<String>,
}

impl Intent {
    /// Writes it down, before what it names comes to be.
    pub(crate) fn write(&self, locked: &Locked) -> Result<(), LegacyError> {
        let path = locked.folder().memory(FILE);
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::other);
        write_durably(&path, &text.map_err(LegacyError::io("writing", &path))?)
    }

    /// Removes what is unfinished, then the intent itself.
    pub(crate) fn end(&self, locked: &Locked) -> Result<Vec<PathBuf>, LegacyError> {
        let mut removed = Vec::new();
        for path in self.unfinished.iter().filter(|path| is_unfinished(path)) {
            match fs::remove_file(path) {
                Ok(()) => removed.push(path.clone()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(LegacyError::io("removing", path)(error)),
            }
        }
        locked.forget(FILE)?;
        Ok(removed)
    }
}

impl Locked {
    /// Finishes what a run that died began: records its backup where that got its name, and
    /// removes the unfinished files that its intent names. Nothing else.
    pub(crate) fn sweep(&self) -> Result<Swept, LegacyError> {
        let path = self.folder().memory(FILE);
        let Ok(text) = fs::read(&path) else {
            return Ok(Swept::default());
        };
        let Ok(intent) = serde_json::from_slice::<Intent>(&text) else {
            // It is written at once, so somebody else wrote this; it names nothing of ours.
            self.forget(FILE)?;
            return Ok(Swept::default());
        };
        let recorded = match &intent.publishing {
            Some(own) => self.record_published(own)?,
            None => None,
        };
        let removed = intent.end(self)?;
        Ok(Swept { removed, recorded })
    }

    /// Records a file if it is there and is what was announced.
    fn record_published(&self, own: &OwnFile) -> Result<Option<String>, LegacyError> {
        let path = self.folder().of(own.kind).join(&own.name);
        if !path.is_file() {
            return Ok(None);
        }
        let (sha256, size_bytes) = hash_of(&path, io::sink(), &|| false)?;
        if (&sha256, size_bytes) != (&own.sha256, own.size_bytes) {
            return Ok(None);
        }
        let mut record = Record::read(self.folder()).record;
        record.add(own.clone());
        record.ran(&own.database, own.kind, own.began_at);
        record.write(self)?;
        Ok(Some(own.name.clone()))
    }
}

/// A hidden name with our ending: whatever an intent says, nothing else is removed.
fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') && name.ends_with(UNFINISHED)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::folder::Folder;
    use crate::kind::LegacyKind;

    struct Place {
        _root: tempfile::TempDir,
        locked: Locked,
    }

    fn place() -> Place {
        let root = tempfile::tempdir().unwrap();
        let locked = Folder::at(root.path()).lock().unwrap();
        locked.make(LegacyKind::Daily).unwrap();
        Place {
            _root: root,
            locked,
        }
    }

    impl Place {
        fn file(&self, name: &str) -> PathBuf {
            self.locked.folder().of(LegacyKind::Daily).join(name)
        }

        fn own(&self, name: &str, text: &str) -> OwnFile {
            let sample = self.file("sample");
            fs::write(&sample, text).unwrap();
            let (sha256, size_bytes) = hash_of(&sample, io::sink(), &|| false).unwrap();
            fs::remove_file(sample).unwrap();
            OwnFile {
                kind: LegacyKind::Daily,
                name: name.to_owned(),
                database: "h:1/d".to_owned(),
                began_at: DateTime::UNIX_EPOCH,
                size_bytes,
                sha256,
            }
        }

        fn recorded(&self) -> usize {
            Record::read(self.locked.folder()).record.files.len()
        }
    }

    #[test]
    fn a_run_that_died_while_dumping_leaves_nothing() {
        let place = place();
        let part = place.file(".backup_daily_20261124_230000.sql.part");
        fs::write(&part, "half").unwrap();
        let foreign = place.file(".other.part");
        fs::write(&foreign, "x").unwrap();
        let intent = Intent {
            unfinished: vec![part.clone()],
            publishing: None,
        };
        intent.write(&place.locked).unwrap();
        assert_eq!(place.locked.sweep().unwrap().removed, [part.as_path()]);
        assert!(!part.exists() && foreign.exists());
        assert_eq!(place.locked.sweep().unwrap(), Swept::default());
    }

    #[test]
    fn a_run_that_died_after_giving_the_name_leaves_a_recorded_backup() {
        let place = place();
        let (part, done) = (place.file(".b.sql.part"), place.file("b.sql"));
        for name in [&part, &done] {
            fs::write(name, "whole").unwrap();
        }
        let intent = Intent {
            unfinished: vec![part.clone()],
            publishing: Some(place.own("b.sql", "whole")),
        };
        intent.write(&place.locked).unwrap();
        let swept = place.locked.sweep().unwrap();
        assert_eq!(swept.recorded.as_deref(), Some("b.sql"));
        assert!(done.exists() && !part.exists());
        assert_eq!(place.recorded(), 1);
    }

    #[test]
    fn a_file_of_somebody_else_under_the_announced_name_is_not_taken_for_ours() {
        let place = place();
        fs::write(place.file("b.sql"), "other").unwrap();
        let intent = Intent {
            unfinished: Vec::new(),
            publishing: Some(place.own("b.sql", "whole")),
        };
        intent.write(&place.locked).unwrap();
        assert_eq!(place.locked.sweep().unwrap(), Swept::default());
        assert_eq!(place.recorded(), 0);
    }

    #[test]
    fn an_intent_that_names_something_else_removes_nothing() {
        let place = place();
        let precious = place.file("backup_daily_20261124_230000.sql");
        fs::write(&precious, "x").unwrap();
        let intent = Intent {
            unfinished: vec![precious.clone()],
            publishing: None,
        };
        intent.write(&place.locked).unwrap();
        assert_eq!(place.locked.sweep().unwrap(), Swept::default());
        assert!(precious.exists());
    }
}
