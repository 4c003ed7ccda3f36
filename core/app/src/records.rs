//! What the command line and the panel both answer: made once, from the engine to the contract's record.

mod deleting;
mod schedule;
mod settings;
mod sinks;
mod standing;

use respaldo_contract::messages::Lang;
use respaldo_contract::records::{
    Catalogued, ExpireRecord, PluginListRecord, PluginRecord, RuledBackup, ShowRecord,
};
use respaldo_domain::backup::BackupState;
use respaldo_domain::manifest::Manifest;
use respaldo_engine::expire::{ExpiryReport, Ruled};
use respaldo_engine::operations::Operations;
use respaldo_engine::ports::CatalogEntry;
use respaldo_plugin_host::{Description, Isolation, PluginConfig, identify, interface_version};
use serde_json::{Value, json};

use crate::config::Config;
use crate::failure::reason_of;
use crate::wiring;

pub use deleting::Numbers;
pub use schedule::{RuleParts, changed_rule, schedule_in_force};
pub use settings::{CloudChange, change_cloud, change_retention, cloud, retention};
pub use sinks::{check_sink, sinks, synced, unknown_sink};
pub use standing::{owed, silence, tell_service};

/// One backup.
pub fn shown(
    operations: &Operations,
    manifest: &Manifest,
    entry: Option<&CatalogEntry>,
    lang: Lang,
) -> ShowRecord {
    let stored_at = || operations.parts().store.location(&manifest.archive.key());
    let catalogued = Catalogued {
        id: entry.and_then(|entry| entry.id),
        state: entry.map_or(BackupState::Completed, |entry| entry.state),
        location: entry.map_or_else(stored_at, |entry| entry.location.clone()),
    };
    ShowRecord::of(manifest, catalogued, lang)
}

/// What retention would do.
pub fn rehearsed(plan: &[Ruled], lang: Lang) -> ExpireRecord {
    ExpireRecord::rehearsed(&ruled(plan), lang)
}

/// What retention did.
pub fn expired(report: &ExpiryReport, lang: Lang) -> ExpireRecord {
    let failed = report.failed.iter();
    let failed = failed.map(|(name, fault)| format!("{name}: {fault}"));
    ExpireRecord::done(
        &ruled(&report.ruled),
        &report.removed,
        report.freed_bytes,
        failed.collect(),
        lang,
    )
}

fn ruled(plan: &[Ruled]) -> Vec<RuledBackup> {
    let backup = |ruled: &Ruled| RuledBackup {
        archive: ruled.header.archive.clone(),
        kind: ruled.header.kind,
        snapshot_at: ruled.header.snapshot_at,
        bytes: ruled.header.stored_bytes(),
        fate: ruled.fate.clone(),
    };
    plan.iter().map(backup).collect()
}

/// Every strategy there is.
pub fn plugins(config: &Config) -> PluginListRecord {
    let built_in = wiring::built_in();
    let built_in = built_in.into_iter().map(|(kind, name)| PluginRecord {
        nombre: name.to_owned(),
        clase: Some(kind.word()),
        incluido: true,
        utilizable: true,
        ..PluginRecord::default()
    });
    let own = config.plugins.values().map(plugin);
    PluginListRecord {
        complementos: built_in.chain(own).collect(),
    }
}

/// What is known of a configured plugin, whether it can be used or not.
pub fn plugin(plugin: &PluginConfig) -> PluginRecord {
    let found = identify(plugin);
    let described = found
        .as_ref()
        .map(|description| described(&plugin.name, description));
    PluginRecord {
        nombre: plugin.name.clone(),
        utilizable: found.is_ok(),
        problema: found.as_ref().err().map(|error| reason_of(error)),
        ruta: Some(plugin.path.display().to_string()),
        sha256: Some(plugin.sha256.to_string()),
        aislamiento: Some(match plugin.isolation {
            Isolation::Process => "process",
            Isolation::InProcess => "in-process",
        }),
        ..described.unwrap_or_default()
    }
}

/// What a plugin says of itself, under a name.
pub fn described(name: &str, description: &Description) -> PluginRecord {
    let said = |text: &String| (!text.is_empty()).then(|| text.clone());
    PluginRecord {
        nombre: name.to_owned(),
        clase: Some(description.kind.word()),
        incluido: false,
        utilizable: true,
        id: Some(description.id.clone()),
        titulo: said(&description.name),
        version: said(&description.version),
        autor: said(&description.vendor),
        licencia: said(&description.license),
        descripcion: said(&description.description),
        interfaz: Some(interface_version(description.api)),
        opciones: serde_json::from_str(&description.options_schema).ok(),
        ..PluginRecord::default()
    }
}

/// Every setting with its origin; secrets are masked.
pub fn config(config: &Config) -> Value {
    let settings = config.provenance.all();
    let record = |shown: &crate::config::Shown| json!({ "clave": shown.key, "valor": shown.value, "origen": shown.origin });
    let records: Vec<_> = settings.iter().map(record).collect();
    json!({ "ajustes": records })
}
