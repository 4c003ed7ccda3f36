//! The last step: the restored database takes the target's name.
//!
//! Both renames are one transaction. The first takes an exclusive lock on the old database's
//! entry, which every new connection needs, so from then on nobody enters and those inside are
//! asked to leave; whatever happens before the commit (an error, a time-out, a kill) leaves the old
//! database under its name and open. Nothing has to be undone.

use std::thread;
use std::time::{Duration, Instant};

use chrono::Local;
use respaldo_domain::report::WarningCode;
use respaldo_domain::restore_plan::RestorePlan;
use respaldo_domain::source::DatabaseProperties;
use respaldo_domain::table::{quote_identifier, quote_literal};
use respaldo_postgres::{ConnInfo, Session, SessionOptions, sql};

use super::preflight::Site;
use super::scratch::{Database, derived_name};
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
        true => Some(kept_name(admin, &target)?),
        false => None,
    };
    rename(restore, admin, &scratch, &target, old.as_deref())?;
    Ok(old)
}

/// `NAME_before_restore_20261124_021746`, cut to what PostgreSQL keeps; with `_2`, `_3` ... where a
/// restore in the same second took that name.
fn kept_name(admin: &ConnInfo, target: &str) -> Result<String, Fault> {
    let ending = Local::now()
        .format("_before_restore_%Y%m%d_%H%M%S")
        .to_string();
    let mut session = Session::connect(admin, &SessionOptions::default())?;
    let mut name = derived_name(target, &ending);
    for number in 2_u32.. {
        let taken = sql("SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)");
        if !session.value::<bool>(taken.bind(&name))? {
            break;
        }
        name = derived_name(target, &format!("{ending}_{number}"));
    }
    Ok(name)
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
        scope.spawn(|| ask_to_leave(admin, &[scratch, target], &done));
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

/// Ends the sessions inside both databases, again and again until the renames are done.
fn ask_to_leave(admin: &ConnInfo, databases: &[&str], done: &Interrupt) {
    let Ok(mut session) = Session::connect(admin, &SessionOptions::default()) else {
        return;
    };
    let names: Vec<String> = databases.iter().map(|name| (*name).to_owned()).collect();
    while !done.is_set() {
        let leave = sql("SELECT pg_catalog.pg_terminate_backend(pid) \
             FROM pg_catalog.pg_stat_activity \
             WHERE datname = ANY ($1) AND pid <> pg_catalog.pg_backend_pid() \
               AND backend_type = 'client backend'");
        if let Err(error) = session.rows(leave.bind(names.clone())) {
            tracing::debug!(%error, "a session could not be ended");
        }
        thread::sleep(Duration::from_millis(50));
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
    for statement in property_statements(restore, database, properties) {
        if let Err(error) = session.execute(sql(statement)) {
            restore.warn(WarningCode::DatabaseSettings, chain(&error));
        }
    }
    Ok(())
}

fn property_statements(
    restore: &Restore<'_>,
    database: &str,
    properties: &DatabaseProperties,
) -> Vec<String> {
    let name = quote_identifier(database);
    let mut statements = Vec::new();
    for (role, setting) in &properties.settings {
        let Some((parameter, value)) = setting.split_once('=') else {
            continue;
        };
        let value = setting_value(parameter, value);
        let parameter: Vec<String> = parameter.split('.').map(quote_identifier).collect();
        let parameter = parameter.join(".");
        statements.push(match role.is_empty() {
            true => format!("ALTER DATABASE {name} SET {parameter} TO {value}"),
            false => {
                let role = quote_identifier(role);
                format!("ALTER ROLE {role} IN DATABASE {name} SET {parameter} TO {value}")
            }
        });
    }
    if properties.connection_limit >= 0 {
        let limit = properties.connection_limit;
        statements.push(format!("ALTER DATABASE {name} CONNECTION LIMIT {limit}"));
    }
    if let Some(acl) = properties
        .acl
        .as_ref()
        .filter(|_| !restore.request.options.no_privileges)
    {
        statements.push(format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC"));
        statements.extend(acl.iter().flat_map(|item| grants(&name, item)));
    }
    statements
}

/// The value of a setting as SQL: parameters that are lists of names are stored quoted already.
fn setting_value(parameter: &str, value: &str) -> String {
    const LISTS: [&str; 6] = [
        "search_path",
        "temp_tablespaces",
        "session_preload_libraries",
        "shared_preload_libraries",
        "local_preload_libraries",
        "unix_socket_directories",
    ];
    match LISTS.contains(&parameter) && !value.is_empty() {
        true => value.to_owned(),
        false => quote_literal(value),
    }
}

/// GRANT statements for one `grantee=privileges/grantor` of a database.
fn grants(database: &str, item: &str) -> Vec<String> {
    let Some((grantee, rest)) = item.rsplit_once('=') else {
        return Vec::new();
    };
    let privileges = rest.split('/').next().unwrap_or_default().as_bytes();
    let grantee = match grantee.trim_matches('"') {
        "" => "PUBLIC".to_owned(),
        name => quote_identifier(&name.replace("\"\"", "\"")),
    };
    let word = |letter: u8| match letter {
        b'C' => Some("CREATE"),
        b'c' => Some("CONNECT"),
        b'T' => Some("TEMPORARY"),
        _ => None,
    };
    let mut statements = Vec::new();
    for (at, letter) in privileges.iter().enumerate() {
        let Some(privilege) = word(*letter) else {
            continue;
        };
        let option = match privileges.get(at + 1) {
            Some(b'*') => " WITH GRANT OPTION",
            _ => "",
        };
        statements.push(format!(
            "GRANT {privilege} ON DATABASE {database} TO {grantee}{option}"
        ));
    }
    statements
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

/// What we know of backups does not go back in time with the data.
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
    if let Some(old) = old {
        carry::carry_over(restore, &admin.with_database(old), &site.target)?;
    }
    refresh_catalog(restore)
}
