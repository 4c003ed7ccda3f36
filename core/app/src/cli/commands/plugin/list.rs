//! `plugin list` and `plugin info`.

use respaldo_contract::messages::{ErrorCode, ExitCode, Header, Lang, Spoken};
use respaldo_contract::records::{PluginListRecord, PluginRecord};
use respaldo_plugin_host::{PluginConfig, identify};

use crate::cli::app::App;
use crate::cli::args::PluginInfoArgs;
use crate::cli::say::Text;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::Table;
use crate::records;

/// Lists all there is.
pub fn list(app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let record = records::plugins(&config);
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
    let record = records::plugin(plugin);
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
