//! The catalog, and whether the existing backup system works beside us.

use respaldo_contract::messages::Doctor;
use respaldo_contract::operational::{MIGRATIONS_TABLE, SCHEMA};
use respaldo_postgres::{ConnInfo, PgError, Session, SessionOptions, sql};

use super::checks::Checks;
use crate::config::Config;
use crate::failure::reason_of;
use crate::messages::take_over;

/// Examines the catalog's database without making anything in it.
pub fn examine(config: &Config, checks: &mut Checks) {
    let Some(info) = &config.catalog else { return };
    if let Err(error) = look(info, checks) {
        let reason = reason_of(&error);
        checks.bad("catalogo", Doctor::NotConnected { reason: &reason });
    }
}

fn look(info: &ConnInfo, checks: &mut Checks) -> Result<(), PgError> {
    let mut session = Session::connect(info, &SessionOptions::default())?;
    let schema = SCHEMA;
    if exists(&mut session, MIGRATIONS_TABLE)? {
        checks.good("catalogo", Doctor::CatalogReady { schema: &schema });
    } else {
        checks.good("catalogo", Doctor::CatalogMissing { schema: &schema });
    }
    let recent = foreign_backups(&mut session)?;
    if recent > 0 {
        let advice = take_over::advice(recent, checks.lang());
        checks.warning_with("sistema_existente", Doctor::ExistingSystem {}, advice);
    }
    Ok(())
}

fn exists(session: &mut Session, table: &str) -> Result<bool, PgError> {
    let name = format!("{SCHEMA}.{table}");
    session.value(sql("SELECT pg_catalog.to_regclass($1::text) IS NOT NULL").bind(name))
}

/// Backups of the last forty days that are not ours: longer than its monthly cadence. What the
/// role may not see is not there for it.
fn foreign_backups(session: &mut Session) -> Result<i64, PgError> {
    if !exists(session, "backup_manifest")? {
        return Ok(0);
    }
    session.value(sql(format!(
        "SELECT pg_catalog.count(*) FROM {SCHEMA}.backup_manifest \
          WHERE COALESCE(metadata ->> 'motor', '') <> 'respaldo' \
            AND fecha_inicio > pg_catalog.now() - interval '40 days'"
    )))
}
