//! The folders on the server: private, and never a symbolic link.

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Fault, FaultKind};

use super::below;
use super::session::Session;
use crate::owner;

/// Makes what is missing of the root, of the staging folder and of the folders of a key.
pub(super) async fn make_for(session: &Session, root: &str, key: &ObjectKey) -> Result<(), Fault> {
    make_staging(session, root).await?;
    let mut folder = root.to_owned();
    let parts: Vec<&str> = key.as_str().split('/').collect();
    for part in &parts[..parts.len() - 1] {
        folder = below(&folder, part);
        make(session, &folder).await?;
    }
    Ok(())
}

/// Makes what is missing of the root and of the staging folder; gives the latter.
pub(super) async fn make_staging(session: &Session, root: &str) -> Result<String, Fault> {
    let staging = below(root, owner::FOLDER);
    if !is_real(session, &staging).await? {
        make_with_parents(session, root).await?;
        make(session, &staging).await?;
    }
    Ok(staging)
}

/// Only the root may lie behind links: how the server keeps it is its own affair.
async fn make_with_parents(session: &Session, root: &str) -> Result<(), Fault> {
    let mut missing = Vec::new();
    let mut folder = root;
    while !folder.is_empty() && session.look(folder).await?.is_none() {
        missing.push(folder);
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
    for folder in missing.into_iter().rev() {
        make(session, folder).await?;
    }
    Ok(())
}

async fn make(session: &Session, folder: &str) -> Result<(), Fault> {
    if is_real(session, folder).await? {
        return Ok(());
    }
    match session.make_folder(folder).await {
        Ok(()) => Ok(()),
        // Somebody else may have been faster; the server's code does not tell.
        Err(_) if is_real(session, folder).await? => Ok(()),
        Err(error) => Err(session.fault(format!("make the folder {folder}"), error)),
    }
}

/// Whether a folder is there; a fault where something else bears its name.
async fn is_real(session: &Session, folder: &str) -> Result<bool, Fault> {
    match session.look(folder).await? {
        None => Ok(false),
        Some(found) if found.is_folder() => Ok(true),
        Some(_) => {
            let subject = format!("{folder} must be a folder, not a link or file");
            Err(Fault::bare(FaultKind::Denied, subject))
        }
    }
}
