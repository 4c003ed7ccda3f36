//! The existing application and we, in one table at one time.

use std::thread;
use std::time::{Duration, Instant};

use respaldo_domain::backup::{ArchiveName, BackupKind, BackupState};
use respaldo_domain::validation::ValidationLevel;
use respaldo_engine::ports::{Catalog, EventLevel, ValidationRecord};
use respaldo_tests::Client;
use serde_json::json;

use crate::support::{APPLICATION_SETVAL, Bench, History, OWNER, application_insert, run_of};

/// A full with everything that can hang on one.
fn a_full_with_dependents(bench: &Bench) -> i64 {
    let mut history = History::default();
    let full = history.full();
    let id = bench.seal(&full);
    bench.seal(&history.add(BackupKind::Differential, Some(0)));
    bench.seal(&history.add(BackupKind::Incremental, Some(1)));
    let record = ValidationRecord {
        archive: &full.archive,
        level: ValidationLevel::Checksum,
        findings: &[],
        sha256_found: None,
        sha256_expected: None,
        seconds: 0.1,
    };
    bench.catalog.record_validation(&record).unwrap();
    bench
        .catalog
        .event(EventLevel::Info, "x", Some(&full.archive), &json!({}))
        .unwrap();
    id
}

#[test]
fn the_panels_delete_works_on_our_rows() {
    let bench = Bench::adopted();
    let id = a_full_with_dependents(&bench);
    bench.sql(&format!(
        "DELETE FROM seguridad.backup_manifest WHERE id = {id}"
    ));
    assert_eq!(
        bench.sql("SELECT count(*) FROM seguridad.backup_manifest"),
        "2"
    );
    assert_eq!(
        bench.sql("SELECT count(*) FROM seguridad.backup_validation"),
        "0"
    );
    assert_eq!(
        bench.sql("SELECT count(*) FROM seguridad.backup_chain"),
        "0"
    );
}

#[test]
fn deleting_a_member_leaves_the_rest_of_its_chain() {
    let bench = Bench::adopted();
    let id = a_full_with_dependents(&bench);
    bench.sql("DELETE FROM seguridad.backup_manifest WHERE tipo_backup <> 'FULL'");
    let chain =
        "SELECT full_backup_id, diferencial_id, incremental_ids FROM seguridad.backup_chain";
    assert_eq!(bench.sql(chain), format!("{id}||{{}}"));
}

#[test]
fn a_purge_works_on_our_rows_and_on_those_of_the_application() {
    let bench = Bench::adopted();
    a_full_with_dependents(&bench);
    let theirs = bench.application_backup("FULL", "full_20261101_000000.backup", "2026-11-01");
    bench.sql(&format!(
        "INSERT INTO seguridad.backup_validation (backup_id, tipo_validacion, resultado)
         VALUES ({theirs}, 'checksum', 'EXITOSO');
         DELETE FROM seguridad.backup_manifest WHERE estado = 'COMPLETADO'"
    ));
    assert_eq!(
        bench.sql("SELECT count(*) FROM seguridad.backup_manifest"),
        "0"
    );
}

#[test]
fn an_event_table_of_old_times_does_not_block_a_delete() {
    let bench = Bench::adopted();
    bench.sql(
        "DROP TABLE IF EXISTS seguridad.backup_event;
         CREATE TABLE seguridad.backup_event (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tipo_evento varchar(50) NOT NULL,
            backup_id bigint REFERENCES seguridad.backup_manifest (id),
            fecha_hora timestamptz NOT NULL DEFAULT now(), detalle jsonb,
            nivel_log varchar(20) DEFAULT 'INFO')",
    );
    let id = a_full_with_dependents(&bench);
    bench.sql(&format!(
        "DELETE FROM seguridad.backup_manifest WHERE id = {id}"
    ));
    assert_eq!(
        bench.sql("SELECT count(*), count(backup_id) FROM seguridad.backup_event"),
        "1|0"
    );
}

#[test]
fn the_applications_functions_and_views_show_our_rows() {
    let bench = Bench::adopted();
    let id = a_full_with_dependents(&bench);
    let text = "
        SELECT backup_id, lsn_inicio FROM seguridad.get_last_full_backup();
        SELECT archivo_nombre LIKE 'dif_%' FROM seguridad.get_last_differential_backup(@);
        SELECT archivo_nombre LIKE 'inc_%' FROM seguridad.get_last_incremental_backup();
        SELECT tamano_mb, duracion FROM seguridad.v_backup_resumen WHERE id = @;
        SELECT full_id, cantidad_incrementales FROM seguridad.v_backup_cadenas";
    let seen = bench.sql(&text.replace('@', &id.to_string()));
    assert_eq!(seen, format!("{id}|0/16B3748\nt\nt\n3.00|00:05:00\n{id}|1"));
}

#[test]
fn our_row_is_found_where_the_application_looks_for_missed_runs() {
    let bench = Bench::adopted();
    let full = History::default().full();
    bench.seal(&full);
    let newest = "SELECT max(fecha_inicio) = '2026-11-24 02:17:46-03'
                  FROM seguridad.backup_manifest
                  WHERE tipo_backup = 'FULL' AND estado = 'COMPLETADO'";
    assert_eq!(bench.sql(newest), "t");
}

#[test]
fn numbers_do_not_collide_while_the_application_moves_the_sequence_back() {
    let bench = Bench::adopted();
    let full = History::default().full();
    let mut application = Client::connect(&bench.cluster.url_as(OWNER, "app"));
    application.exec(&format!("BEGIN; {APPLICATION_SETVAL}"));
    application.exec(&application_insert(
        "FULL",
        "full_20261101_000000.backup",
        "2026-11-01",
    ));
    // Meanwhile a second copy of the application moves the sequence back; it does not see the row.
    bench.sql(APPLICATION_SETVAL);
    thread::scope(|scope| {
        let ours = scope.spawn(|| bench.catalog.begin(&run_of(&full)));
        wait_until_somebody_waits(&bench);
        application.exec("COMMIT");
        ours.join().unwrap().unwrap();
    });
    assert_eq!(
        bench.sql("SELECT count(DISTINCT id) FROM seguridad.backup_manifest"),
        "2"
    );
}

#[test]
fn numbers_do_not_collide_without_our_trigger_either() {
    let bench = Bench::adopted();
    bench.sql("ALTER TABLE seguridad.backup_manifest DISABLE TRIGGER trg_respaldo_manifest_numero");
    let mut history = History::default();
    for _ in 0..5 {
        bench.seal(&history.full());
    }
    bench.sql("SELECT setval('seguridad.backup_manifest_id_seq', 1, false)");
    bench.seal(&history.full());
    assert_eq!(
        bench.sql("SELECT count(*) FROM seguridad.backup_manifest"),
        "6"
    );
}

#[test]
fn the_application_records_its_backup_while_our_row_is_not_committed_yet() {
    let bench = Bench::adopted();
    let mut ours = Client::connect(&bench.cluster.url_as(OWNER, "app"));
    ours.exec("BEGIN");
    ours.exec(&application_insert(
        "FULL",
        "full_20261124_021746_7f3a.backup",
        "2026-11-24",
    ));
    thread::scope(|scope| {
        let theirs = scope.spawn(|| {
            bench.application_backup("FULL", "full_20261101_000000.backup", "2026-11-01")
        });
        wait_until_somebody_waits(&bench);
        ours.exec("COMMIT");
        theirs.join().unwrap();
    });
    assert_eq!(
        bench.sql("SELECT count(DISTINCT id) FROM seguridad.backup_manifest"),
        "2"
    );
}

fn wait_until_somebody_waits(bench: &Bench) {
    let start = Instant::now();
    while bench
        .cluster
        .psql("app", "SELECT count(*) FROM pg_locks WHERE NOT granted")
        == "0"
    {
        assert!(start.elapsed() < Duration::from_secs(20), "nobody waits");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_applications_entries_are_read_as_they_are() {
    let bench = Bench::adopted();
    let name = "full_20261101_000000.backup";
    let id = bench.application_backup("FULL", name, "2026-11-01 00:00-03");
    bench
        .sql("UPDATE seguridad.backup_manifest SET nube_subido = true, checksum_sha256 = 'kaputt'");
    let archive: ArchiveName = name.parse().unwrap();
    let entry = bench.catalog.find(&archive).unwrap().unwrap();
    assert_eq!(
        (entry.id.unwrap().0, entry.ours, entry.in_cloud),
        (id, false, true)
    );
    assert_eq!((entry.state, entry.sha256), (BackupState::Completed, None));
    assert_eq!(entry.location, format!("C:\\copias\\{name}"));
    assert_eq!(entry.lsn.0.as_deref(), Some("0/0"));
}
