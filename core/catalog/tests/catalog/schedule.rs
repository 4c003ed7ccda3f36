//! The stored schedule, and what was made to meet it.

use respaldo_domain::backup::BackupKind;
use respaldo_domain::manifest::{ADOPTED, FROM_CHAIN};
use respaldo_domain::schedule::{Daily, PastRun, RuleChange, Schedule, Task};
use respaldo_engine::ports::{Catalog, FaultKind};

use crate::support::{Bench, History, run_of};

#[test]
fn only_what_we_sealed_of_the_database_itself_was_made() {
    let bench = Bench::adopted();
    assert_eq!(bench.catalog.past_runs().unwrap(), []);
    bench.application_backup(
        "FULL",
        "full_20261101_000000.backup",
        "2026-11-01 00:00:00-03",
    );
    let mut history = History::default();
    let full = history.full();
    let made = PastRun::of(&full);
    bench.seal(&full);
    let mut adopted = history.full();
    ADOPTED.clone_into(&mut adopted.header.tools.dumper);
    bench.seal(&adopted);
    let mut merged = history.full();
    FROM_CHAIN.clone_into(&mut merged.header.tools.dumper);
    bench.seal(&merged);
    let running = history.add(BackupKind::Incremental, Some(0));
    bench.catalog.begin(&run_of(&running)).unwrap();
    let mut runs = bench.catalog.past_runs().unwrap();
    runs.sort_by_key(|run| run.started_at);
    let merged = PastRun {
        task: Task::Full,
        started_at: merged.started_at.to_utc(),
        fresh: false,
    };
    assert_eq!(runs, [made, merged]);
}

#[test]
fn without_the_applications_table_nothing_is_stored_and_nothing_was_made() {
    let bench = Bench::empty();
    let default = Schedule::default();
    assert_eq!(bench.catalog.schedule(&default).unwrap(), None);
    let unknown = bench.catalog.past_runs().unwrap_err();
    assert_eq!(unknown.kind, FaultKind::NotFound);
}

#[test]
fn a_row_without_a_value_stores_nothing_and_is_filled_as_the_application_would() {
    let bench = Bench::adopted();
    bench.sql(
        "INSERT INTO seguridad.config_sistema (clave, valor, tipo, descripcion)
         VALUES ('backup_schedules', NULL, 'TEXT', 'mía')",
    );
    let default = Schedule::default();
    assert_eq!(bench.catalog.schedule(&default).unwrap(), None);
    let change = RuleChange::Incremental(Daily::new(13, 5).unwrap());
    bench.catalog.change_schedule(change, &default).unwrap();
    let stored = bench.catalog.schedule(&default).unwrap().unwrap();
    assert_eq!(stored.schedule, default.changed(change));
    assert_eq!(stored.repairs, [""; 0]);
    let row = "SELECT tipo, descripcion, valor::jsonb -> 'INCREMENTAL'
               FROM seguridad.config_sistema WHERE clave = 'backup_schedules'";
    assert_eq!(bench.sql(row), r#"TEXT|mía|{"hour": 13, "minute": 5}"#);
}
