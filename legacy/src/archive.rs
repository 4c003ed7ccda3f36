//! Archives looked at by the stock pg_restore: are they whole, and are they of a whole database?

mod contents;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use respaldo_postgres::{StopFlag, Tool, ToolCommand, ToolError};

pub(crate) use contents::Contents;

use crate::error::LegacyError;

const PIECE_BYTES: usize = 256 * 1024;

/// Reads archives, within a time.
pub(crate) struct Reader<'a> {
    pub(crate) pg_restore: &'a Tool,
    pub(crate) stop: StopFlag<'a>,
    pub(crate) limit: Duration,
}

impl Reader<'_> {
    /// Reads an archive from end to end: its list, then every block, decompressed with checksums.
    /// What pg_restore cannot read is [`LegacyError::Damaged`].
    pub(crate) fn read(&self, file: &Path) -> Result<Contents, LegacyError> {
        let list = self.command(&["--list"], file).run(self.stop, self.limit);
        let list = list.map_err(|error| damaged(file, error))?.output;
        self.drain(self.command(&["--file=-"], file), file)?;
        Ok(Contents::of_list(&String::from_utf8_lossy(&list)))
    }

    /// Refuses an archive that holds a part of a database, such as an incremental.
    pub(crate) fn require_whole(
        &self,
        file: &Path,
        contents: &Contents,
    ) -> Result<(), LegacyError> {
        let partial = |why: String| LegacyError::Partial {
            file: file.to_owned(),
            why,
        };
        if is_sealed(file) {
            let why = "the professional engine made it, as part of a chain; respaldo restore --id restores it";
            return Err(partial(why.to_owned()));
        }
        if let Some(why) = contents.is_obviously_partial() {
            return Err(partial(why.to_owned()));
        }
        let without_rows = contents.tables_without_rows();
        if without_rows.is_empty() {
            return Ok(());
        }
        // Partitioned tables have no rows of their own, which the list does not tell.
        let sql = self.command(&["--section=pre-data", "--file=-"], file);
        let sql = sql.run(self.stop, self.limit);
        let sql = sql.map_err(|error| damaged(file, error))?.output;
        let partitioned = contents::partitioned(&String::from_utf8_lossy(&sql));
        let lacking: Vec<_> = without_rows
            .into_iter()
            .filter(|table| !partitioned.contains(*table))
            .collect();
        match lacking.first() {
            None => Ok(()),
            Some(first) => Err(partial(format!(
                "it has no rows of {} tables, such as {first}",
                lacking.len()
            ))),
        }
    }

    fn command(&self, options: &[&str], file: &Path) -> ToolCommand {
        let command = self.pg_restore.command_alone();
        command.arg("--format=custom").args(options).arg(file)
    }

    fn drain(&self, command: ToolCommand, file: &Path) -> Result<(), LegacyError> {
        let start = Instant::now();
        let stop = || (self.stop)() || start.elapsed() > self.limit;
        let running = command.spawn_reading(&stop);
        let mut running = running.map_err(|error| damaged(file, error))?;
        let mut piece = vec![0; PIECE_BYTES];
        while !matches!(running.read(&mut piece), Ok(0) | Err(_)) {}
        let end = running.finish(self.limit);
        end.map(drop).map_err(|error| damaged(file, error))
    }
}

fn damaged(file: &Path, error: ToolError) -> LegacyError {
    LegacyError::of_tool(error, |error| match error {
        ToolError::Start { .. } | ToolError::NotFound { .. } => LegacyError::Tools(error),
        ToolError::Failed { said, .. } => LegacyError::Damaged {
            file: file.to_owned(),
            why: said,
        },
        other => LegacyError::Damaged {
            file: file.to_owned(),
            why: other.to_string(),
        },
    })
}

/// Whether a manifest of the professional engine lies beside the file.
fn is_sealed(file: &Path) -> bool {
    let mut manifest = file.as_os_str().to_owned();
    manifest.push(".manifest.json");
    PathBuf::from(manifest).exists()
}
