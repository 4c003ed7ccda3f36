//! The copy of a backup in a second folder: whole or not there, and read back.

use std::path::Path;

use chrono::Utc;
use respaldo_postgres::StopFlag;

use crate::error::LegacyError;
use crate::folder::{Intent, Locked, create_private_file, hash_of, publish};
use crate::name::{BackupName, UNFINISHED};
use crate::report::{CopyReport, MadeFile};

/// Copies a backup into a folder, which must be there: it may be a disk that is not plugged in.
pub(crate) fn copy(
    locked: &Locked,
    intent: &mut Intent,
    made: &MadeFile,
    folder: &Path,
    stop: StopFlag<'_>,
) -> CopyReport {
    let name = free_name(made, folder);
    let destination = folder.join(&name);
    let unfinished = folder.join(format!(".{name}{UNFINISHED}"));
    intent.unfinished.push(unfinished.clone());
    let copied = intent.write(locked).and_then(|()| {
        write(made, &unfinished, stop)?;
        publish(&unfinished, &destination)
    });
    CopyReport {
        destination,
        at: Utc::now(),
        outcome: match copied {
            Ok(()) => Ok(made.size_bytes),
            Err(error) => Err(chain(&error)),
        },
    }
}

/// Its own name, or the next one where another folder's backup of the same second has that.
fn free_name(made: &MadeFile, folder: &Path) -> String {
    let own = made.path.file_name().unwrap_or_default().to_string_lossy();
    let Some(first) = BackupName::parse(&own) else {
        return own.into_owned();
    };
    let names = (first.copy..).map(|copy| BackupName { copy, ..first }.to_string());
    let mut free = names.filter(|name| folder.join(name).symlink_metadata().is_err());
    free.next().unwrap_or_else(|| own.into_owned())
}

/// Writes the copy and reads it back.
fn write(made: &MadeFile, to: &Path, stop: StopFlag<'_>) -> Result<(), LegacyError> {
    let file = create_private_file(to)?;
    let (read, _) = hash_of(&made.path, &file, stop)?;
    file.sync_all().map_err(LegacyError::io("writing", to))?;
    drop(file);
    let (written, size_bytes) = hash_of(to, std::io::sink(), stop)?;
    let same = read == made.sha256 && written == read && size_bytes == made.size_bytes;
    same.then_some(()).ok_or_else(|| LegacyError::Damaged {
        file: to.to_owned(),
        why: "its bytes are not those of the backup".to_owned(),
    })
}

/// An error and all that caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
