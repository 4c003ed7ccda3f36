//! Objects as files below a folder, their keys as paths.
//!
//! A put writes to a staging file in `.respaldo-staging/` of the same file system, makes it durable,
//! and then links it under its key, which fails where the key is taken. A crash before the link
//! leaves a staging file that [`LocalSink`]'s `sweep` removes once its process is dead; a crash
//! after it leaves the whole object. No symbolic link below the folder is followed.

mod copy;
mod folders;
mod list;
mod platform;
mod publish;
mod staging;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use respaldo_domain::object::ObjectKey;
use respaldo_domain::second_place::Provider;
use respaldo_engine::ports::{
    Context, Fault, FaultKind, ObjectInfo, PutSource, SinkLimits, StorageSink,
};
use serde::Deserialize;
use staging::Staging;

use crate::Kind;

/// Name of this kind of sink in the configuration.
pub const KIND: &str = "local";

/// How it is configured.
pub(crate) const DECLARED: Kind = Kind {
    name: KIND,
    options: &["dir"],
    secrets: &[],
    files: &["dir"],
    folder: Some("dir"),
    provider: Provider::Local,
    make: |wanted| {
        Ok(Arc::new(LocalSink::new(
            wanted.name,
            &crate::options(wanted.options)?,
        )))
    },
};

/// What can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The folder. It is made when missing.
    pub dir: PathBuf,
}

/// A folder as a sink.
#[derive(Debug)]
pub struct LocalSink {
    name: String,
    root: PathBuf,
}

impl LocalSink {
    /// A sink under this name. Nothing is touched before the first call.
    pub fn new(name: impl Into<String>, options: &Options) -> Self {
        // A relative folder must not move with the process.
        let root = std::path::absolute(&options.dir).unwrap_or_else(|_| options.dir.clone());
        Self {
            name: name.into(),
            root,
        }
    }

    fn path(&self, key: &ObjectKey) -> PathBuf {
        self.root.join(key.as_str())
    }

    /// Opens the file of an object: a real file, reached through real folders.
    fn open(&self, key: &ObjectKey) -> Result<(File, u64), Fault> {
        folders::check(&self.root, key)?;
        let path = self.path(key);
        let opened = platform::open_no_follow(&path).and_then(|file| {
            let metadata = file.metadata()?;
            Ok((file, metadata))
        });
        match opened {
            Ok((file, metadata)) if metadata.is_file() => Ok((file, metadata.len())),
            Ok(_) => Err(Fault::bare(
                FaultKind::NotFound,
                format!("{} is no file", path.display()),
            )),
            Err(error) => Err(self.explain(format!("open {}", path.display()), error)),
        }
    }

    /// A missing repository is not an empty one: perhaps its disk is not mounted.
    fn explain(&self, subject: String, error: io::Error) -> Fault {
        if error.kind() == io::ErrorKind::NotFound && !self.root.is_dir() {
            let subject = format!("the folder {} is not there", self.root.display());
            return Fault::new(FaultKind::Unavailable, subject, error);
        }
        Fault::io(subject, error)
    }

    fn copy_in(&self, source: &mut dyn PutSource, path: &Path, cx: &Context) -> Result<(), Fault> {
        let mut staging = Staging::create(&self.root)?;
        copy::into_file(source, staging.file(), path, cx)?;
        cx.check()?;
        publish::staged(&self.root, staging.path(), path)
    }
}

impl StorageSink for LocalSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, _cx: &Context) -> Result<SinkLimits, Fault> {
        folders::make(&self.root)?;
        let mut staging = Staging::create(&self.root)?;
        let fault = |error| Fault::io(format!("write in {}", self.root.display()), error);
        staging.file().write_all(b"probe").map_err(fault)?;
        staging.file().sync_all().map_err(fault)?;
        let free_bytes = platform::free_bytes(&self.root);
        Ok(SinkLimits {
            max_object_bytes: None,
            free_bytes,
        })
    }

    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        let (path, size_bytes) = (self.path(key), source.size_bytes());
        folders::make_for(&self.root, key)?;
        if fs::symlink_metadata(&path).is_ok() {
            return Err(publish::taken(&path));
        }
        let taken_over = match source.file() {
            Some(file) => publish::taken_over(file, size_bytes, &path)?,
            None => false,
        };
        if !taken_over {
            self.copy_in(source, &path, cx)?;
        }
        if let Err(fault) = folders::sync(path.parent().unwrap_or(&self.root)) {
            // Visible and perhaps not durable is neither of the two that were promised.
            let _ = fs::remove_file(&path);
            return Err(fault);
        }
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes,
        })
    }

    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        let (mut file, size_bytes) = self.open(key)?;
        let range = range.unwrap_or(0..size_bytes);
        if range.start > range.end || range.end > size_bytes {
            let subject = format!("{key} does not have bytes {} to {}", range.start, range.end);
            return Err(Fault::bare(FaultKind::Corrupt, subject));
        }
        let seek = |error| Fault::io(format!("read {}", self.path(key).display()), error);
        file.seek(SeekFrom::Start(range.start)).map_err(seek)?;
        copy::out_of_file(&mut file.take(range.end - range.start), into, key, cx)
    }

    fn file(&self, key: &ObjectKey, _cx: &Context) -> Result<Option<File>, Fault> {
        self.open(key).map(|(file, _)| Some(file))
    }

    fn head(&self, key: &ObjectKey, _cx: &Context) -> Result<ObjectInfo, Fault> {
        let (_, size_bytes) = self.open(key)?;
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes,
        })
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        let listed = list::objects(&self.root, prefix, cx);
        listed.map_err(|(path, error)| self.explain(format!("list {}", path.display()), error))
    }

    fn delete(&self, key: &ObjectKey, _cx: &Context) -> Result<(), Fault> {
        let path = self.path(key);
        let removed = folders::check(&self.root, key).and_then(|()| {
            let fault = |error| self.explain(format!("delete {}", path.display()), error);
            fs::remove_file(&path).map_err(fault)
        });
        match removed {
            Ok(()) => folders::sync(path.parent().unwrap_or(&self.root)),
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        staging::sweep(&self.root, cx)
    }

    fn location(&self, key: &ObjectKey) -> String {
        self.path(key).display().to_string()
    }
}
