//! `cloud`.

mod copies;

use respaldo_contract::labels::Label;
use respaldo_contract::messages::{ErrorCode, ExitCode, Header};
use respaldo_contract::records::CloudRecord;
use respaldo_domain::second_place::CloudSettings;
use respaldo_engine::ports::Catalog;

use crate::cli::app::App;
use crate::cli::args::{CloudCommand, CloudSetArgs};
use crate::cli::say::Text;
use crate::config::Config;
use crate::failure::{Failure, of_catalog};
use crate::output::Table;
use crate::wiring;

/// Shows where copies go, stores something else first, or sees to the copy of one backup.
pub fn run(command: &CloudCommand, app: &App) -> Result<ExitCode, Failure> {
    match command {
        CloudCommand::Show => show(None, app),
        CloudCommand::Set(args) => show(Some(args), app),
        CloudCommand::Upload(args) => copies::upload(args, app),
        CloudCommand::Remove(args) => copies::remove(args, app),
    }
}

fn show(change: Option<&CloudSetArgs>, app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let catalog = wiring::catalog(&config).ok_or_else(no_catalog)?;
    let stored = catalog.cloud().map_err(|fault| of_catalog(&fault))?;
    let mut settings = stored.unwrap_or_default();
    if let Some(args) = change {
        apply(args, &mut settings);
        catalog.migrate().map_err(|fault| of_catalog(&fault))?;
        catalog
            .set_cloud(&settings)
            .map_err(|fault| of_catalog(&fault))?;
    }
    let record = record(&config, &*catalog, settings);
    let code = match record.aviso {
        Some(_) => ExitCode::Look,
        None => ExitCode::Done,
    };
    app.output.result(&record, |lang| {
        let mut table = Table::new(lang, &[Header::Setting, Header::Value]);
        let rows = [
            ("enabled", record.enabled.to_string()),
            ("provider", record.provider.to_owned()),
            ("sync_dir", record.sync_dir.clone()),
            ("destinos", record.destinos.join(", ")),
        ];
        for (key, value) in rows {
            table.row([key.to_owned(), value]);
        }
        let mut text = Text::default();
        text.line(table);
        if let Some(note) = &record.aviso {
            text.line(format_args!("!!  {note}"));
        }
        text.into_string()
    });
    Ok(code)
}

fn no_catalog() -> Failure {
    Failure::new(
        ErrorCode::CatalogUnreachable,
        "the setting is stored beside the catalog, and [catalog] enabled is false",
    )
}

fn apply(args: &CloudSetArgs, settings: &mut CloudSettings) {
    if let Some(enabled) = args.enabled {
        settings.enabled = enabled;
    }
    if let Some(provider) = args.provider {
        settings.provider = provider.provider();
    }
    if let Some(folder) = &args.sync_dir {
        settings.sync_dir.clone_from(folder);
    }
}

fn record(config: &Config, catalog: &dyn Catalog, settings: CloudSettings) -> CloudRecord {
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
