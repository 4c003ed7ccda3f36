//! `diff`.

use respaldo_contract::messages::{ExitCode, Lang, Outcome};
use respaldo_contract::records::DiffRecord;
use respaldo_domain::difference::{Change, RowChange, RowDifferences};
use respaldo_domain::difference::{RowsDiffer, TableDifference};
use respaldo_domain::table::TableName;
use respaldo_engine::diff::{DiffReport, DiffRequest};
use respaldo_engine::operations::Selector;

use crate::cli::app::App;
use crate::cli::args::DiffArgs;
use crate::cli::say::Text;
use crate::failure::Failure;

/// Characters of a value that are shown; JSON has all of them.
const SHOWN: usize = 60;

/// Shows what differs between two backups.
pub fn run(args: DiffArgs, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations_on_storage()?;
    let request = DiffRequest {
        before: Selector::from(args.before),
        after: Selector::from(args.after),
        table: args.table,
        most_rows: args.rows,
    };
    let report = operations.diff(&request, &app.context())?;
    let rows = request.table.as_ref().zip(report.rows.as_ref());
    let names = (&report.before.archive, &report.after.archive);
    let record = DiffRecord::of(names, &report.tables, rows, app.lang());
    app.output
        .result(&record, |lang| text(&report, &record.mensaje, rows, lang));
    Ok(ExitCode::Done)
}

fn text(
    report: &DiffReport,
    summary: &str,
    rows: Option<(&TableName, &RowDifferences)>,
    lang: Lang,
) -> String {
    let mut text = Text::new(summary);
    match rows {
        Some((table, rows)) => tell_rows(&mut text, table, rows, lang),
        None => {
            let differing = report.tables.iter().filter(|table| !table.is_same());
            differing.for_each(|table| text.line(format_args!("  {}", line(table, lang))));
        }
    }
    text.into_string()
}

fn line(difference: &TableDifference, lang: Lang) -> String {
    let table = &difference.table;
    match &difference.rows {
        RowsDiffer::Same { .. } => Outcome::TableDefinition { table }.text(lang),
        RowsDiffer::Other { before, after } => Outcome::TableOther {
            table,
            before,
            after,
        }
        .text(lang),
        RowsDiffer::OnlyBefore { rows } => Outcome::TableOnlyBefore { table, rows }.text(lang),
        RowsDiffer::OnlyAfter { rows } => Outcome::TableOnlyAfter { table, rows }.text(lang),
        RowsDiffer::Unknown { before, after } => Outcome::TableUnknown {
            table,
            before,
            after,
        }
        .text(lang),
    }
}

fn tell_rows(text: &mut Text, table: &TableName, rows: &RowDifferences, lang: Lang) {
    let outcome = Outcome::DifferingRows {
        table,
        added: &rows.added,
        removed: &rows.removed,
        changed: &rows.changed,
    };
    text.line(outcome.text(lang));
    rows.rows.iter().for_each(|row| tell_row(text, rows, row));
    let all = rows.added + rows.removed + rows.changed;
    let more = all - rows.rows.len() as u64;
    if more > 0 {
        text.line(Outcome::DifferingMore { count: &more }.text(lang));
    }
}

/// As diff(1) marks them: + came, - went, ~ has other values.
fn tell_row(text: &mut Text, rows: &RowDifferences, row: &RowChange) {
    let key = rows.key.iter().zip(&row.key);
    let key: Vec<String> = key
        .map(|(name, value)| format!("{name}={}", cut(value)))
        .collect();
    let key = key.join(" ");
    match &row.change {
        Change::Added => text.line(format_args!("  + {key}")),
        Change::Removed => text.line(format_args!("  - {key}")),
        Change::Changed(columns) => {
            text.line(format_args!("  ~ {key}"));
            for column in columns {
                let value =
                    |value: &Option<String>| value.as_deref().map_or("NULL".to_owned(), cut);
                let (before, after) = (value(&column.before), value(&column.after));
                text.line(format_args!("      {}: {before} -> {after}", column.column));
            }
        }
    }
}

fn cut(value: &str) -> String {
    let quoted = format!("{:?}", value.chars().take(SHOWN).collect::<String>());
    match value.chars().nth(SHOWN) {
        Some(_) => format!("{quoted}..."),
        None => quoted,
    }
}
