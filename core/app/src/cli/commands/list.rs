//! `list`.

use respaldo_contract::labels::Label;
use respaldo_contract::messages::{ExitCode, Header, Lang, Outcome, Spoken};
use respaldo_contract::records::{BackupShare, ListRecord};
use respaldo_domain::backup::{BackupKind, BackupState};
use respaldo_engine::ports::{CatalogEntry, CatalogFilter};

use crate::cli::app::App;
use crate::cli::args::ListArgs;
use crate::cli::say;
use crate::failure::{Failure, of_catalog};
use crate::output::Table;

/// Lists backups.
pub fn run(args: &ListArgs, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations()?;
    let filter = CatalogFilter {
        kind: args.kind.map(crate::cli::args::KindArg::kind),
        state: (!args.all_states).then_some(BackupState::Completed),
        limit: Some(args.limit),
        ours_only: false,
    };
    let entries = operations
        .list(&filter, &app.context())
        .map_err(|fault| of_catalog(&fault))?;
    let records: Vec<ListRecord> = entries.iter().map(record).collect();
    app.output.result(&records, |lang| text(&entries, lang));
    Ok(ExitCode::Done)
}

/// The record of a catalog entry.
pub fn record(entry: &CatalogEntry) -> ListRecord {
    ListRecord {
        id: entry.id,
        tipo: entry.kind_label.clone(),
        archivo: entry.location.clone(),
        nombre: entry.archive.clone(),
        fecha_inicio: entry.started_at,
        fecha_fin: entry.finished_at,
        tamano: entry.size_bytes,
        checksum: entry.sha256,
        estado: entry.state,
        nube_subido: entry.in_cloud,
        backup_base_id: entry.base_id,
        etiqueta: entry.label.clone(),
        propio: entry.ours,
        error_mensaje: entry.error.clone(),
    }
}

/// What a completed backup adds to the sums.
pub fn share(entry: &CatalogEntry) -> Option<BackupShare> {
    let completed = entry.state == BackupState::Completed;
    let kind = BackupKind::from_label(&entry.kind_label)
        .ok()
        .filter(|_| completed)?;
    Some(BackupShare {
        kind,
        bytes: entry.size_bytes.unwrap_or(0),
        at: entry.started_at,
    })
}

fn text(entries: &[CatalogEntry], lang: Lang) -> String {
    if entries.is_empty() {
        return Outcome::NoBackups {}.text(lang);
    }
    let headings = [
        Header::Id,
        Header::Kind,
        Header::Date,
        Header::Size,
        Header::Base,
        Header::State,
        Header::Archive,
    ];
    let mut table = Table::new(lang, &headings);
    for entry in entries {
        table.row([
            entry.id.to_string(),
            entry.kind_label.clone(),
            say::time(entry.started_at),
            say::size_of(entry.size_bytes, lang),
            say::or_nothing(entry.base_id),
            entry.state.spoken(lang).to_owned(),
            entry.archive.clone(),
        ]);
    }
    table.to_string()
}
