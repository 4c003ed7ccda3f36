//! Whether something can be written into a folder: asked by writing, for rights and quotas have many fathers.

use std::fs;
use std::io;
use std::path::Path;

use crate::serve::state_file::make_private;

/// Less than any dump worth the name takes.
const BYTES: usize = 1024 * 1024;

/// Writes a little beside the backups and takes it away again. Folders that are missing are made, for their owner only.
pub fn is_there(folder: &Path) -> io::Result<()> {
    let own = folder.join(".respaldo");
    make_private(&own)?;
    let probe = own.join(format!("probe-{}", std::process::id()));
    let written = fs::write(&probe, vec![0; BYTES]);
    let removed = fs::remove_file(&probe);
    written.and(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_in_a_folder_that_can_be_written_and_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let backups = folder.path().join("backups");
        is_there(&backups).unwrap();
        assert_eq!(fs::read_dir(backups.join(".respaldo")).unwrap().count(), 0);
        let file = folder.path().join("file");
        fs::write(&file, "a file").unwrap();
        is_there(&file).unwrap_err();
    }
}
