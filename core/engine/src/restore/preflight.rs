//! What is found out before anything is made: the target, the role's rights, the backup's objects,
//! roles and extensions.

use std::collections::BTreeSet;

use respaldo_domain::manifest::{ArchiveFacts, Manifest, TableData};
use respaldo_domain::object::{ObjectKey, Sha256};
use respaldo_domain::report::WarningCode;
use respaldo_domain::restore_plan::{RestorePlan, TableLoad};
use respaldo_domain::source::DatabaseProperties;
use respaldo_postgres::{ConnInfo, Session, SessionOptions, server, sql};
use sqlx::Row;

use super::{Placement, Restore, RestoreError, SchemaFiles, occupants};
use crate::history::History;
use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::reading;
use crate::rest;
use crate::store::{HashingReader, Store};

/// The target's server and what is there.
pub(super) struct Site {
    /// A database of the server other than the target; `None` where there is none to be had.
    pub(super) admin: Option<ConnInfo>,
    /// The target.
    pub(super) target: ConnInfo,
    /// The target is there.
    pub(super) exists: bool,
    /// Nothing of anybody's is in it.
    pub(super) empty: bool,
    /// Its database-level state.
    pub(super) properties: Option<DatabaseProperties>,
    /// Fill the empty target itself, because the role may not make databases.
    pub(super) direct: bool,
}

/// The role's rights on the server.
struct Rights {
    role: String,
    makes_databases: bool,
    owns_target: bool,
}

/// Looks at the target and decides how it is filled.
pub(super) fn inspect(restore: &mut Restore<'_>, plan: &RestorePlan) -> Result<Site, RestoreError> {
    restore
        .enter("restore.inspect")
        .map_err(RestoreError::Server)?;
    let server = restore.server();
    let name = restore.request.target.database.clone();
    let target = server.with_database(&name);
    let admin = admin_database(&server, &name, &plan.manifest);
    let exists = match &admin {
        Some(admin) => database_exists(admin, &name).map_err(RestoreError::Server)?,
        None => true,
    };
    let (empty, properties) = match exists {
        true => look_inside(&target).map_err(RestoreError::Server)?,
        false => (true, None),
    };
    let rights = rights(admin.as_ref().unwrap_or(&target), &name).map_err(RestoreError::Server)?;
    let direct = decide(restore, &rights, exists, empty, admin.is_some())?;
    if let Some(admin) = admin.as_ref().filter(|_| exists && !direct) {
        occupants::refuse_lasting(admin, &name, restore.cx)?;
    }
    Ok(Site {
        admin,
        target,
        exists,
        empty,
        properties,
        direct,
    })
}

/// Whether the target is filled directly; an error where it may not be filled at all.
fn decide(
    restore: &Restore<'_>,
    rights: &Rights,
    exists: bool,
    empty: bool,
    has_admin: bool,
) -> Result<bool, RestoreError> {
    let name = &restore.request.target.database;
    let replace = matches!(restore.request.target.placement, Placement::Replace { .. });
    let create = restore.request.target.placement == Placement::Fresh { create: true };
    if !exists && !create && !replace {
        return Err(RestoreError::TargetMissing(name.clone()));
    }
    if exists && !empty && !replace {
        return Err(RestoreError::TargetNotEmpty(name.clone()));
    }
    let builds_beside = rights.makes_databases && has_admin && (!exists || rights.owns_target);
    if builds_beside {
        return Ok(false);
    }
    if exists && empty {
        return Ok(true);
    }
    let role = &rights.role;
    Err(RestoreError::Rights(
        match (rights.makes_databases, has_admin) {
            (false, _) => format!(
                "role {role} may not make databases (ALTER ROLE {role} CREATEDB); \
             or give an empty database as the target, or restore tables with --into-schema"
            ),
            (true, false) => format!(
                "replacing {name} needs a second database to connect from, such as postgres"
            ),
            (true, true) => format!("only the owner of {name} or a superuser may replace it"),
        },
    ))
}

/// Some database to connect to while the target is replaced.
fn admin_database(server: &ConnInfo, target: &str, manifest: &Manifest) -> Option<ConnInfo> {
    let given = [
        server.database(),
        "postgres",
        "template1",
        manifest.source.database.as_str(),
    ];
    let others = given.into_iter().filter(|name| *name != target);
    let reachable = |info: &ConnInfo| Session::connect(info, &SessionOptions::default()).is_ok();
    others
        .map(|name| server.with_database(name))
        .find(reachable)
}

fn database_exists(admin: &ConnInfo, name: &str) -> Result<bool, Fault> {
    let mut session = Session::connect(admin, &SessionOptions::default())?;
    let exists = sql("SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)");
    Ok(session.value(exists.bind(name))?)
}

/// Whether anything is in it that its template did not have, and its database-level state.
fn look_inside(target: &ConnInfo) -> Result<(bool, Option<DatabaseProperties>), Fault> {
    let mut session = Session::connect(target, &SessionOptions::default())?;
    let empty = server::is_empty(&mut session)?;
    let facts = server::source_facts(&mut session)?;
    Ok((empty, Some(facts.properties)))
}

fn rights(admin: &ConnInfo, target: &str) -> Result<Rights, Fault> {
    let mut session = Session::connect(admin, &SessionOptions::default())?;
    let row = session.row(
        sql("SELECT r.rolname::text, r.rolsuper OR r.rolcreatedb, \
               coalesce((SELECT pg_catalog.pg_has_role(d.datdba, 'USAGE') \
                         FROM pg_catalog.pg_database d WHERE d.datname = $1), true) \
             FROM pg_catalog.pg_roles r WHERE r.rolname = current_user")
        .bind(target),
    )?;
    let wrong = |e| Fault::new(FaultKind::Internal, "reading the role's rights", e);
    Ok(Rights {
        role: row.try_get(0).map_err(wrong)?,
        makes_databases: row.try_get(1).map_err(wrong)?,
        owns_target: row.try_get(2).map_err(wrong)?,
    })
}

/// Every archive must be there with its size. Where there is no scratch database that a bad block
/// could fail in, or where older tables are welcome, every block is read now.
pub(super) fn check_objects(
    restore: &mut Restore<'_>,
    plan: RestorePlan,
    site: &Site,
) -> Result<RestorePlan, RestoreError> {
    restore
        .enter("restore.objects")
        .map_err(RestoreError::Backup)?;
    let held = reading::hold(restore.parts, &plan.manifest, restore.cx);
    restore.reading = Some(held.map_err(RestoreError::Backup)?.warned());
    let lenient = restore.request.options.allow_older_tables;
    for share in &plan.sources {
        let own = &share.facts.name == plan.manifest.definitions_in();
        match present(restore, &share.facts) {
            Err(fault) if own || !lenient => return Err(RestoreError::Backup(fault)),
            _ => {}
        }
    }
    check_rests(restore, &plan).map_err(RestoreError::Backup)?;
    if lenient {
        with_older_tables(restore, plan)
    } else if site.direct {
        check_blocks(restore, &plan)?;
        Ok(plan)
    } else {
        Ok(plan)
    }
}

/// What no block vouches for: the definitions, and the large objects where they are elsewhere.
fn check_rests(restore: &Restore<'_>, plan: &RestorePlan) -> Result<(), Fault> {
    if restore.request.options.into_schema.is_some() {
        return Ok(());
    }
    let manifest = &plan.manifest;
    let elsewhere = manifest.large_objects.archive.as_ref();
    let needed = [Some(manifest.definitions_in()), elsewhere];
    let unknown = |facts: &ArchiveFacts| facts.rest.is_none();
    for facts in &manifest.archives {
        // An archive of others has one hash for all of it, and one bad table must not hold the
        // others back where that was asked for.
        let tolerated = restore.request.options.allow_older_tables && unknown(facts);
        if needed.contains(&Some(&facts.name)) && !tolerated {
            let (store, cx) = (&restore.parts.store, restore.cx);
            store.with_sound(&facts.name.key(), cx, |store| {
                rest::check(&store.inside(), facts, cx)
            })?;
        }
    }
    Ok(())
}

fn present(restore: &Restore<'_>, archive: &ArchiveFacts) -> Result<(), Fault> {
    let (key, cx) = (archive.name.key(), restore.cx);
    restore.parts.store.with_sound(&key, cx, |store| {
        let found = ObjectReader::head(store, &key, cx)?;
        if found.size_bytes == archive.size_bytes {
            return Ok(());
        }
        let what = format!(
            "{key} has {} bytes instead of {}",
            found.size_bytes, archive.size_bytes
        );
        Err(Fault::bare(FaultKind::Corrupt, what))
    })
}

/// Reads every block the plan loads and compares its hash.
pub(super) fn check_blocks(restore: &Restore<'_>, plan: &RestorePlan) -> Result<(), RestoreError> {
    plan.loads.iter().try_for_each(|load| {
        check_block(restore, &load.data).map_err(|source| RestoreError::Load {
            table: load.entry.name.clone(),
            source,
        })
    })
}

fn check_block(restore: &Restore<'_>, data: &TableData) -> Result<(), Fault> {
    let (key, cx) = (data.archive.key(), restore.cx);
    let store = &restore.parts.store;
    store.with_sound(&key, cx, |store| check_block_in(store, &key, data, cx))
}

fn check_block_in(
    store: &Store,
    key: &ObjectKey,
    data: &TableData,
    cx: &Context,
) -> Result<(), Fault> {
    cx.check()?;
    let range = data.block.offset..data.block.offset + data.block.length;
    let stream = store.open_inside(key, Some(range), cx)?;
    let mut reader = HashingReader::new(stream);
    reader
        .drain()
        .map_err(|e| crate::store::fault_of_io(format!("reading {key}"), e))?;
    let (found, _): (Sha256, u64) = reader.finish();
    if found == data.block.sha256 {
        return Ok(());
    }
    let what = format!(
        "a block of {key} is damaged (at byte {})",
        data.block.offset
    );
    Err(Fault::bare(FaultKind::Corrupt, what))
}

/// Replaces each table whose block cannot be read by its newest older version that can.
fn with_older_tables(
    restore: &mut Restore<'_>,
    mut plan: RestorePlan,
) -> Result<RestorePlan, RestoreError> {
    let mut older: Option<Vec<Manifest>> = None;
    for index in 0..plan.loads.len() {
        let Err(fault) = check_block(restore, &plan.loads[index].data) else {
            continue;
        };
        if older.is_none() {
            older = Some(older_manifests(restore, &plan.manifest).map_err(RestoreError::Backup)?);
        }
        let load = &mut plan.loads[index];
        let version = older
            .iter()
            .flatten()
            .find_map(|manifest| usable(restore, manifest, load));
        let Some((data, facts)) = version else {
            return Err(RestoreError::Load {
                table: load.entry.name.clone(),
                source: fault,
            });
        };
        let stamp = format!("{} from {}", load.entry.name, data.archive);
        load.data = data;
        if plan.manifest.archive_facts(&facts.name).is_none() {
            plan.manifest.header.archives.insert(0, facts);
        }
        restore.warn(WarningCode::OlderTable, stamp);
    }
    Ok(plan)
}

/// Manifests before this one of the same database, newest first.
fn older_manifests(restore: &Restore<'_>, than: &Manifest) -> Result<Vec<Manifest>, Fault> {
    let (parts, cx) = (restore.parts, restore.cx);
    let history = History::load(&parts.store, &*parts.codec, &restore.work, cx)?;
    let before = history.candidates.iter().rev().filter(|candidate| {
        candidate.sequence < than.sequence && candidate.lineage.same_database(&than.source.lineage)
    });
    let read = |name| parts.store.manifest(name, &*parts.codec, cx).ok();
    Ok(before
        .filter_map(|candidate| read(&candidate.archive))
        .collect())
}

/// The table's rows in an older manifest, where they have the same columns and can be read.
fn usable(
    restore: &Restore<'_>,
    manifest: &Manifest,
    load: &TableLoad,
) -> Option<(TableData, ArchiveFacts)> {
    let entry = manifest
        .tables
        .iter()
        .find(|entry| entry.oid == load.entry.oid)?;
    let data = entry.data.as_ref()?;
    let other = data.block != load.data.block && entry.columns == load.entry.columns;
    let readable = other && check_block(restore, data).is_ok();
    let facts = manifest.archive_facts(&data.archive)?;
    readable.then(|| (data.clone(), facts.clone()))
}

/// Roles and extensions that the definitions need.
pub(super) fn check_target(
    restore: &mut Restore<'_>,
    plan: &RestorePlan,
    files: &SchemaFiles,
    site: &Site,
) -> Result<(), RestoreError> {
    restore
        .enter("restore.preflight")
        .map_err(RestoreError::Server)?;
    let admin = site.admin.as_ref().unwrap_or(&site.target);
    let mut session = Session::connect(admin, &SessionOptions::default())
        .map_err(|e| RestoreError::Server(e.into()))?;
    let missing = missing(
        &mut session,
        &files.extensions,
        "SELECT name::text FROM pg_catalog.pg_available_extensions",
    )?;
    if !missing.is_empty() {
        return Err(RestoreError::ExtensionsMissing(missing));
    }
    super::roles::ensure(restore, plan, &mut session)
}

/// Those of `wanted` that a query does not list.
pub(super) fn missing(
    session: &mut Session,
    wanted: &[String],
    question: &str,
) -> Result<Vec<String>, RestoreError> {
    let rows = session
        .rows(sql(question))
        .map_err(|e| RestoreError::Server(e.into()))?;
    let there: BTreeSet<String> = rows.iter().filter_map(|row| row.try_get(0).ok()).collect();
    Ok(wanted
        .iter()
        .filter(|name| !there.contains(*name))
        .cloned()
        .collect())
}
