//! `list`.

use respaldo_contract::messages::{ExitCode, Header, Lang, Outcome, Spoken};
use respaldo_contract::records::ListRecord;
use respaldo_domain::backup::BackupState;
use respaldo_engine::ports::{CatalogEntry, CatalogFilter};

use crate::catalogued::record;
use crate::cli::app::App;
use crate::cli::args::ListArgs;
use crate::cli::say;
use crate::failure::{Failure, of_catalog};
use crate::output::Table;

/// Lists backups.
pub fn run(args: &ListArgs, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations_on_storage()?;
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
            say::or_nothing(entry.id),
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
