//! The target as it is found, and the way in which it can be restored into.

use respaldo_postgres::{
    ArchiveTools, ConnInfo, DatabaseProperties, PgError, Session, SessionOptions, field, server,
    sql,
};

use super::{Placement, Restoring};
use crate::built_in::BuiltIn;
use crate::error::LegacyError;

/// The target's server and what is there.
pub(super) struct Site {
    /// The target.
    pub(super) target: ConnInfo,
    /// It is there.
    pub(super) exists: bool,
    /// Nothing of anybody's is in it.
    pub(super) empty: bool,
    /// Its properties; those of a database beside it where it is missing.
    pub(super) properties: Option<DatabaseProperties>,
    /// How it is restored into.
    pub(super) way: Way,
}

/// How a target is restored into.
pub(super) enum Way {
    /// A database is built beside it and takes its place.
    Beside {
        /// Another database of the server, to connect to meanwhile.
        admin: ConnInfo,
    },
    /// It is empty, and filled in one transaction.
    Fill,
}

/// The role's rights on the server.
struct Rights {
    role: String,
    makes_databases: bool,
    owns_target: bool,
}

/// Tools for the server, whichever of its databases answers.
pub(super) fn tools(service: &BuiltIn) -> Result<ArchiveTools, LegacyError> {
    let mut databases = others(&service.database, "");
    let version = databases.find_map(|info| {
        let mut session = connect(&info).ok()?;
        server::version_num(&mut session).ok()
    });
    match version {
        Some(version) => service.tools_of(version),
        None => service.tools(),
    }
}

impl Site {
    pub(super) fn inspect(restoring: &Restoring<'_>) -> Result<Self, LegacyError> {
        let server = &restoring.service.database;
        let name = restoring.request.database.as_deref();
        let target = server.with_database(name.unwrap_or(server.database()));
        let admin = others(server, target.database()).find(|info| connect(info).is_ok());
        let exists = match &admin {
            Some(admin) => exists(admin, target.database()).map_err(LegacyError::Server)?,
            None => true,
        };
        let like = if exists {
            &target
        } else {
            admin.as_ref().unwrap_or(server)
        };
        let (empty, properties) = look_inside(like, exists).map_err(LegacyError::Server)?;
        let from = admin.as_ref().unwrap_or(&target);
        let rights = rights(from, target.database()).map_err(LegacyError::Server)?;
        let way = decide(
            restoring.request.placement,
            &target,
            exists,
            empty,
            &rights,
            admin,
        )?;
        Ok(Self {
            target,
            exists,
            empty,
            properties: Some(properties),
            way,
        })
    }
}

/// How the target is restored into; an error where it may not be.
fn decide(
    placement: Placement,
    target: &ConnInfo,
    exists: bool,
    empty: bool,
    rights: &Rights,
    admin: Option<ConnInfo>,
) -> Result<Way, LegacyError> {
    let name = target.database();
    if !exists && placement == (Placement::Fresh { create: false }) {
        return Err(LegacyError::TargetMissing(name.to_owned()));
    }
    if exists && !empty && matches!(placement, Placement::Fresh { .. }) {
        return Err(LegacyError::TargetNotEmpty(name.to_owned()));
    }
    let role = &rights.role;
    let hindrance = match (
        &admin,
        rights.makes_databases,
        !exists || rights.owns_target,
    ) {
        (Some(_), true, true) => None,
        (_, false, _) => Some(format!(
            "role {role} may not make databases (ALTER ROLE {role} CREATEDB); or give an empty \
             database as the target"
        )),
        (None, true, _) => Some(format!(
            "replacing {name} needs a second database to connect from, such as postgres"
        )),
        (Some(_), true, false) => Some(format!(
            "only the owner of {name} or a superuser may replace it"
        )),
    };
    match (hindrance, admin) {
        (None, Some(admin)) => Ok(Way::Beside { admin }),
        (_, _) if exists && empty => Ok(Way::Fill),
        (hindrance, _) => Err(LegacyError::Rights(hindrance.unwrap_or_default())),
    }
}

/// Databases to connect to, the configured one first.
fn others(server: &ConnInfo, not: &str) -> impl Iterator<Item = ConnInfo> {
    let names = [server.database(), "postgres", "template1"];
    let names = names.into_iter().filter(|name| *name != not);
    let infos: Vec<ConnInfo> = names.map(|name| server.with_database(name)).collect();
    infos.into_iter()
}

fn connect(info: &ConnInfo) -> Result<Session, PgError> {
    Session::connect(info, &SessionOptions::default())
}

fn exists(admin: &ConnInfo, name: &str) -> Result<bool, PgError> {
    let exists = sql("SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)");
    connect(admin)?.value(exists.bind(name))
}

fn look_inside(
    database: &ConnInfo,
    is_target: bool,
) -> Result<(bool, DatabaseProperties), PgError> {
    let mut session = connect(database)?;
    let empty = !is_target || server::is_empty(&mut session)?;
    Ok((empty, server::source_facts(&mut session)?.properties))
}

fn rights(from: &ConnInfo, target: &str) -> Result<Rights, PgError> {
    let row = connect(from)?.row(
        sql(
            "SELECT r.rolname::text AS role, r.rolsuper OR r.rolcreatedb AS makes_databases, \
               coalesce((SELECT pg_catalog.pg_has_role(d.datdba, 'USAGE') \
                         FROM pg_catalog.pg_database d WHERE d.datname = $1), true) AS owns_target \
             FROM pg_catalog.pg_roles r WHERE r.rolname = current_user",
        )
        .bind(target),
    )?;
    Ok(Rights {
        role: field(&row, "role")?,
        makes_databases: field(&row, "makes_databases")?,
        owns_target: field(&row, "owns_target")?,
    })
}
