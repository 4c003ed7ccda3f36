//! Walking the folders on the server, one at a time: many servers refuse to walk them all at once.

use std::time::Duration;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Fault, ObjectInfo};
use url::Url;

use super::multistatus::Entry;

/// Longest wait for the listing of a folder.
pub(super) const FOLDER_LIMIT: Duration = Duration::from_mins(5);

/// A walk over the files whose paths are keys with a prefix.
pub(super) struct Walk {
    prefix: String,
    folders: Vec<String>,
    found: Vec<ObjectInfo>,
}

impl Walk {
    pub(super) fn of(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            folders: vec![String::new()],
            found: Vec::new(),
        }
    }

    /// The next folder to be read, below the root.
    pub(super) fn next_folder(&mut self) -> Option<String> {
        self.folders.pop()
    }

    /// Takes what a folder holds. Names that are no keys are passed over.
    pub(super) fn take(
        &mut self,
        folder: &str,
        entries: Vec<Entry>,
        url: &Url,
    ) -> Result<(), Fault> {
        for entry in entries {
            let key = match folder {
                "" => ObjectKey::parse(entry.name()),
                folder => ObjectKey::parse(format!("{folder}/{}", entry.name())),
            };
            let Ok(key) = key else { continue };
            if entry.is_folder {
                let inside = format!("{key}/");
                if inside.starts_with(&self.prefix) || self.prefix.starts_with(&inside) {
                    self.folders.push(key.into());
                }
            } else if key.as_str().starts_with(&self.prefix) {
                let size_bytes = entry.size_bytes(url)?;
                self.found.push(ObjectInfo { key, size_bytes });
            }
        }
        Ok(())
    }

    /// What was found, in the order of keys.
    pub(super) fn found(mut self) -> Vec<ObjectInfo> {
        self.found.sort_by(|a, b| a.key.cmp(&b.key));
        self.found
    }
}
