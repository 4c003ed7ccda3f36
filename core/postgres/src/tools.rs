//! The stock client tools - pg_dump, pg_restore, psql, pg_dumpall - found, and run as children.
//!
//! A password reaches a tool through its environment only; of our own environment it gets what is
//! on a short list and nothing else. The exit status alone says whether a tool succeeded: what it
//! prints is kept for people and never matched.

mod command;
mod error;
mod find;
mod guardian;
mod lazy;
mod running;
mod version;

use std::path::{Path, PathBuf};

pub use command::ToolCommand;
pub use error::{Looked, ToolError};
pub use lazy::LazyTools;
pub use running::{Finished, RunningTool};
pub use version::ToolVersion;

/// Says whether a running tool is to be stopped; asked several times a second.
pub type StopFlag<'s> = &'s (dyn Fn() -> bool + Sync);

/// The tools of one PostgreSQL installation.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Writes archives.
    pub pg_dump: Tool,
    /// Reads archives.
    pub pg_restore: Tool,
    /// Runs scripts.
    pub psql: Tool,
    /// Writes what belongs to no single database.
    pub pg_dumpall: Tool,
}

/// The tools that a dump and its restore need, as far as they are there.
#[derive(Debug, Clone)]
pub struct ArchiveTools {
    /// Writes archives.
    pub pg_dump: Tool,
    pg_restore: Option<Tool>,
    psql: Option<Tool>,
}

/// One program.
#[derive(Debug, Clone)]
pub struct Tool {
    name: &'static str,
    path: PathBuf,
    version: ToolVersion,
}

impl Tools {
    /// Looks for tools that can read a server of this `server_version_num`: in the given folder,
    /// then `PG_BIN_PATH`, then `PATH`, then the usual folders of installations, newest first.
    pub fn find(pg_bin_path: Option<&Path>, server_version_num: u32) -> Result<Self, ToolError> {
        find::find(pg_bin_path, server_version_num)
    }
}

impl ArchiveTools {
    /// As [`Tools::find`]; where no installation is whole, one that can at least dump.
    pub fn find(pg_bin_path: Option<&Path>, server_version_num: u32) -> Result<Self, ToolError> {
        find::find_archive_tools(pg_bin_path, server_version_num)
    }

    /// Reads archives.
    pub fn pg_restore(&self) -> Result<&Tool, ToolError> {
        present(self.pg_restore.as_ref(), "pg_restore")
    }

    /// Runs scripts.
    pub fn psql(&self) -> Result<&Tool, ToolError> {
        present(self.psql.as_ref(), "psql")
    }
}

impl From<Tools> for ArchiveTools {
    fn from(tools: Tools) -> Self {
        Self {
            pg_dump: tools.pg_dump,
            pg_restore: Some(tools.pg_restore),
            psql: Some(tools.psql),
        }
    }
}

fn present<'t>(tool: Option<&'t Tool>, name: &'static str) -> Result<&'t Tool, ToolError> {
    tool.ok_or_else(|| ToolError::Start {
        tool: name,
        source: std::io::ErrorKind::NotFound.into(),
    })
}

impl Tool {
    /// Its name, for messages.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version.
    pub fn version(&self) -> &ToolVersion {
        &self.version
    }

    /// Whether the server has fixes that this tool, of the same major version, lacks.
    pub fn is_older_minor_than(&self, server_version_num: u32) -> bool {
        self.version.is_older_minor_than(server_version_num)
    }
}
