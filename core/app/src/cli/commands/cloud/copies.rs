//! `cloud upload` and `cloud remove`: the copy of one backup, whether or not copies are switched on.

use respaldo_contract::messages::{ErrorCode, ExitCode, Outcome};
use respaldo_contract::records::{CloudCopyRecord, SinkLackRecord};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::second_place::CloudSettings;
use respaldo_engine::operations::{Operations, Selector};
use respaldo_engine::ports::Fault;
use respaldo_engine::sync::SyncError;

use crate::cli::app::App;
use crate::cli::args::{CloudCopyArgs, ProviderArg};
use crate::cli::say::Text;
use crate::failure::{Failure, of_lookup, of_sink, reason_of};
use crate::wiring;

/// Copies a backup and all that it is restored from.
pub fn upload(args: &CloudCopyArgs, app: &App) -> Result<ExitCode, Failure> {
    let (operations, sink) = second_place(args, app)?;
    let cx = app.context();
    let selector = Selector::from(args.backup.clone());
    let archive = operations.resolve(&selector, &cx);
    let archive = archive.map_err(|fault| of_lookup(&fault))?;
    let report = operations.give(&sink, &archive, &cx);
    let report = report.map_err(|error| match error {
        SyncError::Unknown(_) => nowhere(),
        SyncError::Listing(fault) => of_sink(&fault),
        SyncError::Interrupted => Failure::of(ErrorCode::Interrupted, &error),
    })?;
    drop(cx);
    let url = location(&operations, &sink, &archive);
    let failed = report.failed.len();
    let outcome = match &url {
        Some(url) if failed == 0 => Outcome::CopyThere {
            archive: &archive,
            url,
        },
        _ => Outcome::CopyIncomplete {
            archive: &archive,
            sink: &sink,
            failed: &failed,
        },
    };
    let lack = |(archive, fault): &(ArchiveName, Fault)| SinkLackRecord {
        archivo: archive.to_string(),
        motivo: reason_of(fault),
    };
    let record = CloudCopyRecord {
        exitoso: failed == 0,
        mensaje: outcome.text(app.lang()),
        archivo: archive.to_string(),
        copiados: report.copied.iter().map(ToString::to_string).collect(),
        bytes: report.copied_bytes,
        fallidos: report.failed.iter().map(lack).collect(),
        destino: sink,
        url,
    };
    Ok(tell(&record, app))
}

/// Removes the copy of a backup.
pub fn remove(args: &CloudCopyArgs, app: &App) -> Result<ExitCode, Failure> {
    let (operations, sink) = second_place(args, app)?;
    let cx = app.context();
    let selector = Selector::from(args.backup.clone());
    let archive = operations.resolve(&selector, &cx);
    let archive = archive.map_err(|fault| of_lookup(&fault))?;
    let removed = operations.remove_copy(&sink, &selector, &cx)?;
    drop(cx);
    let outcome = Outcome::CopyRemoved {
        archive: &archive,
        sink: &sink,
    };
    let record = CloudCopyRecord {
        exitoso: true,
        mensaje: outcome.text(app.lang()),
        archivo: archive.to_string(),
        url: None,
        copiados: Vec::new(),
        bytes: removed.freed_bytes,
        fallidos: Vec::new(),
        destino: sink,
    };
    Ok(tell(&record, app))
}

/// The engine with the second place that is meant, and the name of its sink.
fn second_place(args: &CloudCopyArgs, app: &App) -> Result<(Operations, String), Failure> {
    let config = app.config()?;
    let operations = wiring::operations_copying(&config, &asked(args, app)?)?;
    let places = &operations.parts().settings.second_places;
    let sink = places.first().map(|(name, _)| name.clone());
    Ok((operations, sink.ok_or_else(nowhere)?))
}

fn asked(args: &CloudCopyArgs, app: &App) -> Result<CloudSettings, Failure> {
    let catalog = wiring::catalog(&app.config()?);
    let stored = catalog.and_then(|catalog| catalog.cloud().ok().flatten());
    let stored = stored.unwrap_or_default();
    Ok(CloudSettings {
        enabled: true,
        provider: args.provider.map_or(stored.provider, ProviderArg::provider),
        sync_dir: args.sync_dir.clone().unwrap_or(stored.sync_dir),
    })
}

fn nowhere() -> Failure {
    Failure::new(
        ErrorCode::Usage,
        "there is no second place: name a folder with --sync-dir, or store one with respaldo cloud set",
    )
}

fn location(operations: &Operations, sink: &str, archive: &ArchiveName) -> Option<String> {
    let store = operations.parts().store.only(sink)?;
    Some(store.location(&archive.key()))
}

fn tell(record: &CloudCopyRecord, app: &App) -> ExitCode {
    app.output.result(record, |_| {
        let mut text = Text::default();
        for lack in &record.fallidos {
            text.line(format_args!("!!  {}: {}", lack.archivo, lack.motivo));
        }
        text.line(&record.mensaje);
        text.into_string()
    });
    match record.exitoso {
        true => ExitCode::Done,
        false => ExitCode::Look,
    }
}
