//! The scratch database that a restore builds: made beside the target, known by name, dropped
//! when the restore fails, swept by the next run when this one is killed.

use std::fs;

use respaldo_domain::restore_plan::RestorePlan;
use respaldo_domain::source::DatabaseProperties;
use respaldo_domain::table::{quote_identifier, quote_literal};
use respaldo_postgres::{ConnInfo, Session, SessionOptions, databases, sql};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use uuid::Uuid;

use super::preflight::Site;
use super::{Restore, RestoreError};
use crate::backup::chain;
use crate::intent::write_durably;
use crate::ports::{Fault, FaultKind};

/// Comment by which a scratch database is known to be ours.
const MARK: &str = "respaldo: scratch database of a restore under way";

/// The database being built.
pub(super) struct Database {
    /// How to reach it.
    pub(super) conninfo: ConnInfo,
    /// Its record in the working folder; `None` where the empty target itself is filled.
    note: Option<String>,
}

/// What the working folder remembers of a scratch database.
#[derive(Serialize, Deserialize)]
struct Note {
    server: String,
    database: String,
}

/// Makes the database, equal to the source's in encoding and locale; or takes the empty target.
pub(super) fn make(
    restore: &Restore<'_>,
    plan: &RestorePlan,
    site: &Site,
) -> Result<Database, RestoreError> {
    restore
        .enter("restore.scratch")
        .map_err(RestoreError::Server)?;
    let admin = match &site.admin {
        Some(admin) if !site.direct => admin,
        _ => {
            return Ok(Database {
                conninfo: site.target.clone(),
                note: None,
            });
        }
    };
    let id = Uuid::new_v4().simple().to_string();
    let ending = format!("_respaldo_{}", &id[..8]);
    let name = databases::derived_name(&restore.request.target.database, &ending);
    let conninfo = admin.with_database(&name);
    let note = remember(restore, admin, &name).map_err(RestoreError::Server)?;
    let database = Database {
        conninfo,
        note: Some(note),
    };
    let like = site
        .properties
        .as_ref()
        .unwrap_or(&plan.manifest.source.properties);
    match create(admin, &name, like, &plan.manifest.source.properties) {
        Ok(()) => Ok(database),
        Err(fault) => {
            database.discard(restore);
            Err(RestoreError::Server(fault))
        }
    }
}

/// `like` gives the owner; encoding and locale are those the rows were dumped under.
fn create(
    admin: &ConnInfo,
    name: &str,
    like: &DatabaseProperties,
    dumped: &DatabaseProperties,
) -> Result<(), Fault> {
    let mut session = Session::connect(admin, &SessionOptions::default())?;
    let statement = format!(
        "CREATE DATABASE {} TEMPLATE template0{}",
        quote_identifier(name),
        databases::locale_clause(dumped),
    );
    session.execute(sql(statement))?;
    let comment = format!(
        "COMMENT ON DATABASE {} IS {}",
        quote_identifier(name),
        quote_literal(MARK)
    );
    session.execute(sql(comment))?;
    set_owner(&mut session, name, &like.owner)
}

/// The owner matters to `public` and to who may do what later. A role that may not give the
/// database away keeps it.
fn set_owner(session: &mut Session, name: &str, owner: &str) -> Result<(), Fault> {
    let may: bool = session.value(
        sql(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = $1 \
             AND pg_catalog.pg_has_role(r.oid, 'MEMBER'))",
        )
        .bind(owner),
    )?;
    if may {
        let (name, owner) = (quote_identifier(name), quote_identifier(owner));
        session.execute(sql(format!("ALTER DATABASE {name} OWNER TO {owner}")))?;
    }
    Ok(())
}

/// Writes down that the database is about to be made.
fn remember(restore: &Restore<'_>, admin: &ConnInfo, name: &str) -> Result<String, Fault> {
    let file = format!("scratch-{}.json", Uuid::new_v4().simple());
    let note = Note {
        server: server_of(admin),
        database: name.to_owned(),
    };
    let text = serde_json::to_vec(&note)
        .map_err(|e| Fault::new(FaultKind::Internal, "writing a note", e))?;
    let path = restore.work.file(&file);
    write_durably(&path, &text).map_err(|e| Fault::io(format!("writing {}", path.display()), e))?;
    Ok(file)
}

fn server_of(info: &ConnInfo) -> String {
    format!("{}:{}", info.host(), info.port())
}

impl Database {
    /// Whether it is a database of its own that has to take the target's place.
    pub(super) fn is_scratch(&self) -> bool {
        self.note.is_some()
    }

    /// Forgets the note: the database is no scratch any more.
    pub(super) fn settled(&self, restore: &Restore<'_>) {
        if let Some(note) = &self.note {
            // A note of a database that does not bear the mark any more is harmless.
            let _ = fs::remove_file(restore.work.file(note));
        }
    }

    /// Drops it after a failure. What cannot be dropped now is dropped by the next run.
    pub(super) fn discard(&self, restore: &Restore<'_>) {
        let Some(note) = &self.note else { return };
        let admin = restore.server();
        let name = self.conninfo.database();
        let dropped = other_databases(&admin, name)
            .find_map(|admin| Session::connect(&admin, &SessionOptions::default()).ok())
            .ok_or_else(|| Fault::bare(FaultKind::Unavailable, "no database to connect from"))
            .and_then(|mut session| drop_marked(&mut session, name));
        match dropped {
            Ok(()) => drop(fs::remove_file(restore.work.file(note))),
            Err(fault) => {
                tracing::warn!(database = name, error = %chain(&fault), "the scratch database is left");
            }
        }
    }
}

fn other_databases(server: &ConnInfo, not: &str) -> impl Iterator<Item = ConnInfo> {
    let names = [
        server.database().to_owned(),
        "postgres".to_owned(),
        "template1".to_owned(),
    ];
    let others: Vec<ConnInfo> = names
        .iter()
        .filter(|name| *name != not)
        .map(|name| server.with_database(name))
        .collect();
    others.into_iter()
}

/// Drops a database that bears our mark, or that was not marked yet because it is empty and new.
fn drop_marked(session: &mut Session, name: &str) -> Result<(), Fault> {
    let row = session.optional_row(
        sql("SELECT pg_catalog.shobj_description(oid, 'pg_database') \
             FROM pg_catalog.pg_database WHERE datname = $1")
        .bind(name),
    )?;
    let Some(row) = row else { return Ok(()) };
    let comment: Option<String> = row.try_get(0).unwrap_or_default();
    if comment.is_some_and(|comment| comment != MARK) {
        let what = format!("database {name:?} does not bear our mark");
        return Err(Fault::bare(FaultKind::Denied, what));
    }
    databases::end_sessions(session, name)?;
    session.execute(sql(format!(
        "DROP DATABASE IF EXISTS {}",
        quote_identifier(name)
    )))?;
    Ok(())
}

/// Drops scratch databases of restores that were killed. Not having managed is not a failure of
/// the restore at hand.
pub(super) fn drop_abandoned(restore: &Restore<'_>, site: &Site) {
    let Some(admin) = &site.admin else { return };
    let Ok(folder) = fs::read_dir(restore.work.file(".")) else {
        return;
    };
    for entry in folder.flatten() {
        let name = entry.file_name();
        let is_note = name.to_string_lossy().starts_with("scratch-");
        let note = fs::read(entry.path()).ok().filter(|_| is_note);
        let Some(note) = note.and_then(|text| serde_json::from_slice::<Note>(&text).ok()) else {
            continue;
        };
        if note.server != server_of(admin) || in_use(admin, &note.database) {
            continue;
        }
        let dropped = Session::connect(admin, &SessionOptions::default())
            .map_err(Fault::from)
            .and_then(|mut session| drop_marked(&mut session, &note.database));
        match dropped {
            Ok(()) => drop(fs::remove_file(entry.path())),
            Err(fault) => tracing::warn!(error = %chain(&fault), "a scratch database is left"),
        }
    }
}

/// Whether another restore of this machine is building it right now.
fn in_use(admin: &ConnInfo, name: &str) -> bool {
    let busy = sql("SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity WHERE datname = $1)");
    Session::connect(admin, &SessionOptions::default())
        .and_then(|mut session| session.value(busy.bind(name)))
        .unwrap_or(true)
}
