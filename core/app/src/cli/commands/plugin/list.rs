//! `plugin list` and `plugin info`.

use respaldo_contract::messages::{ErrorCode, ExitCode, Header, Lang, Spoken};
use respaldo_contract::records::{PluginListRecord, PluginRecord};
use respaldo_plugin_host::{Isolation, PluginConfig, identify};

use super::record_of;
use crate::cli::app::App;
use crate::cli::args::PluginInfoArgs;
use crate::cli::say::Text;
use crate::config::Config;
use crate::failure::{Failure, reason_of};
use crate::output::Table;
use crate::wiring;

/// Lists all there is.
pub fn list(app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let built_in = wiring::built_in();
    let built_in = built_in.into_iter().map(|(kind, name)| PluginRecord {
        nombre: name.to_owned(),
        clase: Some(kind.word()),
        incluido: true,
        utilizable: true,
        ..PluginRecord::default()
    });
    let own = config.plugins.values().map(look);
    let record = PluginListRecord {
        complementos: built_in.chain(own).collect(),
    };
    app.output.result(&record, |lang| table(&record, lang));
    let all_usable = record.complementos.iter().all(|plugin| plugin.utilizable);
    Ok(if all_usable {
        ExitCode::Done
    } else {
        ExitCode::Look
    })
}

/// Shows one.
pub fn info(args: &PluginInfoArgs, app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let plugin = find(&config, &args.name)?;
    identify(plugin)?;
    let record = look(plugin);
    app.output.result(&record, |lang| tell(&record, lang));
    Ok(ExitCode::Done)
}

fn find<'c>(config: &'c Config, name: &str) -> Result<&'c PluginConfig, Failure> {
    config.plugins.get(name).ok_or_else(|| {
        let names: Vec<&str> = config.plugins.keys().map(String::as_str).collect();
        let what = match names.is_empty() {
            true => format!("[plugins.{name}]: there is no [plugins.NAME] in the configuration"),
            false => format!("[plugins.{name}]: there are {}", names.join(", ")),
        };
        Failure::new(ErrorCode::ConfigInvalid, what)
    })
}

/// What is known of a configured plugin, whether it can be used or not.
fn look(plugin: &PluginConfig) -> PluginRecord {
    let found = identify(plugin);
    let described = found
        .as_ref()
        .map(|description| record_of(&plugin.name, description));
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

fn table(record: &PluginListRecord, lang: Lang) -> String {
    let mut table = Table::new(
        lang,
        &[Header::Name, Header::Kind, Header::Version, Header::Origin],
    );
    for plugin in &record.complementos {
        let origin = match (&plugin.problema, &plugin.ruta) {
            (Some(problem), _) => problem.clone(),
            (None, Some(path)) => path.clone(),
            (None, None) => "respaldo".to_owned(),
        };
        table.row([
            plugin.nombre.clone(),
            plugin.clase.unwrap_or("?").to_owned(),
            plugin.version.clone().unwrap_or_default(),
            origin,
        ]);
    }
    table.to_string()
}

fn tell(record: &PluginRecord, lang: Lang) -> String {
    let mut text = Text::default();
    let mut field = |heading: Header, value: Option<&str>| {
        if let Some(value) = value {
            text.line(format_args!("{}: {value}", heading.spoken(lang)));
        }
    };
    field(Header::Name, Some(&record.nombre));
    field(Header::Kind, record.clase);
    field(Header::Id, record.id.as_deref());
    field(Header::Version, record.version.as_deref());
    field(Header::Detail, record.titulo.as_deref());
    field(Header::Detail, record.descripcion.as_deref());
    field(Header::Address, record.ruta.as_deref());
    field(Header::Checksum, record.sha256.as_deref());
    if let Some(schema) = &record.opciones {
        text.line(serde_json::to_string_pretty(schema).unwrap_or_default());
    }
    text.into_string()
}
