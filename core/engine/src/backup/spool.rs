//! The file an archive is written into before any sink sees it. It is brought to the disk while it is
//! written, so that nobody waits for all of it at the end.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::ports::Fault;
use crate::private;
use crate::writeback::Writeback;

/// A file being written.
pub(super) struct Spool {
    file: File,
    path: PathBuf,
    writeback: Writeback,
}

impl Spool {
    /// An empty one.
    pub(super) fn create(path: &Path) -> Result<Self, Fault> {
        let mut options = private::writing();
        let file = options.read(true).create(true).truncate(true).open(path);
        Ok(Self {
            file: file.map_err(|e| Fault::io(format!("creating {}", path.display()), e))?,
            path: path.to_owned(),
            writeback: Writeback::default(),
        })
    }

    /// All of it is on the disk.
    pub(super) fn finish(self) -> Result<(), Fault> {
        let written = self.writeback.finish(&self.file);
        written.map_err(|e| Fault::io(format!("writing {}", self.path.display()), e))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.writeback.written(&self.file, written as u64)?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Spool {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
