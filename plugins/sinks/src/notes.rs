//! Notes of the uploads that processes of this machine have under way.
//!
//! A store does not tell who began an upload. So each is noted in a folder of this machine before it
//! begins, in a file on which its process holds a lock: where the lock is free, the process is dead or
//! gave the upload up, and whoever sweeps next ends it at once. A folder that is lost loses the memory
//! alone: then an upload is told by its age.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use respaldo_engine::private;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const UNTOLD: &str =
    "if this process is killed, what it uploads is left in the store for a day or more";

/// The notes of a folder.
#[derive(Debug)]
pub(crate) struct Notes {
    folder: PathBuf,
}

/// What is noted of an upload.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    /// Where it goes: the uploads of another bucket are not to be ended here.
    place: String,
    /// The object.
    key: String,
    /// What the store calls the upload, once that is known.
    id: Option<String>,
}

/// The note of an upload of this process. It stays where it is dropped: see [`Note::remove`].
#[derive(Debug)]
pub(crate) struct Note {
    path: PathBuf,
    noted: Noted,
    /// Locked as long as it is open.
    file: File,
}

/// The note of an upload on which nobody works any more; nobody else can take it up meanwhile.
#[derive(Debug)]
pub(crate) struct Left {
    path: PathBuf,
    /// The object.
    pub(crate) key: String,
    /// What the store calls the upload, where that was known.
    pub(crate) id: Option<String>,
    _lock: File,
}

impl Notes {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Notes that an object is about to be uploaded.
    pub(crate) fn write(&self, place: &str, key: &str) -> io::Result<Note> {
        private::make_folder(&self.folder)?;
        let path = self.folder.join(Uuid::new_v4().simple().to_string());
        let draft = path.with_extension("new");
        let mut note = Note {
            noted: Noted {
                place: place.to_owned(),
                key: key.to_owned(),
                id: None,
            },
            // What a store calls an upload may be as good as a credential.
            file: private::writing().create_new(true).open(&draft)?,
            path,
        };
        note.file.lock()?;
        note.store()?;
        // It has its name when it is locked and whole.
        fs::rename(&draft, &note.path)?;
        Ok(note)
    }

    /// What was left below a place. Of an object that is being uploaded nothing is: to end an earlier
    /// upload of it would disturb the one under way.
    pub(crate) fn left(&self, place: &str) -> Vec<Left> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let found = entries.filter_map(|entry| found_at(entry.path(), place));
        let (mut left, mut running) = (Vec::new(), HashSet::new());
        for found in found {
            match found {
                Found::Left(found) => left.push(found),
                Found::Running(key) => drop(running.insert(key)),
            }
        }
        left.retain(|left| !running.contains(&left.key));
        left
    }
}

/// Notes that an object is about to be uploaded, where there is a folder for it. A put goes on without.
pub(crate) fn note(notes: Option<&Notes>, place: &str, key: &str) -> Option<Note> {
    let note = notes?.write(place, key);
    let note = note.inspect_err(|error| tracing::warn!(key, %error, "{UNTOLD}"));
    note.ok()
}

/// Adds to a note what the store calls the upload.
pub(crate) fn note_id(note: Option<&mut Note>, id: &str) {
    if let Some(Err(error)) = note.map(|note| note.named(id)) {
        tracing::warn!(%error, "{UNTOLD}");
    }
}

impl Note {
    /// Adds what the store calls the upload.
    pub(crate) fn named(&mut self, id: &str) -> io::Result<()> {
        self.noted.id = Some(id.to_owned());
        self.store()
    }

    /// The store knows the upload no more.
    pub(crate) fn remove(self) {
        remove(&self.path);
    }

    fn store(&mut self) -> io::Result<()> {
        let text = serde_json::to_vec(&self.noted)?;
        self.file.rewind()?;
        self.file.write_all(&text)?;
        self.file.set_len(text.len() as u64)?;
        self.file.sync_data()
    }
}

impl Left {
    /// Nothing is left of it.
    pub(crate) fn remove(self) {
        remove(&self.path);
    }
}

fn remove(path: &Path) {
    // A note that stays is found again, and its upload is not.
    fs::remove_file(path).ok();
}

/// A note below a place.
enum Found {
    /// Of an upload under way: its object.
    Running(String),
    Left(Left),
}

/// Drafts name nothing yet.
fn found_at(path: PathBuf, place: &str) -> Option<Found> {
    if path.extension().is_some() {
        return None;
    }
    let mut file = File::open(&path).ok()?;
    let is_left = file.try_lock().is_ok();
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    let Ok(noted) = serde_json::from_slice::<Noted>(&text) else {
        // Its process died as it wrote it, or is writing.
        if is_left {
            remove(&path);
        }
        return None;
    };
    let is_here = noted.place == place;
    is_here.then_some(match is_left {
        false => Found::Running(noted.key),
        true => Found::Left(Left {
            path,
            key: noted.key,
            id: noted.id,
            _lock: file,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_not_left_and_what_was_dropped_is() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::in_folder(&folder.path().join("uploads"));
        let mut note = notes.write("s3://b/of", "full/x").unwrap();
        note.named("id").unwrap();
        assert!(notes.left("s3://b/of").is_empty());
        drop(note);
        let left = notes.left("s3://b/of");
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].key, "full/x");
        assert_eq!(left[0].id.as_deref(), Some("id"));
        assert!(notes.left("s3://b/of").is_empty(), "another holds it");
        left.into_iter().for_each(Left::remove);
        assert!(notes.left("s3://b/of").is_empty());
        notes.write("s3://b/of", "full/x").unwrap().remove();
        assert!(notes.left("s3://b/of").is_empty());
    }

    #[test]
    fn what_was_left_of_an_object_that_is_uploaded_again_waits_for_that_upload() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::in_folder(folder.path());
        drop(notes.write("s3://b/of", "full/x").unwrap());
        drop(notes.write("s3://b/of", "full/y").unwrap());
        let again = notes.write("s3://b/of", "full/x").unwrap();
        let left = notes.left("s3://b/of");
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].key, "full/y");
        drop((left, again));
        assert_eq!(notes.left("s3://b/of").len(), 3);
    }

    #[test]
    fn notes_of_other_places_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes::in_folder(folder.path());
        drop(notes.write("s3://b/of", "full/x").unwrap());
        assert!(notes.left("s3://c/of").is_empty());
        assert_eq!(notes.left("s3://b/of").len(), 1);
    }
}
