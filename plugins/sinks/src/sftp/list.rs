//! Walking the folders on the server.

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Fault, ObjectInfo};
use russh_sftp::protocol::{File, StatusCode};

use super::below;
use super::session::{Found, Session, code_of};

/// A walk over the files whose paths are keys with a prefix.
pub(super) struct Walk {
    root: String,
    prefix: String,
    folders: Vec<String>,
    found: Vec<ObjectInfo>,
}

impl Walk {
    pub(super) fn of(root: &str, prefix: &str) -> Self {
        Self {
            root: root.to_owned(),
            prefix: prefix.to_owned(),
            folders: vec![String::new()],
            found: Vec::new(),
        }
    }

    /// The next folder to be read, below the root.
    pub(super) fn next_folder(&mut self) -> Option<String> {
        self.folders.pop()
    }

    /// Takes what a folder holds. Links, and names that are no keys, are passed over.
    pub(super) fn take(&mut self, folder: &str, entries: Vec<File>) -> Result<(), Fault> {
        for entry in entries {
            let key = match folder {
                "" => ObjectKey::parse(entry.filename),
                folder => ObjectKey::parse(format!("{folder}/{}", entry.filename)),
            };
            let Ok(key) = key else { continue };
            let found = Found { attrs: entry.attrs };
            if found.is_folder() {
                let inside = format!("{key}/");
                if inside.starts_with(&self.prefix) || self.prefix.starts_with(&inside) {
                    self.folders.push(key.into());
                }
            } else if found.is_file() && key.as_str().starts_with(&self.prefix) {
                let size_bytes = found.size_bytes(&below(&self.root, key.as_str()))?;
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

/// What a folder below the root holds; `None` where it is not there.
pub(super) async fn read(
    session: &Session,
    root: &str,
    folder: &str,
) -> Result<Option<Vec<File>>, Fault> {
    let path = match folder {
        "" => root.to_owned(),
        folder => below(root, folder),
    };
    let failed = |error| session.fault(format!("list {path}"), error);
    let handle = match session.noted(session.raw.opendir(&path).await) {
        Ok(opened) => opened.handle,
        Err(error) if code_of(&error) == Some(StatusCode::NoSuchFile) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let entries = read_to_end(session, &handle).await;
    let _ = session.raw.close(&handle).await;
    entries.map(Some).map_err(failed)
}

async fn read_to_end(
    session: &Session,
    handle: &str,
) -> Result<Vec<File>, russh_sftp::client::error::Error> {
    let mut entries = Vec::new();
    loop {
        match session.noted(session.raw.readdir(handle).await) {
            Ok(more) => entries.extend(more.files),
            Err(error) if code_of(&error) == Some(StatusCode::Eof) => return Ok(entries),
            Err(error) => return Err(error),
        }
    }
}
