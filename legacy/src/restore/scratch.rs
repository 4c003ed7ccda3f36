//! The database that a restore builds: written down before it is made, known by its comment,
//! dropped when the restore fails, and by the next restore when this one is killed.

use std::fs;

use respaldo_postgres::{
    ConnInfo, PgError, PgErrorKind, Session, databases, field, quote_identifier, quote_literal, sql,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Restoring;
use super::site::{Site, Way};
use crate::copy::chain;
use crate::error::LegacyError;
use crate::folder::write_durably;

const NOTE: &str = "scratch-";
/// Comment by which the database is known to be ours.
const MARK: &str = "respaldo: scratch database of a legacy restore under way";

/// The database being built.
pub(super) struct Scratch {
    pub(super) conninfo: ConnInfo,
    /// File name of its note.
    note: String,
}

/// What is remembered of it.
#[derive(Serialize, Deserialize)]
struct Note {
    server: String,
    database: String,
}

impl Scratch {
    pub(super) fn make(
        restoring: &Restoring<'_>,
        site: &Site,
        admin: &ConnInfo,
    ) -> Result<Self, LegacyError> {
        let id = Uuid::new_v4().simple().to_string();
        let name =
            databases::derived_name(site.target.database(), &format!("_respaldo_{}", &id[..8]));
        let scratch = Self {
            conninfo: admin.with_database(&name),
            note: format!("{NOTE}{}.json", &id[..8]),
        };
        scratch.remember(restoring, admin)?;
        let made = Session::connect(admin, &restoring.session_options())
            .and_then(|mut session| create(&mut session, &name, site));
        match made {
            Ok(()) => Ok(scratch),
            Err(error) => {
                scratch.discard(restoring, admin);
                Err(LegacyError::Server(error))
            }
        }
    }

    /// Writes down that the database is about to be made.
    fn remember(&self, restoring: &Restoring<'_>, admin: &ConnInfo) -> Result<(), LegacyError> {
        let path = restoring.locked.folder().memory(&self.note);
        let note = Note {
            server: server_of(admin),
            database: self.name().to_owned(),
        };
        let text = serde_json::to_vec(&note).map_err(std::io::Error::other);
        write_durably(&path, &text.map_err(LegacyError::io("writing", &path))?)
    }

    /// It is no scratch any more. A note of a database that does not bear the mark is harmless.
    pub(super) fn settled(&self, restoring: &Restoring<'_>) {
        if let Err(error) = restoring.locked.forget(&self.note) {
            tracing::debug!(%error, "the note is left");
        }
    }

    pub(super) fn name(&self) -> &str {
        self.conninfo.database()
    }

    /// Drops it after a failure. What cannot be dropped now is by the next restore.
    pub(super) fn discard(&self, restoring: &Restoring<'_>, admin: &ConnInfo) {
        let dropped = Session::connect(admin, &restoring.session_options())
            .and_then(|mut session| drop_marked(&mut session, self.name()));
        match dropped {
            Ok(()) => self.settled(restoring),
            Err(error) => {
                tracing::warn!(database = self.name(), error = %chain(&error), "it is left");
            }
        }
    }
}

/// Drops the databases that restores which were killed left on this server.
pub(super) fn drop_abandoned(restoring: &Restoring<'_>, site: &Site) {
    let Way::Beside { admin } = &site.way else {
        return;
    };
    let folder = fs::read_dir(restoring.locked.folder().memory(".")).ok();
    for entry in folder.into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = fs::read(entry.path()).ok();
        let text = text.filter(|_| name.starts_with(NOTE));
        let note = text.and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        if let Some(note) = note.filter(|note| note.server == server_of(admin)) {
            let scratch = Scratch {
                conninfo: admin.with_database(&note.database),
                note: name,
            };
            scratch.discard(restoring, admin);
        }
    }
}

fn server_of(info: &ConnInfo) -> String {
    format!("{}:{}", info.host(), info.port())
}

/// Encoding, locale and owner are those of the database it will replace, or stand beside.
fn create(session: &mut Session, name: &str, site: &Site) -> Result<(), PgError> {
    let quoted = quote_identifier(name);
    let locale = site
        .properties
        .as_ref()
        .map(databases::locale_clause)
        .unwrap_or_default();
    session.execute(sql(format!(
        "CREATE DATABASE {quoted} TEMPLATE template0{locale}"
    )))?;
    let mark = quote_literal(MARK);
    session.execute(sql(format!("COMMENT ON DATABASE {quoted} IS {mark}")))?;
    match site.properties.as_ref().filter(|_| site.exists) {
        Some(properties) => set_owner(session, name, &properties.owner),
        None => Ok(()),
    }
}

/// A role that may not give the database away keeps it.
fn set_owner(session: &mut Session, name: &str, owner: &str) -> Result<(), PgError> {
    let may = sql(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = $1 \
         AND pg_catalog.pg_has_role(r.oid, 'MEMBER'))",
    );
    if session.value(may.bind(owner))? {
        let (name, owner) = (quote_identifier(name), quote_identifier(owner));
        session.execute(sql(format!("ALTER DATABASE {name} OWNER TO {owner}")))?;
    }
    Ok(())
}

/// Drops a database that bears our mark, or none because it is new; one with another comment is
/// somebody else's.
fn drop_marked(session: &mut Session, name: &str) -> Result<(), PgError> {
    let find = sql(
        "SELECT pg_catalog.shobj_description(oid, 'pg_database') AS comment \
         FROM pg_catalog.pg_database WHERE datname = $1",
    );
    let Some(row) = session.optional_row(find.bind(name))? else {
        return Ok(());
    };
    let comment: Option<String> = field(&row, "comment")?;
    if comment.is_some_and(|comment| comment != MARK) {
        return Ok(());
    }
    let drop = format!("DROP DATABASE IF EXISTS {}", quote_identifier(name));
    databases::end_sessions(session, name)?;
    match session.execute(sql(drop.clone())) {
        // Sessions of a pg_restore that was killed may take a moment to go.
        Err(error) if error.kind != PgErrorKind::Connection => {
            databases::end_sessions(session, name)?;
            session.execute(sql(drop)).map(|_| ())
        }
        done => done.map(|_| ()),
    }
}
