//! Settings that are stored beside the catalog.

use respaldo_contract::labels::Label;
use respaldo_contract::messages::ErrorCode;
use respaldo_contract::records::{CloudRecord, RetentionRecord};
use respaldo_contract::settings::retention as policy;
use respaldo_domain::retention::PolicyOverrides;
use respaldo_domain::second_place::{CloudSettings, Provider};
use respaldo_engine::operations::Operations;
use respaldo_engine::ports::Catalog;

use crate::config::Config;
use crate::failure::{Failure, of_catalog};
use crate::wiring;

/// The retention in force.
pub fn retention(operations: &Operations) -> Result<RetentionRecord, Failure> {
    let policy = operations.retention().map_err(|fault| of_catalog(&fault))?;
    let automatic = operations.parts().settings.expire_after_backup;
    Ok(RetentionRecord::of(&policy, automatic))
}

/// Stores another retention, which has to make sense.
pub fn change_retention(
    operations: &Operations,
    overrides: &PolicyOverrides,
) -> Result<(), Failure> {
    let stored = operations
        .stored_retention()
        .map_err(|fault| of_catalog(&fault))?;
    let changed = overrides.over(stored);
    policy::check(&changed).map_err(|error| Failure::of(ErrorCode::Usage, &error))?;
    operations
        .set_retention(&changed)
        .map_err(|fault| of_catalog(&fault))
}

/// What is given of another second place; the rest stays.
#[derive(Debug, Clone, Default)]
pub struct CloudChange {
    /// Whether backups are copied.
    pub enabled: Option<bool>,
    /// Where to.
    pub provider: Option<Provider>,
    /// The folder.
    pub sync_dir: Option<String>,
}

/// The second place as it is set.
pub fn cloud(config: &Config) -> Result<CloudRecord, Failure> {
    let catalog = wiring::catalog(config).ok_or_else(no_catalog)?;
    let stored = catalog.cloud().map_err(|fault| of_catalog(&fault))?;
    Ok(cloud_record(config, &*catalog, stored.unwrap_or_default()))
}

/// Sets it otherwise.
pub fn change_cloud(config: &Config, change: &CloudChange) -> Result<CloudRecord, Failure> {
    let catalog = wiring::catalog(config).ok_or_else(no_catalog)?;
    let stored = catalog.cloud().map_err(|fault| of_catalog(&fault))?;
    let mut settings = stored.unwrap_or_default();
    settings.enabled = change.enabled.unwrap_or(settings.enabled);
    settings.provider = change.provider.unwrap_or(settings.provider);
    if let Some(folder) = &change.sync_dir {
        settings.sync_dir.clone_from(folder);
    }
    catalog.migrate().map_err(|fault| of_catalog(&fault))?;
    catalog
        .set_cloud(&settings)
        .map_err(|fault| of_catalog(&fault))?;
    Ok(cloud_record(config, &*catalog, settings))
}

fn no_catalog() -> Failure {
    Failure::new(
        ErrorCode::CatalogUnreachable,
        "the setting is stored beside the catalog, and [catalog] enabled is false",
    )
}

fn cloud_record(config: &Config, catalog: &dyn Catalog, settings: CloudSettings) -> CloudRecord {
    let in_force = wiring::sinks_in_force(config, Some(catalog));
    let places = wiring::second_places(&in_force.sinks);
    CloudRecord {
        enabled: settings.enabled,
        provider: settings.provider.label(),
        sync_dir: settings.sync_dir,
        destinos: places.into_iter().map(|(name, _)| name).collect(),
        aviso: in_force.note,
    }
}
