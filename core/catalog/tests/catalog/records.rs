//! Validations, events and witnesses.

use respaldo_domain::validation::{Finding, FindingCode, Severity, ValidationLevel};
use respaldo_engine::ports::{Catalog, EventLevel, FaultKind, ValidationRecord};
use respaldo_postgres::ConnInfo;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Bench, History, OWNER, catalog_at};

#[test]
fn a_validation_is_recorded_with_its_findings() {
    let bench = Bench::adopted();
    let full = History::default().full();
    let finding = |severity| Finding {
        level: ValidationLevel::Presence,
        severity,
        code: FindingCode::Missing,
        subject: "full/x".to_owned(),
        detail: "not there".to_owned(),
    };
    let record = |findings: &[Finding]| {
        bench.catalog.record_validation(&ValidationRecord {
            archive: &full.archive,
            level: ValidationLevel::Chain,
            findings,
            sha256_found: None,
            sha256_expected: Some(full.objects[0].sha256),
            seconds: 1.256,
        })
    };
    assert_eq!(record(&[]).unwrap_err().kind, FaultKind::NotFound);
    bench.seal(&full);
    record(&[]).unwrap();
    record(&[finding(Severity::Warning)]).unwrap();
    record(&[finding(Severity::Warning), finding(Severity::Error)]).unwrap();
    let rows = "SELECT resultado, tiempo_segundos, checksum_esperado = repeat('ab', 32),
                       jsonb_array_length(detalles->'hallazgos')
                FROM seguridad.backup_validation ORDER BY id";
    assert_eq!(
        bench.sql(rows),
        "EXITOSO|1.26|t|0\nADVERTENCIA|1.26|t|1\nFALLIDO|1.26|t|2"
    );
}

#[test]
fn events_survive_nothing_but_are_written_again_after_the_application_dropped_their_table() {
    let bench = Bench::adopted();
    let full = History::default().full();
    bench.seal(&full);
    let event = |kind: &str| {
        let detail = json!({ "a": 1 });
        bench
            .catalog
            .event(EventLevel::Warning, kind, Some(&full.archive), &detail)
            .unwrap();
    };
    event("respaldo_sellado");
    bench.load_application();
    event("otro");
    event(&"x".repeat(80));
    let rows = "SELECT tipo_evento, backup_id IS NOT NULL, nivel_log, detalle
                FROM seguridad.backup_event ORDER BY id LIMIT 1";
    assert_eq!(bench.sql(rows), "otro|t|WARNING|{\"a\": 1}");
    bench.catalog.forget(&full.archive).unwrap();
    assert_eq!(
        bench.sql("SELECT count(*), count(backup_id) FROM seguridad.backup_event"),
        "2|0"
    );
}

#[test]
fn a_witness_survives_a_crash_even_where_commits_are_asynchronous() {
    let bench = Bench::migrated();
    bench
        .cluster
        .psql("app", "ALTER DATABASE app SET synchronous_commit = off");
    let (full, token) = (History::default().full(), Uuid::new_v4());
    let catalog = catalog_at(&bench.cluster.url_as(OWNER, "app"));
    assert!(catalog.leave_witness(&full.archive, token).unwrap());
    bench.cluster.crash();
    assert!(catalog.sees_witness(&full.archive, token).unwrap());
    assert!(!catalog.sees_witness(&full.archive, Uuid::new_v4()).unwrap());
    let newer = Uuid::new_v4();
    assert!(catalog.leave_witness(&full.archive, newer).unwrap());
    assert!(!catalog.sees_witness(&full.archive, token).unwrap());
    catalog.forget(&full.archive).unwrap();
    assert!(!catalog.sees_witness(&full.archive, newer).unwrap());
}

#[test]
fn a_witness_is_left_only_in_the_source_database() {
    let bench = Bench::migrated();
    bench.cluster.owned_database("otra", OWNER);
    let info = |db: &str| ConnInfo::parse(&bench.cluster.url_as(OWNER, db)).unwrap();
    let (full, token) = (History::default().full(), Uuid::new_v4());
    let catalog =
        |source: &str| catalog_at(&bench.cluster.url_as(OWNER, "app")).of_source(info(source));
    assert!(!catalog("otra").leave_witness(&full.archive, token).unwrap());
    assert!(catalog("app").leave_witness(&full.archive, token).unwrap());
    assert!(catalog("app").sees_witness(&full.archive, token).unwrap());
    assert!(!catalog("otra").sees_witness(&full.archive, token).unwrap());
}
