//! After the database was built: it takes the target's place, and the old one is kept or dropped.

use chrono::Local;
use respaldo_postgres::{ConnInfo, PgError, Session, quote_identifier, sql};

use super::scratch::{Scratch, derived_name};
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
            let name = free_name(&mut session, site.target.database());
            Some(name.map_err(LegacyError::Server)?)
        }
        false => None,
    };
    swap::swap(restoring, site, admin, scratch, old.as_deref())?;
    scratch.settled(restoring);
    Ok(old.and_then(|old| keep_or_drop(restoring, site, &mut session, old)))
}

/// `NAME_before_restore_20261124_021746`, with `_2`, `_3` ... where that is taken.
fn free_name(session: &mut Session, target: &str) -> Result<String, PgError> {
    let ending = Local::now().format("_before_restore_%Y%m%d_%H%M%S");
    let mut name = derived_name(target, &ending.to_string());
    for number in 2_u32.. {
        let taken = sql("SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)");
        if !session.value::<bool>(taken.bind(&name))? {
            break;
        }
        name = derived_name(target, &format!("{ending}_{number}"));
    }
    Ok(name)
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
