//! A sink that keeps objects as files of a folder: durable, atomic, complete. Linux.
//!
//! An object is written to a file that has no name, made durable, and linked to its name, which fails where the
//! name is taken. So whatever interrupts a put leaves nothing behind, and there is nothing to sweep.
#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::{ops::Range, os::fd::AsRawFd, path::PathBuf};

use respaldo_sdk::{Context, Each, Error, Plugin, Result, Status, StorageSink, copy, records::ObjectInfo};
use rustix::fs::{AtFlags, CWD, linkat};

#[derive(serde::Deserialize, schemars::JsonSchema)] #[serde(deny_unknown_fields)]
pub struct Folder { /** Absolute path of the folder, which must exist. */ dir: PathBuf }
impl Plugin for Folder {
    const ID: &'static str = "example.folder"; const NAME: &'static str = "Folder"; const VERSION: &'static str = "1.0.0";
    type Options = Self; fn create(options: Self) -> Result<Self> { Ok(options) }
}
impl StorageSink for Folder {
    fn location(&self) -> String { format!("{}/", self.dir.display()) }
    fn put(&self, key: &str, size: u64, source: &mut dyn BufRead, cx: &dyn Context) -> Result<()> {
        let (to, folder) = (self.dir.join(key), self.dir.join(key).with_file_name(""));
        fs::metadata(&self.dir).and_then(|_| fs::create_dir_all(&folder))?;
        let mut file = tempfile::tempfile_in(&folder)?;
        if copy(source, &mut file, cx)? != size { return Err(Error::new(Status::Corrupt, format!("{key}: not {size} bytes"))) }
        file.sync_all()?;
        linkat(CWD, format!("/proc/self/fd/{}", file.as_raw_fd()), CWD, &to, AtFlags::SYMLINK_FOLLOW).map_err(io::Error::from)?;
        let mut folders = to.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.dir));
        Ok(folders.try_for_each(|folder| File::open(folder)?.sync_all()).inspect_err(|_| drop(fs::remove_file(&to)))?)
    }
    fn get(&self, key: &str, range: Option<Range<u64>>, into: &mut dyn Write, cx: &dyn Context) -> Result<()> {
        let (size, mut file) = (self.head(key, cx)?.size_bytes, File::open(self.dir.join(key))?);
        let Range { start, end } = range.unwrap_or(0..size); file.seek(SeekFrom::Start(start))?;
        let copied = copy(&mut BufReader::with_capacity(1 << 18, file.take(end.saturating_sub(start))), into, cx)?;
        if start + copied == end { Ok(()) } else { Err(Error::new(Status::Corrupt, format!("{key} ends before {end}"))) }
    }
    fn list(&self, prefix: &str, each: Each<'_, ObjectInfo>, cx: &dyn Context) -> Result<()> {
        for found in walkdir::WalkDir::new(&self.dir) {
            let (found, ()) = (found.map_err(io::Error::from)?, cx.check()?);
            let key = found.path().strip_prefix(&self.dir).unwrap_or(found.path()).to_string_lossy();
            let (true, true, Ok(data)) = (found.file_type().is_file(), key.starts_with(prefix), found.metadata()) else { continue };
            each(ObjectInfo { key: key.into(), size_bytes: data.len() })?;
        }
        Ok(())
    }
    fn remove(&self, key: &str, _: &dyn Context) -> Result<()> {
        match fs::remove_file(self.dir.join(key)) { Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()), _ => Ok(()) }
    }
}
respaldo_sdk::export_plugins!(storage: Folder);
