//! The last step: the restored database takes the target's name.
//!
//! Both renames are one transaction. The first takes an exclusive lock on the old database's
//! entry, which every new connection needs, so from then on nobody enters and those inside are
//! asked to leave; whatever happens before the commit (an error, a time-out, a kill) leaves the old
//! database under its name and open. Nothing has to be undone.

use std::thread;
use std::time::{Duration, Instant};

use respaldo_domain::report::WarningCode;
use respaldo_domain::restore_plan::RestorePlan;
use respaldo_domain::source::DatabaseProperties;
use respaldo_domain::table::{quote_identifier, quote_literal};
use respaldo_postgres::{ConnInfo, Session, SessionOptions, databases, sql};

use super::preflight::Site;
use super::scratch::Database;
use super::{Placement, Restore, RestoreError, carry, refresh_catalog};
use crate::backup::chain;
use crate::faults::step;
use crate::lease::Lease;
use crate::ports::{Fault, FaultKind, Interrupt};

/// Longest wait for the sessions inside the old database to leave.
const LEAVE_LIMIT: Duration = Duration::from_secs(30);

/// Puts the restored database in place. Returns the name under which the old one is kept.
pub(super) fn take_place(
    restore: &mut Restore<'_>,
    plan: &RestorePlan,
    database: &Database,
    site: &Site,
    lease: Option<Lease>,
) -> Result<Option<String>, RestoreError> {
    let admin = match &site.admin {
        Some(admin) if database.is_scratch() => admin.clone(),
        _ => return Ok(None),
    };
    let swapped = swap(restore, plan, database, site, &admin, lease);
    let old = match swapped {
        Ok(old) => old,
        Err(fault) => {
            database.discard(restore);
            return Err(RestoreError::Swap(fault));
        }
    };
    database.settled(restore);
    Ok(after_swap(restore, site, &admin, old))
}

fn swap(
    restore: &mut Restore<'_>,
    plan: &RestorePlan,
    database: &Database,
    site: &Site,
    admin: &ConnInfo,
    lease: Option<Lease>,
) -> Result<Option<String>, Fault> {
    restore.enter("restore.properties")?;
    let scratch = database.conninfo.database().to_owned();
    let properties = site
        .properties
        .as_ref()
        .unwrap_or(&plan.manifest.source.properties);
    apply_properties(restore, admin, &scratch, properties)?;
    list_followers(restore, site)?;
    restore.enter("restore.swap")?;
    // Our own session is inside the old database, too.
    if let Some(lease) = lease {
        lease.release()?;
    }
    let target = site.target.database().to_owned();
    let old = match site.exists {
        true => {
            let mut session = Session::connect(admin, &SessionOptions::default())?;
            Some(databases::name_before_restore(&mut session, &target)?)
        }
        false => None,
    };
    rename(restore, admin, &scratch, &target, old.as_deref())?;
    Ok(old)
}

fn rename(
    restore: &Restore<'_>,
    admin: &ConnInfo,
    scratch: &str,
    target: &str,
    old: Option<&str>,
) -> Result<(), Fault> {
    let options = SessionOptions {
        lock_timeout: LEAVE_LIMIT,
        ..SessionOptions::default()
    };
    let mut session = Session::connect(admin, &options)?;
    let done = Interrupt::default();
    let renamed = thread::scope(|scope| {
        scope.spawn(|| {
            databases::keep_ending_sessions(admin, &[scratch, target], || done.is_set());
        });
        let renamed = rename_in_one(restore, &mut session, scratch, target, old);
        done.set();
        renamed
    });
    if renamed.is_err() {
        // The transaction may be open; closing the connection ends it either way.
        let _ = session.batch("ROLLBACK");
    }
    renamed
}

/// ALTER DATABASE waits five seconds for sessions to leave before it refuses, so it is tried
/// until the limit.
fn rename_in_one(
    restore: &Restore<'_>,
    session: &mut Session,
    scratch: &str,
    target: &str,
    old: Option<&str>,
) -> Result<(), Fault> {
    let quoted = |name: &str| quote_identifier(name);
    let start = Instant::now();
    loop {
        restore.cx.check()?;
        session.batch("BEGIN")?;
        let away = match old {
            Some(old) => session.batch(&format!(
                "ALTER DATABASE {} RENAME TO {}",
                quoted(target),
                quoted(old)
            )),
            None => Ok(()),
        };
        let in_place = away.and_then(|()| {
            session.batch(&format!(
                "ALTER DATABASE {} RENAME TO {}",
                quoted(scratch),
                quoted(target)
            ))?;
            session.batch(&format!("COMMENT ON DATABASE {} IS NULL", quoted(target)))
        });
        match in_place {
            Ok(()) => {
                step("restore.commit")?;
                return Ok(session.batch("COMMIT")?);
            }
            Err(error) => {
                session.batch("ROLLBACK")?;
                // 55006: somebody is still inside.
                if error.sqlstate.as_deref() != Some("55006") {
                    return Err(error.into());
                }
                if start.elapsed() > LEAVE_LIMIT {
                    let inside = "a session that this role may not end stays in the database";
                    return Err(Fault::new(FaultKind::Busy, inside, error));
                }
            }
        }
    }
}

/// Settings, grants, comment and connection limit of the database, which no archive carries. What
/// the role may not set is said.
fn apply_properties(
    restore: &mut Restore<'_>,
    admin: &ConnInfo,
    database: &str,
    properties: &DatabaseProperties,
) -> Result<(), Fault> {
    let mut session = Session::connect(admin, &SessionOptions::default())?;
    let mut statements = databases::setting_statements(database, properties);
    if !restore.request.options.no_privileges {
        statements.extend(databases::grant_statements(database, properties));
    }
    for statement in statements {
        if let Err(error) = session.execute(sql(statement)) {
            restore.warn(WarningCode::DatabaseSettings, chain(&error));
        }
    }
    Ok(())
}

/// Replication slots and subscriptions belong to the old database and stay with it.
fn list_followers(restore: &mut Restore<'_>, site: &Site) -> Result<(), Fault> {
    use sqlx::Row;
    if !site.exists {
        return Ok(());
    }
    let Some(admin) = &site.admin else {
        return Ok(());
    };
    let mut session = Session::connect(admin, &SessionOptions::default())?;
    let slots = session.rows(
        sql("SELECT slot_name::text FROM pg_catalog.pg_replication_slots WHERE database = $1")
            .bind(site.target.database()),
    )?;
    for row in slots {
        let slot: String = row
            .try_get(0)
            .map_err(|e| Fault::new(FaultKind::Internal, "reading replication slots", e))?;
        restore.warn(
            WarningCode::FollowsDatabase,
            format!("replication slot {slot}"),
        );
    }
    Ok(())
}

/// The database is in place, so the restore has succeeded: what follows is done as far as it goes
/// and what could not be done is said. Returns the name under which the old one is kept.
fn after_swap(
    restore: &mut Restore<'_>,
    site: &Site,
    admin: &ConnInfo,
    old: Option<String>,
) -> Option<String> {
    if let Err(fault) = keep_comment(site, admin) {
        restore.warn(WarningCode::DatabaseSettings, chain(&fault));
    }
    if let Err(fault) = bring_catalog(restore, site, admin, old.as_deref()) {
        restore.warn(WarningCode::CatalogBehind, chain(&fault));
    }
    let drop_old = matches!(
        restore.request.target.placement,
        Placement::Replace { drop_old: true }
    );
    let old = old?;
    if !drop_old && !site.empty {
        return Some(old);
    }
    let dropped = Session::connect(admin, &SessionOptions::default()).and_then(|mut session| {
        session.execute(sql(format!("DROP DATABASE {}", quote_identifier(&old))))
    });
    match dropped {
        Ok(_) => None,
        Err(error) => {
            let subject = format!("{old} is kept: {}", chain(&error));
            restore.warn(WarningCode::DatabaseSettings, subject);
            Some(old)
        }
    }
}

/// The scratch database's comment was its mark; the old one's takes its place.
fn keep_comment(site: &Site, admin: &ConnInfo) -> Result<(), Fault> {
    let Some(comment) = site.properties.as_ref().and_then(|p| p.comment.as_ref()) else {
        return Ok(());
    };
    let name = quote_identifier(site.target.database());
    let statement = format!("COMMENT ON DATABASE {name} IS {}", quote_literal(comment));
    Session::connect(admin, &SessionOptions::default())?.execute(sql(statement))?;
    Ok(())
}

/// What we know of backups does not go back in time with the data. The lease of the database that was
/// replaced stayed with it: this one's is taken, for carrying removes the rows of a run that began meanwhile.
fn bring_catalog(
    restore: &mut Restore<'_>,
    site: &Site,
    admin: &ConnInfo,
    old: Option<&str>,
) -> Result<(), Fault> {
    restore.cx.progress().step("restore.swapped", None);
    step("restore.swapped")?;
    if !restore.is_in_place() {
        return Ok(());
    }
    let _lease = Lease::acquire(&restore.parts.source)?;
    step("restore.carry")?;
    if let Some(old) = old {
        carry::carry_over(restore, &admin.with_database(old), &site.target)?;
    }
    refresh_catalog(restore)
}
