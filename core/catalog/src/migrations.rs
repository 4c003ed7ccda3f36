//! Our tables, made or brought up to date.
//!
//! The files are applied in order, all that are due in one transaction, under the advisory lock
//! that the existing application holds while it loads its own schema: two of us, or it and us,
//! never meet halfway. The bookkeeping table has the layout of sqlx's, but the driver is this one:
//! a catalog that is up to date must be usable by a role that may create nothing and on a standby,
//! behind a pooler that shares sessions, and one whose tables were lost while the bookkeeping
//! survived - a restore of the application's own backup does that - must be mended.

use std::collections::BTreeMap;

use respaldo_postgres::{Session, sql};
use sqlx::Row;
use sqlx::migrate::{Migration, Migrator};

use crate::connection::transaction;
use crate::error::{CatalogError, unreadable};
use crate::event;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// The lock which the existing application takes while it loads its schema.
const SCHEMA_LOCK: i64 = 543_210;

/// `CREATE SCHEMA IF NOT EXISTS` wants the right to create one even where it is there.
const SCHEMA: &str = "
    DO $absent$ BEGIN
        IF to_regnamespace('seguridad') IS NULL THEN
            CREATE SCHEMA seguridad;
            REVOKE ALL ON SCHEMA seguridad FROM PUBLIC;
        END IF;
    END $absent$;
    CREATE TABLE IF NOT EXISTS seguridad.respaldo_migrations (
        version bigint PRIMARY KEY,
        description text NOT NULL,
        installed_on timestamptz NOT NULL DEFAULT now(),
        success boolean NOT NULL,
        checksum bytea NOT NULL,
        execution_time bigint NOT NULL
    )";

/// How many of the objects that our statements rely on are missing.
const MISSING: &str = "
    SELECT (SELECT count(*)
            FROM unnest(ARRAY['backup_manifest', 'backup_chain', 'backup_validation',
                              'respaldo_witness', 'respaldo_lease',
                              'respaldo_leader', 'respaldo_audit']) AS needed (name)
            WHERE to_regclass('seguridad.' || needed.name) IS NULL)
         + (SELECT count(*)
            FROM unnest(ARRAY['trg_respaldo_manifest_borrado',
                              'trg_respaldo_manifest_numero']) AS needed (name)
            WHERE NOT EXISTS (
                SELECT FROM pg_trigger t
                WHERE t.tgrelid = to_regclass('seguridad.backup_manifest')
                  AND t.tgname = needed.name))";

const RECORD: &str = "
    INSERT INTO seguridad.respaldo_migrations
        (version, description, success, checksum, execution_time)
    VALUES ($1, $2, true, $3, -1)
    ON CONFLICT (version) DO NOTHING";

/// Applies what is due, and everything again where objects are missing.
pub(crate) fn run(session: &mut Session) -> Result<(), CatalogError> {
    if due(session)?.is_empty() {
        return Ok(());
    }
    transaction(session, |session| {
        session.execute(sql("SELECT pg_advisory_xact_lock($1)").bind(SCHEMA_LOCK))?;
        session.batch(SCHEMA)?;
        due(session)?
            .into_iter()
            .try_for_each(|migration| apply(session, migration))?;
        Ok(session.batch(event::TABLE)?)
    })
}

fn apply(session: &mut Session, migration: &Migration) -> Result<(), CatalogError> {
    session.batch(migration.sql.as_str())?;
    let record = sql(RECORD)
        .bind(migration.version)
        .bind(migration.description.clone().into_owned())
        .bind(migration.checksum.to_vec());
    session.execute(record)?;
    Ok(())
}

/// The migrations to apply; reads only.
fn due(session: &mut Session) -> Result<Vec<&'static Migration>, CatalogError> {
    let applied = applied(session)?;
    if let Some(version) = applied
        .keys()
        .find(|version| !MIGRATIONS.version_exists(**version))
    {
        return Err(CatalogError::Newer(*version));
    }
    for migration in MIGRATIONS.iter() {
        let differs = |checksum: &Vec<u8>| checksum.as_slice() != &*migration.checksum;
        if applied.get(&migration.version).is_some_and(differs) {
            return Err(CatalogError::Modified(migration.version));
        }
    }
    let missing: i64 = session.value(sql(MISSING))?;
    let is_due = |m: &&Migration| missing > 0 || !applied.contains_key(&m.version);
    Ok(MIGRATIONS.iter().filter(is_due).collect())
}

fn applied(session: &mut Session) -> Result<BTreeMap<i64, Vec<u8>>, CatalogError> {
    let kept = "SELECT to_regclass('seguridad.respaldo_migrations') IS NOT NULL";
    if !session.value(sql(kept))? {
        return Ok(BTreeMap::new());
    }
    let rows = session.rows(sql(
        "SELECT version, checksum FROM seguridad.respaldo_migrations",
    ))?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get(0).map_err(unreadable)?,
                row.try_get(1).map_err(unreadable)?,
            ))
        })
        .collect()
}
