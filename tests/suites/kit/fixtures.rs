//! The stand-in for the existing application, and the little bank.

use std::collections::BTreeMap;
use std::fs;

use chrono::{NaiveDate, NaiveDateTime};
use respaldo_tests::app_fixture::{self, AppService};
use respaldo_tests::{Client, Cluster, Snapshot, assert_equal, diff, littlebank};

fn at(day: u32, hour: u32) -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 3, day)
        .unwrap()
        .and_hms_opt(hour, 0, 0)
        .unwrap()
}

fn application() -> (Cluster, String) {
    let cluster = Cluster::start();
    let url = cluster.owned_database("nexoryn_tech", "dueno");
    app_fixture::load(&cluster, "nexoryn_tech", "dueno");
    (cluster, url)
}

#[test]
fn the_applications_schema_loads_again_and_changes_nothing() {
    let (cluster, _) = application();
    app_fixture::add_activity(&cluster, "nexoryn_tech", "dueno");
    let before = Snapshot::of(&cluster.url("nexoryn_tech")).with_operational_data();
    let image = before.image();
    app_fixture::load(&cluster, "nexoryn_tech", "dueno");
    let numbers = |line: &String| !line.starts_with("sequence values"); // upserts take numbers
    let differences: Vec<_> = diff(&image, &before.image())
        .into_iter()
        .filter(numbers)
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn it_has_the_known_tables_and_a_dump_of_it_restores() {
    let (cluster, url) = application();
    app_fixture::add_activity(&cluster, "nexoryn_tech", "dueno");
    let mut client = Client::connect(&url);
    let counts = client.column(
        "SELECT schemaname || ' ' || count(*) FROM pg_tables \
         WHERE schemaname IN ('app', 'ref', 'seguridad') GROUP BY schemaname ORDER BY 1",
    );
    assert_eq!(counts, ["app 13", "ref 13", "seguridad 8"]);
    let manifest = "SELECT count(*) FROM information_schema.columns \
         WHERE table_schema = 'seguridad' AND table_name = 'backup_manifest'";
    assert_eq!(client.one(manifest), "21");
    assert!(
        client
            .try_exec("SELECT * FROM seguridad.get_backup_space_usage()")
            .is_err()
    );
    cluster.new_database("copy");
    crate::oracle::dump_and_restore(&cluster, "nexoryn_tech", "copy");
    let image = |db: &str| Snapshot::take(&cluster.url(db));
    assert_equal(&image("nexoryn_tech"), &image("copy"));
}

#[test]
fn a_truncate_of_provinces_empties_documents_and_all_below() {
    let (cluster, url) = application();
    app_fixture::add_activity(&cluster, "nexoryn_tech", "dueno");
    let mut client = Client::connect(&url);
    client.exec("TRUNCATE ref.provincia RESTART IDENTITY CASCADE");
    for table in [
        "entidad_comercial",
        "lista_cliente",
        "articulo",
        "articulo_precio",
        "documento",
        "documento_detalle",
        "pago",
        "remito",
        "remito_detalle",
    ] {
        assert_eq!(
            client.one(&format!("SELECT count(*) FROM app.{table}")),
            "0",
            "{table}"
        );
    }
}

#[test]
fn the_old_services_leave_rows_archives_and_stats_files() {
    let (cluster, url) = application();
    let folder = tempfile::tempdir().unwrap();
    let mut service = AppService::new(&cluster, &url, folder.path());
    let full = service.full_backup(at(1, 0));
    assert_eq!(full, 2, "the first id ever is 2");
    let inc = service.incremental_backup(at(2, 23), &["ref.provincia"]);
    service.incremental_backup(at(3, 23), &[]);
    assert_eq!(
        service
            .chain(at(2, 23))
            .iter()
            .map(|row| row.id)
            .collect::<Vec<_>>(),
        [full, inc]
    );
    assert_eq!(service.newest_completed(Some("FULL")).unwrap().id, full);
    let stats = folder
        .path()
        .join("backups_incrementales/stats/full_20260301_000000.backup.json");
    let stats: BTreeMap<String, u64> =
        serde_json::from_str(&fs::read_to_string(stats).unwrap()).unwrap();
    assert_eq!(stats.len(), 26);

    let again = service.newest_completed(None).unwrap().id;
    service.delete_row(again).unwrap();
    assert_eq!(
        service.incremental_backup(at(4, 23), &[]),
        again,
        "a deleted newest id comes again"
    );
    fs::remove_file(service.newest_completed(None).unwrap().path).unwrap();
    assert_eq!(service.purge_invalid(), Ok(1));
    assert!(service.legacy_backup("daily", at(5, 23)).is_file());
    service.set_config("backup_schedules", "{}");
    assert_eq!(service.config("backup_schedules").as_deref(), Some("{}"));
}

#[test]
fn the_little_bank_is_the_same_every_time() {
    let cluster = Cluster::start();
    for name in ["a", "b"] {
        let url = littlebank::open(&cluster, name);
        (1..=10).for_each(|n| littlebank::day(&url, n));
    }
    assert_equal(
        &Snapshot::take(&cluster.url("a")),
        &Snapshot::take(&cluster.url("b")),
    );
}
