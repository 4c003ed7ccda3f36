//! JSON results, as programs and people see them.

use crate::sample::{FULL, INC, at, full_manifest, manifest, name};
use chrono::DateTime;
use insta::assert_json_snapshot;
use respaldo_contract::messages::{ErrorCode, Lang, ScheduleSource};
use respaldo_contract::records::{
    BackupRecord, BackupShare, Catalogued, ChainValidationRecord, CheckState, DeleteRecord,
    DeletedRecord, DoctorCheckRecord, DoctorRecord, ErrorRecord, ListRecord, MissedRecord,
    NextRunRecord, OverdueRecord, PreviewRecord, RestoreRecord, ScheduleRecord, ShowRecord,
    SpaceRecord, StatsRecord, ValidationRecord,
};
use respaldo_domain::backup::{BackupId, BackupKind, BackupState};
use respaldo_domain::fingerprint::RowFingerprint;
use respaldo_domain::object::Sha256;
use respaldo_domain::report::{
    BackupReport, LiveChange, LiveDifference, PreviewBackup, PreviewReport, RestoreReport,
    SinkOutcome, SinkState, StepTime, TableDifference, Validation, Verification, Warning,
    WarningCode,
};
use respaldo_domain::restore_plan::plan;
use respaldo_domain::schedule::{Schedule, Task};
use respaldo_domain::table::TableName;
use respaldo_domain::validation::{Finding, FindingCode, Severity, ValidationLevel};
use serde::Serialize;
use serde_json::Value;

/// Every key of the contract must be there, whatever else is.
fn has_keys<T: Serialize>(record: &T, keys: &str) {
    let json = serde_json::to_value(record).unwrap();
    for key in keys.split_whitespace() {
        assert!(json.get(key).is_some(), "{key} is missing in {json:#}");
    }
}

fn backup_report() -> BackupReport {
    let sink = |sink: &str, state| SinkOutcome {
        sink: sink.into(),
        state,
        url: format!("/respaldos/{sink}/{INC}"),
    };
    BackupReport {
        id: Some(BackupId(24)),
        base_id: Some(BackupId(20)),
        manifest: manifest(),
        location: format!("/respaldos/incremental/{INC}"),
        sinks: vec![
            sink("local", SinkState::Stored),
            sink("nas", SinkState::Owed("no answer".into())),
        ],
        steps: vec![StepTime {
            step: "dump",
            seconds: 1.239,
        }],
        warnings: vec![Warning {
            code: WarningCode::SinkOwed,
            subject: "nas".into(),
        }],
    }
}

#[test]
fn a_backup_is_told_as_the_contract_says() {
    let record = BackupRecord::of(&backup_report(), Lang::En);
    has_keys(
        &record,
        "exitoso id tipo archivo inicio fin duracion_segundos tamano_bytes checksum_sha256 \
         backup_base_id tablas_total tablas_volcadas tablas cobertura destinos mensaje",
    );
    assert_json_snapshot!(record);
}

#[test]
fn a_full_in_place_of_another_kind_says_why_in_both_languages() {
    let report = BackupReport {
        manifest: full_manifest(),
        ..backup_report()
    };
    let english = BackupRecord::of(&report, Lang::En);
    assert_eq!(english.motivo_full.as_deref(), Some("sin_base"));
    assert!(
        english
            .mensaje
            .ends_with("made a full instead: there is no backup to compare with")
    );
    let spanish = BackupRecord::of(&report, Lang::Es);
    assert!(
        spanish
            .mensaje
            .ends_with("no hay un respaldo con el cual comparar")
    );
}

#[test]
fn a_listed_backup_has_the_keys_of_the_existing_system() {
    let record = ListRecord {
        id: Some(BackupId(7)),
        tipo: "MANUAL".into(),
        archivo: "C:\\backups\\full.backup".into(),
        nombre: "full_20250101_000000.backup".into(),
        fecha_inicio: at("2025-01-01T00:00:00-03:00"),
        fecha_fin: at("2025-01-01T00:01:00-03:00"),
        tamano: None,
        checksum: Some(Sha256([7; 32])),
        estado: BackupState::Completed,
        nube_subido: false,
        nube_url: None,
        nube_proveedor: None,
        backup_base_id: None,
        lsn_inicio: None,
        lsn_fin: None,
        etiqueta: None,
        propio: false,
        error_mensaje: None,
    };
    has_keys(
        &record,
        "id tipo archivo fecha_inicio fecha_fin tamano checksum estado nube_subido backup_base_id",
    );
    assert_json_snapshot!(record);
}

fn finding(level: ValidationLevel, severity: Severity, code: FindingCode) -> Finding {
    Finding {
        level,
        severity,
        code,
        subject: FULL.into(),
        detail: "at byte 5000".into(),
    }
}

#[test]
fn a_preview_names_the_backup_of_each_table() {
    let backup = |id, manifest: respaldo_domain::manifest::Manifest| PreviewBackup {
        id: Some(BackupId(id)),
        location: format!("/respaldos/{}", manifest.archive.key()),
        manifest,
    };
    let live = |table, change| LiveDifference {
        table: TableName::new("app", table),
        change,
    };
    let report = PreviewReport {
        plan: plan(manifest(), &[]).unwrap(),
        backups: vec![backup(20, full_manifest()), backup(24, manifest())],
        problems: vec![finding(
            ValidationLevel::Checksum,
            Severity::Error,
            FindingCode::WrongChecksum,
        )],
        live: vec![
            live("a", LiveChange::Identical),
            live("b", LiveChange::WouldVanish { rows: 3 }),
            live("c", LiveChange::WouldReturn { rows: 4 }),
            live(
                "d",
                LiveChange::Differs {
                    rows_now: 5,
                    rows_then: 6,
                },
            ),
        ],
    };
    let record = PreviewRecord::of(&report, Some(at("2026-11-25T12:00:00-03:00")), Lang::Es);
    has_keys(
        &record,
        "existe fecha cantidad_backups tamano_total_bytes tamano_total_mb fecha_inicial \
         fecha_final backups tablas problemas en_vivo",
    );
    assert_json_snapshot!(record);
}

#[test]
fn a_restore_tells_what_it_compared() {
    let report = RestoreReport {
        plan: plan(manifest(), &[]).unwrap(),
        target: "nexoryn_tech".into(),
        previous_kept_as: Some("nexoryn_tech_before_restore_20261125_120000".into()),
        verification: Verification {
            tables: 3,
            equal: 2,
            different: vec![TableDifference {
                table: TableName::new("app", "plugin"),
                expected: RowFingerprint { rows: 0, sum: 0 },
                found: RowFingerprint { rows: 1, sum: 255 },
                excuse: None,
            }],
        },
        seconds: 12.3456,
        warnings: vec![Warning {
            code: WarningCode::RowsDiffer,
            subject: "app.plugin".into(),
        }],
    };
    let record = RestoreRecord::of(&report, Lang::En);
    has_keys(
        &record,
        "exitoso mensaje backups_aplicados tiempo_segundos base_destino tablas_restauradas \
         verificacion lsn_final",
    );
    assert_json_snapshot!(record);
}

fn validation(findings: Vec<Finding>) -> Validation {
    Validation {
        id: Some(BackupId(24)),
        archive: name(INC),
        location: format!("/respaldos/incremental/{INC}"),
        level: ValidationLevel::Chain,
        findings,
        seconds: 0.5,
        at: at("2026-11-25T01:00:00-03:00"),
    }
}

#[test]
fn validations_are_counted_and_each_finding_is_told() {
    let broken = finding(
        ValidationLevel::Chain,
        Severity::Error,
        FindingCode::BrokenChain,
    );
    let odd = Finding {
        code: FindingCode::Other("acme_slow".into()),
        severity: Severity::Warning,
        ..broken.clone()
    };
    let all = [
        validation(vec![]),
        validation(vec![odd]),
        validation(vec![broken]),
    ];
    let record = ValidationRecord::of(&all, Lang::En);
    assert_eq!((record.total, record.validos, record.invalidos), (3, 2, 1));
    has_keys(&record, "total validos invalidos validaciones");
    assert_json_snapshot!(record);
}

#[test]
fn the_existing_systems_validation_shape_has_one_check_per_level() {
    let broken = finding(
        ValidationLevel::Chain,
        Severity::Error,
        FindingCode::BrokenChain,
    );
    let record = ChainValidationRecord::of(
        &validation(vec![broken]),
        at("2026-11-24T23:00:00-03:00"),
        Lang::Es,
    );
    assert_json_snapshot!(record);
}

#[test]
fn show_tells_everything_of_a_manifest() {
    let catalogued = Catalogued {
        id: Some(BackupId(24)),
        state: BackupState::Completed,
        location: format!("/respaldos/incremental/{INC}"),
    };
    assert_json_snapshot!(ShowRecord::of(&manifest(), catalogued, Lang::Es));
}

#[test]
fn sums_have_the_keys_of_the_existing_system() {
    let share = |kind, bytes, text| BackupShare {
        kind,
        bytes,
        at: at(text),
    };
    let stats = StatsRecord::of(&[
        share(BackupKind::Full, 3 << 30, "2026-11-01T00:00:00-03:00"),
        share(
            BackupKind::Incremental,
            1_500_000,
            "2026-11-03T23:00:00-03:00",
        ),
        share(
            BackupKind::Incremental,
            500_000,
            "2026-11-02T23:00:00-03:00",
        ),
    ]);
    assert_json_snapshot!((&stats, SpaceRecord::from(&stats)));
}

#[test]
fn a_refused_delete_names_the_dependents_and_is_an_error_like_any_other() {
    let dependent = DeletedRecord {
        id: Some(BackupId(24)),
        archivo: name(INC),
    };
    let refused = DeleteRecord::refused(vec![dependent.clone()], Lang::En);
    has_keys(&refused, "exitoso mensaje dependientes error");
    assert_json_snapshot!(refused);
    assert_eq!(
        DeleteRecord::deleted(vec![dependent], Lang::En).mensaje,
        "deleted backups: 1"
    );
}

#[test]
fn every_error_has_the_shape_of_the_contract() {
    let json = serde_json::to_value(ErrorRecord::of(ErrorCode::SinkUnavailable, "", Lang::Es));
    let json: Value = json.unwrap();
    assert_eq!(json["exitoso"], false);
    assert_eq!(json["error"]["codigo"], "sink-unavailable");
    assert!(
        json["error"]["detalle"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert!(json["error"]["sugerencia"].is_string() && json["mensaje"].is_string());
}

#[test]
fn the_doctor_fails_on_errors_and_not_on_warnings() {
    let check = |estado| DoctorCheckRecord {
        nombre: "permisos",
        estado,
        mensaje: "app.t".into(),
        sugerencia: Some("GRANT SELECT ON app.t TO respaldo".into()),
    };
    let warned = DoctorRecord::of(vec![check(CheckState::Warning)], Lang::En);
    assert!(warned.exitoso);
    let failed = DoctorRecord::of(
        vec![check(CheckState::Bad), check(CheckState::Good)],
        Lang::Es,
    );
    assert!(!failed.exitoso);
    assert_eq!(failed.mensaje, "errores: 1, advertencias: 0");
}

#[test]
fn schedules_are_told_by_type_in_numbers_and_words() {
    let schedule = Schedule::default();
    let shown = ScheduleRecord::of(&schedule, ScheduleSource::Database, Lang::Es);
    has_keys(
        &shown,
        "FULL DIFERENCIAL INCREMENTAL VALIDACION zona_horaria activo recuperar origen advertencias",
    );
    assert_json_snapshot!(shown);
    let at = DateTime::parse_from_rfc3339("2026-11-29T23:30:00-03:00").unwrap();
    let next = NextRunRecord::of(&schedule, Task::Differential, at, Lang::En);
    has_keys(&next, "next_run schedule");
    let missed = MissedRecord::of(vec![OverdueRecord {
        tipo: Task::Validation,
        previsto: at,
        schedule: next.schedule,
        cubierto_por: None,
    }]);
    has_keys(&missed, "pendientes activo recuperar advertencias");
    assert_json_snapshot!(missed);
}
