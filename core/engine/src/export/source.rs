//! Where the bytes of a block of an export lie, and reading them.

use std::io::{self, Read};

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::manifest::TableData;
use respaldo_domain::object::Sha256;
use respaldo_domain::table::TableName;

use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind};
use crate::store::{HashingReader, io_of_fault};

/// A block of a stored archive.
pub(crate) struct Source {
    pub(crate) archive: ArchiveName,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    /// Hash the block must have; large objects have none of their own.
    pub(crate) sha256: Option<Sha256>,
    pub(crate) table: Option<TableName>,
}

impl Source {
    /// The rows of a table.
    pub(crate) fn of_table(data: &TableData, table: &TableName) -> Self {
        Self {
            archive: data.archive.clone(),
            offset: data.block.offset,
            length: data.block.length,
            sha256: Some(data.block.sha256),
            table: Some(table.clone()),
        }
    }

    /// Its bytes. Reading the last of them fails where they are not what the manifest says.
    pub(crate) fn open<'a>(
        &self,
        parts: &'a Parts,
        cx: &'a Context,
    ) -> Result<impl Read + use<'a>, Fault> {
        cx.check()?;
        let range = self.offset..self.offset + self.length;
        let stream = parts
            .store
            .open_inside(&self.archive.key(), Some(range), cx)?;
        Ok(Checked {
            stream: Some(HashingReader::new(stream)),
            left: self.length,
            expected: self.sha256,
            archive: self.archive.clone(),
            cx,
        })
    }
}

/// A block on its way, which must turn out to be the one the manifest names.
struct Checked<'a, R> {
    stream: Option<HashingReader<R>>,
    left: u64,
    expected: Option<Sha256>,
    archive: ArchiveName,
    cx: &'a Context,
}

impl<R: Read> Checked<'_, R> {
    fn check(&mut self) -> io::Result<()> {
        let Some(stream) = self.stream.take() else {
            return Ok(());
        };
        let (found, _) = stream.finish();
        match self.expected {
            Some(expected) if expected != found => {
                let what = format!("a block of {} is damaged", self.archive);
                Err(io_of_fault(Fault::bare(FaultKind::Corrupt, what)))
            }
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Checked<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(stream) = &mut self.stream else {
            return Ok(0);
        };
        let got = stream.read(out)?;
        self.cx.progress().bytes(got as u64);
        self.left = self.left.saturating_sub(got as u64);
        // The copy stops at the block's end mark and may never ask for the end of the stream.
        if self.left == 0 || got == 0 {
            self.check()?;
        }
        Ok(got)
    }
}
