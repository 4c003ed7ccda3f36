//! Settings in `config_sistema`, which the existing application shares.

use respaldo_contract::settings::{
    self, CLOUD_DESCRIPTION, CLOUD_KEY, RETENTION_DESCRIPTION, RETENTION_KEY,
    SCHEDULES_DESCRIPTION, SCHEDULES_KEY, STORED_TYPE,
};
use respaldo_domain::retention::Policy;
use respaldo_domain::schedule::{RuleChange, Schedule};
use respaldo_domain::second_place::CloudSettings;
use respaldo_engine::ports::StoredSchedule;
use respaldo_postgres::{Session, sql};

use crate::error::CatalogError;

/// The stored retention policy, `None` where none is stored or there is no such table.
pub(crate) fn retention(session: &mut Session) -> Result<Option<Policy>, CatalogError> {
    let Some(text) = read(session, RETENTION_KEY)? else {
        return Ok(None);
    };
    let read = settings::retention::parse(&text);
    match read.repairs.first() {
        // What is guessed must not decide what is removed.
        Some(repair) => Err(CatalogError::Setting {
            key: RETENTION_KEY,
            part: repair.key.clone(),
        }),
        None => Ok(Some(read.value)),
    }
}

/// Stores a retention policy.
pub(crate) fn set_retention(session: &mut Session, policy: &Policy) -> Result<(), CatalogError> {
    let text = settings::retention::to_json(policy);
    write(session, RETENTION_KEY, &text, RETENTION_DESCRIPTION)
}

/// Where copies go, `None` where nothing is stored or there is no such table.
pub(crate) fn cloud(session: &mut Session) -> Result<Option<CloudSettings>, CatalogError> {
    let text = read(session, CLOUD_KEY)?;
    Ok(text.map(|text| settings::cloud::parse(&text).value))
}

/// Stores where copies go.
pub(crate) fn set_cloud(
    session: &mut Session,
    settings: &CloudSettings,
) -> Result<(), CatalogError> {
    let text = settings::cloud::to_json(settings);
    write(session, CLOUD_KEY, &text, CLOUD_DESCRIPTION)
}

/// The stored schedule, `None` where none is stored or there is no such table.
pub(crate) fn schedule(
    session: &mut Session,
    otherwise: &Schedule,
) -> Result<Option<StoredSchedule>, CatalogError> {
    let Some(text) = read(session, SCHEDULES_KEY)? else {
        return Ok(None);
    };
    let read = settings::schedules::parse(&text, otherwise);
    Ok(Some(StoredSchedule {
        schedule: read.value,
        repairs: read.repairs.iter().map(ToString::to_string).collect(),
    }))
}

/// Stores one rule and leaves the rest of the text as it is.
pub(crate) fn change_schedule(
    session: &mut Session,
    change: RuleChange,
    otherwise: &Schedule,
) -> Result<(), CatalogError> {
    let stored = read(session, SCHEDULES_KEY)?.unwrap_or_default();
    let text = settings::schedules::changed(&stored, change, otherwise);
    write(session, SCHEDULES_KEY, &text, SCHEDULES_DESCRIPTION)
}

fn read(session: &mut Session, key: &str) -> Result<Option<String>, CatalogError> {
    let there = sql("SELECT pg_catalog.to_regclass('seguridad.config_sistema') IS NOT NULL");
    if !session.value::<bool>(there)? {
        return Ok(None);
    }
    let stored: Option<Option<String>> = session
        .optional_row(sql("SELECT valor FROM seguridad.config_sistema WHERE clave = $1").bind(key))?
        .map(|row| sqlx::Row::try_get(&row, 0))
        .transpose()
        .map_err(crate::error::unreadable)?;
    Ok(stored.flatten().filter(|text| !text.trim().is_empty()))
}

/// As the application does: an existing row keeps its type.
fn write(
    session: &mut Session,
    key: &str,
    value: &str,
    description: &str,
) -> Result<(), CatalogError> {
    let upsert = sql("
        INSERT INTO seguridad.config_sistema (clave, valor, tipo, descripcion)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (clave) DO UPDATE SET valor = EXCLUDED.valor")
    .bind(key)
    .bind(value)
    .bind(STORED_TYPE)
    .bind(description);
    session.execute(upsert)?;
    Ok(())
}
