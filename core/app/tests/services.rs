//! The services under their old names, on a real server: results serialize to the old keys.
#![expect(clippy::unwrap_used, reason = "test code")]

use respaldo::config::{Config, Environment, Sources};
use respaldo::services::Services;
use respaldo_contract::messages::Lang;
use respaldo_domain::backup::{BackupId, BackupKind};
use respaldo_tests::Cluster;
use serde_json::{Value, json, to_value};

fn services(cluster: &Cluster, folder: &std::path::Path) -> Services {
    let url = cluster.url_as("dueno", "tienda");
    let bin = cluster.bin_dir().display().to_string();
    let repository = folder.join("repository").display().to_string();
    let variables = [
        ("DATABASE_URL", url.as_str()),
        ("PG_BIN_PATH", bin.as_str()),
        ("RESPALDO_REPOSITORY__DIR", repository.as_str()),
    ];
    let environment = Environment::of(folder, &variables);
    let config = Config::load(&Sources::of(environment), Vec::new()).unwrap();
    Services::connect(&config, Lang::Es).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn has(value: &Value, wanted: &[&str]) {
    let keys = keys(value);
    let missing: Vec<_> = wanted.iter().filter(|key| !keys.contains(key)).collect();
    assert!(missing.is_empty(), "missing {missing:?} in {value}");
}

#[test]
fn a_program_of_the_existing_system_finds_its_names_and_keys() {
    let cluster = Cluster::start();
    cluster.owned_database("tienda", "dueno");
    cluster.psql_as(
        "dueno",
        "tienda",
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2)",
    );
    let folder = tempfile::tempdir().unwrap();
    let services = services(&cluster, folder.path());

    let full = services.create_backup(BackupKind::Full).unwrap();
    cluster.psql_as("dueno", "tienda", "TRUNCATE t; INSERT INTO t VALUES (7)");
    let incremental = services.create_backup(BackupKind::Incremental).unwrap();
    let made = to_value(&incremental).unwrap();
    assert_eq!(
        (&made["exitoso"], &made["tipo"]),
        (&json!(true), &json!("INCREMENTAL"))
    );

    let preview = to_value(services.preview_restore(incremental.instantanea).unwrap()).unwrap();
    has(
        &preview,
        &[
            "existe",
            "cantidad_backups",
            "tamano_total_mb",
            "fecha_final",
            "backups",
        ],
    );
    has(
        &preview["backups"][0],
        &["tipo", "archivo", "fecha", "tamano", "checksum"],
    );

    let restored = services
        .restore_to_date(incremental.instantanea, "a_hoy")
        .unwrap();
    let restored = to_value(&restored).unwrap();
    has(
        &restored,
        &[
            "exitoso",
            "mensaje",
            "backups_aplicados",
            "tiempo_segundos",
            "lsn_final",
        ],
    );
    assert_eq!(cluster.psql("a_hoy", "SELECT sum(id) FROM t"), "7");

    let id = full.id.unwrap();
    services.restore_from_backup_id(id, "al_full").unwrap();
    assert_eq!(cluster.psql("al_full", "SELECT sum(id) FROM t"), "3");

    let chain = to_value(services.validate_backup_chain(id).unwrap()).unwrap();
    assert_eq!(chain["valido"], true);
    has(&chain["backup"], &["id", "tipo", "archivo", "fecha"]);
    let unknown = to_value(services.validate_backup_chain(BackupId(999)).unwrap()).unwrap();
    assert_eq!(
        (&unknown["valido"], unknown.get("backup")),
        (&json!(false), None)
    );

    let all = to_value(services.validate_all_backups().unwrap()).unwrap();
    assert_eq!((&all["total"], &all["validos"]), (&json!(2), &json!(2)));
    assert_eq!(services.list_backups(None, 50).unwrap().len(), 2);
    let stats = to_value(services.get_backup_stats().unwrap()).unwrap();
    assert_eq!(
        (&stats["FULL"]["cantidad"], &stats["_total"]["cantidad"]),
        (&json!(1), &json!(2))
    );
    let space = to_value(services.get_space_usage().unwrap()).unwrap();
    has(&space["total"], &["bytes", "mb", "gb"]);
    assert!(
        !services
            .get_available_restore_points(100)
            .unwrap()
            .is_empty()
    );
    let summary = to_value(services.get_status_summary().unwrap()).unwrap();
    has(
        &summary,
        &[
            "estadisticas",
            "espacio_uso",
            "proximos_backups",
            "fecha_actual",
        ],
    );
    assert_eq!(services.purge_invalid_backups().unwrap(), 0);
}
