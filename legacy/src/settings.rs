//! The existing application's own settings, `~/.nexoryn/backup_settings.json`: read, never written.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// What its user chose there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredSettings {
    /// Folder of the backups.
    pub backup_dir: Option<PathBuf>,
    /// Folder of the copies.
    pub sync_dir: Option<PathBuf>,
}

impl StoredSettings {
    /// Reads them below a home folder. A file that is missing or cannot be read says nothing, as
    /// in the application itself.
    pub fn read(home: &Path) -> Self {
        let file = home.join(".nexoryn").join("backup_settings.json");
        let text = fs::read_to_string(file).unwrap_or_default();
        Self::parse(&text)
    }

    fn parse(text: &str) -> Self {
        let stored: Value = serde_json::from_str(text).unwrap_or_default();
        let path = |key: &str| {
            let text = stored.get(key)?.as_str()?;
            (!text.is_empty()).then(|| PathBuf::from(text))
        };
        Self {
            backup_dir: path("backup_dir"),
            sync_dir: path("sync_dir"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_keys_are_optional_and_nonsense_says_nothing() {
        let both = StoredSettings::parse(r#"{"backup_dir": "/a", "sync_dir": "/b"}"#);
        assert_eq!(both.backup_dir, Some("/a".into()));
        assert_eq!(both.sync_dir, Some("/b".into()));
        let one = StoredSettings::parse(r#"{"sync_dir": "/b", "backup_dir": ""}"#);
        assert_eq!((one.backup_dir, one.sync_dir), (None, Some("/b".into())));
        for text in ["", "{", "[]", "3", r#"{"backup_dir": 5}"#] {
            assert_eq!(StoredSettings::parse(text), StoredSettings::default());
        }
    }
}
