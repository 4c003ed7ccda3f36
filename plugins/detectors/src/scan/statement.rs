//! The statements of a scan.
//!
//! Values become text by the output functions themselves, never by a cast: a cast may be the
//! user's own and say the same of different values.

use respaldo_domain::table::{quote_identifier, quote_literal};

use super::{Job, LARGE_OBJECTS};
use crate::signals::Basis;

/// One row per job: `key`, `rows`, `sum`. A table's key is looked up by its name at the moment of
/// the scan, so that a print can never be booked on another table.
pub(super) fn of_batch(jobs: &[Job], basis: Basis) -> String {
    let parts: Vec<_> = jobs.iter().map(|job| of_job(job, basis)).collect();
    parts.join("\nUNION ALL ")
}

fn of_job(job: &Job, basis: Basis) -> String {
    let (key, source) = match &job.table {
        Some(name) => {
            let name = name.quoted();
            let key = format!(
                "pg_catalog.to_regclass({})::oid::int8",
                quote_literal(&name)
            );
            (key, format!("ONLY {name}"))
        }
        None => (
            format!("{}::int8", LARGE_OBJECTS.0),
            "pg_catalog.pg_largeobject".to_owned(),
        ),
    };
    let row = match &job.table {
        Some(_) => row_of(&job.columns),
        None => "t.*".to_owned(),
    };
    format!(
        "SELECT {key} AS key, {} FROM {source} AS t",
        rows_and_sum(&text_of_row(&row, basis))
    )
}

/// What a dump holds of a row: to compute a virtual column takes time, and may fail.
fn row_of(columns: &[String]) -> String {
    let columns = columns.iter().map(|name| quote_identifier(name));
    let columns: Vec<_> = columns.map(|name| format!("t.{name}")).collect();
    format!("ROW({})", columns.join(", "))
}

fn rows_and_sum(text: &str) -> String {
    format!(
        "pg_catalog.count(*) AS rows, pg_catalog.format('%s', COALESCE(pg_catalog.sum(\
         pg_catalog.hashtextextended({text} COLLATE pg_catalog.\"C\", 0)), 0)) AS sum"
    )
}

/// The text of the `row` of a source called `t`, or of the transaction that wrote it.
fn text_of_row(row: &str, basis: Basis) -> String {
    match basis {
        Basis::Xmin => "pg_catalog.textin(pg_catalog.xidout(t.xmin))".to_owned(),
        Basis::Content => format!("pg_catalog.textin(pg_catalog.record_out({row}))"),
    }
}

/// Owners, grants, comments and labels of all large objects, empty ones too: catalogs that every
/// role may read. `objects` is how many there are.
pub(crate) fn definitions_of_large_objects(basis: Basis) -> String {
    let part = |catalog: &str, only: &str| {
        format!(
            "SELECT {} AS text FROM pg_catalog.{catalog} AS t{only}",
            text_of_row("t.*", basis)
        )
    };
    let ours = format!(" WHERE t.classoid = {}", LARGE_OBJECTS.0);
    let all = [
        part("pg_largeobject_metadata", ""),
        part("pg_description", &ours),
        part("pg_seclabel", &ours),
    ];
    format!(
        "SELECT {}, (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata) \
         AS objects FROM ({}) AS d",
        rows_and_sum("d.text"),
        all.join(" UNION ALL ")
    )
}
