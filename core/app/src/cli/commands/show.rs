//! `show`.

use respaldo_contract::labels::Label;
use respaldo_contract::messages::{ExitCode, Header, Lang, Spoken, size};
use respaldo_contract::records::ShowRecord;
use respaldo_domain::manifest::{Manifest, TableEntry};
use respaldo_engine::operations::Selector;

use crate::cli::app::App;
use crate::cli::args::ShowArgs;
use crate::cli::say::{self, Text};
use crate::failure::{Failure, of_lookup};
use crate::output::Table;
use crate::records;

/// Shows one backup.
pub fn run(args: ShowArgs, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations_on_storage()?;
    let selector = Selector::from(args.backup);
    let (manifest, entry) = operations
        .show(&selector, &app.context())
        .map_err(|fault| of_lookup(&fault))?;
    let record = records::shown(&operations, &manifest, entry.as_ref(), app.lang());
    app.output
        .result(&record, |lang| text(&manifest, &record, lang));
    Ok(ExitCode::Done)
}

fn text(manifest: &Manifest, record: &ShowRecord, lang: Lang) -> String {
    let mut text = Text::default();
    for (heading, value) in fields(manifest, record, lang) {
        if !value.is_empty() {
            text.field(heading, value, lang);
        }
    }
    text.line(format_args!("\n{}", tables(manifest, lang)));
    text.into_string()
}

fn fields(manifest: &Manifest, record: &ShowRecord, lang: Lang) -> [(Header, String); 13] {
    let complete = if manifest.coverage.is_complete() {
        Header::Complete
    } else {
        Header::Partial
    };
    let contents = manifest.contents.as_ref();
    let definitions_of = contents.and_then(|contents| contents.taken_from.as_ref());
    let full_reason = manifest
        .full_reason
        .as_ref()
        .map(|reason| reason.spoken(lang));
    [
        (Header::Id, say::or_nothing(record.id)),
        (Header::Archive, record.archivo.clone()),
        (Header::Kind, manifest.kind.label().to_owned()),
        (Header::Label, manifest.label.clone().unwrap_or_default()),
        (Header::Snapshot, say::time(manifest.snapshot_at)),
        (Header::Base, say::or_nothing(manifest.base.as_ref())),
        (Header::Reason, say::or_nothing(full_reason)),
        (Header::DefinitionsOf, say::or_nothing(definitions_of)),
        (Header::Size, size(manifest.stored_bytes(), lang)),
        (Header::Checksum, say::or_nothing(record.checksum_sha256)),
        (Header::Database, manifest.source.database.clone()),
        (Header::Coverage, complete.spoken(lang).to_owned()),
        (
            Header::LargeObjects,
            manifest.large_objects.count.to_string(),
        ),
    ]
}

fn tables(manifest: &Manifest, lang: Lang) -> Table {
    let headings = [
        Header::Table,
        Header::Dumped,
        Header::Rows,
        Header::Size,
        Header::Fingerprint,
        Header::Reason,
        Header::DataIn,
    ];
    let mut table = Table::new(lang, &headings);
    for entry in &manifest.tables {
        table.row(row(entry, manifest, lang));
    }
    table
}

fn row(entry: &TableEntry, manifest: &Manifest, lang: Lang) -> [String; 7] {
    let data = entry.data.as_ref();
    [
        entry.name.to_string(),
        say::yes_no(entry.holds_data_in(&manifest.archive), lang),
        say::or_nothing(data.map(|data| data.fingerprint.rows)),
        say::size_of(data.map(|data| data.plain_bytes), lang),
        say::or_nothing(data.map(|data| format!("{:032x}", data.fingerprint.sum)[..12].to_owned())),
        entry.reason.spoken(lang).to_owned(),
        say::or_nothing(data.map(|data| &data.archive)),
    ]
}
