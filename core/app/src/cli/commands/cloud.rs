//! `cloud`.

mod copies;

use respaldo_contract::messages::{ExitCode, Header};

use crate::cli::app::App;
use crate::cli::args::{CloudCommand, CloudSetArgs};
use crate::cli::say::Text;
use crate::failure::Failure;
use crate::output::Table;
use crate::records::{self, CloudChange};

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
    let record = match change {
        None => records::cloud(&config)?,
        Some(args) => records::change_cloud(&config, &changed(args))?,
    };
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

fn changed(args: &CloudSetArgs) -> CloudChange {
    CloudChange {
        enabled: args.enabled,
        provider: args.provider.as_ref().map(|provider| provider.provider()),
        sync_dir: args.sync_dir.clone(),
    }
}
