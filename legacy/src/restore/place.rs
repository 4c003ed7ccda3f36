//! After the database was built: it takes the target's place, and the old one is kept or dropped.

use respaldo_postgres::{ConnInfo, Session, databases, quote_identifier, sql};

use super::scratch::Scratch;
use super::site::Site;
use super::{Placement, Restoring, swap};
use crate::copy::chain;
use crate::error::LegacyError;
use crate::report::LegacyWarningKind;

/// Returns the name under which the old database is kept.
pub(super) fn take(
    restoring: &mut Restoring<'_>,
    site: &Site,
    admin: &ConnInfo,
    scratch: &Scratch,
) -> Result<Option<String>, LegacyError> {
    let mut session =
        Session::connect(admin, &restoring.session_options()).map_err(LegacyError::Server)?;
    let old = match site.exists {
        true => {
            let name = databases::name_before_restore(&mut session, site.target.database());
            Some(name.map_err(LegacyError::Server)?)
        }
        false => None,
    };
    swap::swap(restoring, site, admin, scratch, old.as_deref())?;
    scratch.settled(restoring);
    Ok(old.and_then(|old| keep_or_drop(restoring, site, &mut session, old)))
}

/// The restore is done; an old database that cannot be dropped is kept, and that is said.
fn keep_or_drop(
    restoring: &mut Restoring<'_>,
    site: &Site,
    session: &mut Session,
    old: String,
) -> Option<String> {
    let wanted = restoring.request.placement == (Placement::Replace { drop_old: true });
    if !wanted && !site.empty {
        return Some(old);
    }
    let drop = format!("DROP DATABASE {}", quote_identifier(&old));
    match session.execute(sql(drop)) {
        Ok(_) => None,
        Err(error) => {
            let subject = format!("{old}: {}", chain(&error));
            restoring.warn(LegacyWarningKind::NotDropped, subject);
            Some(old)
        }
    }
}
