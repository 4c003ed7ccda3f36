//! Half-written files: one to try whether writing works, and those that nobody writes any more.

use std::sync::Arc;

use respaldo_engine::ports::Fault;
use russh_sftp::protocol::File;

use super::file::OpenFile;
use super::session::Session;
use super::{below, folders, list};
use crate::owner::{self, FOREIGN_AGE, Writer};

/// Writes a file in the root's staging folder and removes it; gives the room that is left.
pub(super) async fn probe(session: &Arc<Session>, root: &str) -> Result<Option<u64>, Fault> {
    let folder = folders::make_staging(session, root).await?;
    now(session, &folder).await?;
    Ok(session.free_bytes(root).await)
}

/// The paths of staging files that are abandoned.
pub(super) async fn abandoned(session: &Arc<Session>, root: &str) -> Result<Vec<String>, Fault> {
    let folder = below(root, owner::FOLDER);
    let files = list::read(session, root, owner::FOLDER).await?;
    let files: Vec<(File, Writer)> = files
        .unwrap_or_default()
        .into_iter()
        .filter(|file| file.attrs.file_type().is_file())
        .filter_map(|file| owner::writer_of(&file.filename).map(|writer| (file, writer)))
        .collect();
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let now = now(session, &folder).await?;
    let abandoned = files
        .into_iter()
        .filter(|(file, writer)| *writer == Writer::Dead || is_old(file, now));
    Ok(abandoned
        .map(|(file, _)| below(&folder, &file.filename))
        .collect())
}

/// The server's time: that of a file which was just written there.
async fn now(session: &Arc<Session>, folder: &str) -> Result<Option<u32>, Fault> {
    let path = below(folder, &owner::staging_name());
    let file = OpenFile::create(session, &path).await?;
    let sealed = file.seal(0).await;
    let found = session.look(&path).await;
    session.remove(&path).await?;
    sealed?;
    Ok(found?.and_then(|found| found.attrs.mtime))
}

/// Whether nobody wrote for so long, by the server's own clock. In doubt it is not.
fn is_old(file: &File, now: Option<u32>) -> bool {
    let age = now
        .zip(file.attrs.mtime)
        .and_then(|(now, written)| now.checked_sub(written));
    age.is_some_and(|age| u64::from(age) > FOREIGN_AGE.as_secs())
}
