//! Output that appears whole or not at all: written beside its place under a name nobody asks for,
//! made durable, renamed last. What a killed run leaves is named `.respaldo-incomplete-...` and swept
//! by the next run that writes beside it: whoever is at work holds a lock on what it makes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use crate::ports::{Fault, FaultKind};
use crate::private;
use crate::writeback::Writeback;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is written.
    Refuse,
    /// It is replaced, once the new one is whole.
    Replace,
}

/// Whether a file is on the disk when it gets its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It is: not even the machine's end takes it away.
    Synced,
    /// It is when the system gets to it. Whole it is all the same, whatever ends the program.
    LeftToSystem,
}

/// A file being made; removed when it is dropped unpublished.
#[derive(Debug)]
pub(crate) struct NewFile {
    file: File,
    /// None of it is asked for where the system is left to it.
    writeback: Option<Mutex<Writeback>>,
    staging: Staging,
    existing: Existing,
}

/// A folder being made; removed when it is dropped unpublished.
#[derive(Debug)]
pub(crate) struct NewFolder {
    staging: Staging,
}

/// The place where something is made and the place it is made for.
#[derive(Debug)]
struct Staging {
    from: PathBuf,
    to: PathBuf,
    is_published: bool,
    /// Held while it is being made.
    lock: Option<File>,
}

/// How the places begin where something is made.
const INCOMPLETE: &str = ".respaldo-incomplete-";
/// Younger ones may belong to a run that is about to lock them.
const SETTLED: Duration = Duration::from_mins(1);

impl NewFile {
    /// Begins a file for `path`. A link is followed: what it points to is replaced.
    pub(crate) fn begin(
        path: &Path,
        existing: Existing,
        durability: Durability,
    ) -> Result<Self, Fault> {
        let to = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        check_file(&to, existing)?;
        let mut staging = Staging::beside(to);
        let file = private::writing()
            .create_new(true)
            .open(&staging.from)
            .map_err(|e| staging.fault("creating", e))?;
        staging.lock();
        Ok(Self {
            file,
            writeback: (durability == Durability::Synced).then(Mutex::default),
            staging,
            existing,
        })
    }

    /// Makes it durable, where that was asked for, and gives it its name.
    pub(crate) fn publish(self) -> Result<(), Fault> {
        let durability = match self.writeback {
            Some(_) => Durability::Synced,
            None => Durability::LeftToSystem,
        };
        if let Some(writeback) = self.writeback {
            let writeback = writeback
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner);
            let written = writeback.finish(&self.file);
            written.map_err(|e| self.staging.fault("writing", e))?;
        }
        drop(self.file);
        check_file(&self.staging.to, self.existing)?;
        self.staging.publish(durability)
    }

    /// Takes the room of so many bytes, where the system gives it at once: a disk without it is found out
    /// before anything is written, and what has its room is written faster.
    pub(crate) fn reserve(&self, bytes: u64) -> Result<(), Fault> {
        reserve(&self.file, bytes).map_err(|e| self.staging.fault("writing", e))
    }
}

/// Writes to a place of a file; several may, each to its own.
pub(crate) struct Place<'a> {
    file: &'a NewFile,
    at: u64,
}

impl NewFile {
    /// A place of it.
    pub(crate) fn place(&self, at: u64) -> Place<'_> {
        Place { file: self, at }
    }
}

impl Write for Place<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let NewFile {
            file, writeback, ..
        } = self.file;
        let written = write_at(file, bytes, self.at)?;
        self.at += written as u64;
        if let Some(writeback) = writeback {
            let mut writeback = writeback.lock().unwrap_or_else(PoisonError::into_inner);
            writeback.written(file, written as u64)?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    use rustix::io::Errno;
    let room = rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, bytes);
    match room {
        Err(full @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => Err(full.into()),
        // Not every file system can; it is written to all the same.
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(_file: &File, _bytes: u64) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, at)
}

#[cfg(windows)]
fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, at)
}

impl NewFolder {
    /// Begins a folder for `path`, which must not exist or be empty.
    pub(crate) fn begin(path: &Path) -> Result<Self, Fault> {
        check_folder(path)?;
        let mut staging = Staging::beside(path.to_owned());
        make_folder(&staging.from).map_err(|e| staging.fault("creating", e))?;
        staging.lock();
        Ok(Self { staging })
    }

    /// Writes a file in it durably; `name` may have folders.
    pub(crate) fn file(&self, name: &str) -> Result<File, Fault> {
        let path = self.staging.from.join(name);
        let making = |e| Fault::io(format!("creating {name}"), e);
        if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
            make_folder(folder).map_err(making)?;
        }
        File::create_new(&path).map_err(making)
    }

    /// A file that was written to it, to be read.
    pub(crate) fn read(&self, name: &str) -> Result<File, Fault> {
        File::open(self.staging.from.join(name))
            .map_err(|e| Fault::io(format!("reading {name}"), e))
    }

    /// Gives it its name.
    pub(crate) fn publish(self) -> Result<(), Fault> {
        check_folder(&self.staging.to)?;
        let entries =
            fs::read_dir(&self.staging.from).map_err(|e| self.staging.fault("reading", e))?;
        for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
            sync_folder(&entry.path()).map_err(|e| self.staging.fault("writing", e))?;
        }
        sync_folder(&self.staging.from).map_err(|e| self.staging.fault("writing", e))?;
        if self.staging.to.exists() {
            // It is empty; not every system renames over it.
            fs::remove_dir(&self.staging.to).map_err(|e| self.staging.fault("replacing", e))?;
        }
        self.staging.publish(Durability::Synced)
    }
}

impl Staging {
    fn beside(to: PathBuf) -> Self {
        let folder = folder_of(&to);
        sweep(&folder);
        let from = folder.join(format!("{INCOMPLETE}{}", Uuid::new_v4().simple()));
        Self {
            from,
            to,
            is_published: false,
            lock: None,
        }
    }

    /// Tells others that somebody is at work on it. Where the system has no such locks nothing is
    /// swept either.
    fn lock(&mut self) {
        let place = File::open(&self.from).ok();
        self.lock = place.filter(|place| place.try_lock().is_ok());
    }

    fn publish(mut self, durability: Durability) -> Result<(), Fault> {
        fs::rename(&self.from, &self.to).map_err(|e| self.fault("renaming to", e))?;
        self.is_published = true;
        if durability == Durability::LeftToSystem {
            return Ok(());
        }
        sync_folder(&folder_of(&self.to)).map_err(|e| self.fault("making durable", e))
    }

    fn fault(&self, doing: &str, error: io::Error) -> Fault {
        Fault::io(format!("{doing} {}", self.to.display()), error)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.is_published {
            return;
        }
        // What cannot be removed has a name that says what it is.
        let _ = remove(&self.from);
    }
}

/// Removes what killed runs left in a folder.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(INCOMPLETE);
        if is_ours && is_settled(&entry.path()) && is_left_alone(&entry.path()) {
            let removed = remove(&entry.path());
            tracing::info!(path = %entry.path().display(), ?removed, "a killed run left this");
        }
    }
}

fn is_settled(path: &Path) -> bool {
    let changed = fs::metadata(path).and_then(|facts| facts.modified());
    changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= SETTLED))
}

fn is_left_alone(path: &Path) -> bool {
    File::open(path).is_ok_and(|place| place.try_lock().is_ok())
}

fn remove(path: &Path) -> io::Result<()> {
    match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

fn check_file(path: &Path, existing: Existing) -> Result<(), Fault> {
    let taken = |why| {
        Err(Fault::bare(
            FaultKind::Exists,
            format!("{} {why}", path.display()),
        ))
    };
    match (fs::metadata(path), existing) {
        (Err(error), _) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        (Err(error), _) => Err(Fault::io(format!("looking at {}", path.display()), error)),
        (Ok(found), _) if !found.is_file() => taken("is no ordinary file"),
        (Ok(_), Existing::Refuse) => taken("exists"),
        (Ok(_), Existing::Replace) => Ok(()),
    }
}

fn check_folder(path: &Path) -> Result<(), Fault> {
    match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let what = format!("{} is not empty", path.display());
            Err(Fault::bare(FaultKind::Exists, what))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            let what = format!("{} is no folder", path.display());
            Err(Fault::bare(FaultKind::Exists, what))
        }
        Err(error) => Err(Fault::io(format!("looking at {}", path.display()), error)),
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A folder is made durable by itself where the system can open it as a file.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn place() -> PathBuf {
        let place = std::env::temp_dir().join(format!("publish-{}", Uuid::new_v4().simple()));
        fs::create_dir(&place).unwrap();
        place
    }

    fn names(place: &Path) -> Vec<String> {
        let entries = fs::read_dir(place).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_when_it_is_published_and_replaces_only_where_that_was_said() {
        let place = place();
        let path = place.join("out.dump");
        let file = NewFile::begin(&path, Existing::Refuse, Durability::Synced).unwrap();
        file.place(2).write_all(b"e").unwrap();
        file.place(0).write_all(b"on").unwrap();
        assert!(!path.exists());
        file.publish().unwrap();
        let refused = NewFile::begin(&path, Existing::Refuse, Durability::Synced).unwrap_err();
        assert_eq!(refused.kind, FaultKind::Exists);
        let given_up = NewFile::begin(&path, Existing::Replace, Durability::Synced).unwrap();
        given_up.place(0).write_all(b"half").unwrap();
        drop(given_up);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(&place), ["out.dump"]);
        let folder = NewFile::begin(&place, Existing::Replace, Durability::Synced).unwrap_err();
        assert_eq!(folder.kind, FaultKind::Exists);
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn what_a_killed_run_left_is_swept_and_what_is_at_work_is_not() {
        let place = place();
        let long_ago = SystemTime::now() - Duration::from_hours(1);
        let left = place.join(".respaldo-incomplete-1");
        fs::write(&left, "half").unwrap();
        let folder = place.join(".respaldo-incomplete-2");
        fs::create_dir_all(folder.join("archives")).unwrap();
        let young = place.join(".respaldo-incomplete-3");
        fs::write(&young, "half").unwrap();
        let at_work =
            NewFile::begin(&place.join("a"), Existing::Refuse, Durability::Synced).unwrap();
        for path in [&left, &folder, &at_work.staging.from] {
            let place = File::open(path).unwrap();
            place.set_modified(long_ago).unwrap();
        }
        let other = NewFile::begin(&place.join("b"), Existing::Refuse, Durability::Synced).unwrap();
        assert!(!left.exists() && !folder.exists() && young.exists());
        at_work.publish().unwrap();
        other.publish().unwrap();
        assert_eq!(names(&place), [".respaldo-incomplete-3", "a", "b"]);
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn a_folder_appears_with_all_its_files_and_never_mixes_with_others() {
        let place = place();
        let path = place.join("kit");
        fs::create_dir(&path).unwrap();
        let folder = NewFolder::begin(&path).unwrap();
        folder.file("a/b").unwrap().write_all(b"x").unwrap();
        assert_eq!(names(&path), [""; 0]);
        folder.publish().unwrap();
        assert_eq!(names(&path.join("a")), ["b"]);
        assert_eq!(NewFolder::begin(&path).unwrap_err().kind, FaultKind::Exists);
        assert_eq!(names(&place), ["kit"]);
        fs::remove_dir_all(place).unwrap();
    }
}
