//! Giving a finished file its name, never in the place of another.

use std::time::Duration;

use respaldo_engine::ports::{Fault, FaultKind};
use russh_sftp::client::error::Error;
use russh_sftp::protocol::FileAttributes;
use uuid::Uuid;

use super::link::Link;
use super::session::{Session, code_of};

/// Longest wait for a name to be given, and for how it ended to be found out.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// Fails where a name is taken.
pub(super) async fn ensure_free(session: &Session, target: &str) -> Result<(), Fault> {
    match session.look(target).await? {
        Some(_) => Err(taken(target)),
        None => Ok(()),
    }
}

/// Gives a staged file its name and takes its staging name away.
pub(super) async fn name(
    link: &Link,
    session: &Session,
    staged: &str,
    target: &str,
) -> Result<(), Fault> {
    if session.offers.hardlink {
        match session.noted(session.raw.hardlink(staged, target).await) {
            Ok(_) => {
                // It has its name; a staging name that stays is for the sweep.
                let _ = session.remove(staged).await;
                return Ok(());
            }
            Err(error) if code_of(&error).is_none() => {
                return Err(not_named(session, target, error));
            }
            // Taken, or no links on that disk: the code does not tell, the other way does.
            Err(_) => {}
        }
    }
    let _alone = link.naming.lock().await;
    rename(session, staged, target).await
}

/// Version 3 of the protocol lets no rename replace a file; some servers do it all the same, so it
/// is looked for before, and this process renames one file at a time.
async fn rename(session: &Session, staged: &str, target: &str) -> Result<(), Fault> {
    ensure_free(session, target).await?;
    match session.noted(session.raw.rename(staged, target).await) {
        Ok(_) => Ok(()),
        Err(error) => {
            if code_of(&error).is_some() {
                ensure_free(session, target).await?;
            }
            Err(not_named(session, target, error))
        }
    }
}

/// Finds out how a naming ended whose answer was lost: `Ok(Ok)` it is done; `Ok(Err)` it is not,
/// and cannot happen any more; `Err` nobody knows.
///
/// Both names of a linked file are one file: a mark that is put on one shows on the other. Once
/// the staging name is gone, no request that is still under way can give the file another.
pub(super) async fn settle(
    link: &Link,
    staged: &str,
    target: &str,
) -> Result<Result<(), Fault>, Fault> {
    let session = link.session().await?;
    let mark = mark();
    let marked = session.raw.setstat(staged, at_time(mark)).await.is_ok();
    let was_there = session.remove(staged).await?;
    Ok(match session.look(target).await? {
        None => {
            let subject = format!("the connection was lost before {target} had its name");
            Err(Fault::bare(FaultKind::Unavailable, subject))
        }
        Some(_) if !was_there => Ok(()),
        Some(found) if marked && found.attrs.mtime == Some(mark) => Ok(()),
        Some(_) => Err(taken(target)),
    })
}

/// A second of the years 2001 to 2017 that nobody else would choose.
fn mark() -> u32 {
    const SECONDS: u128 = 500_000_000;
    1_000_000_000 + (Uuid::new_v4().as_u128() % SECONDS) as u32
}

fn at_time(second: u32) -> FileAttributes {
    FileAttributes {
        atime: Some(second),
        mtime: Some(second),
        ..FileAttributes::empty()
    }
}

fn taken(target: &str) -> Fault {
    Fault::bare(FaultKind::Exists, format!("{target} is there already"))
}

fn not_named(session: &Session, target: &str, error: Error) -> Fault {
    session.fault(format!("give {target} its name"), error)
}
