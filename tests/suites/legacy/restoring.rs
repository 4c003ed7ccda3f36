//! Restores: built beside, swapped in last.

use chrono::NaiveDate;

use respaldo_tests::{Client, Respaldo, assert_equal};

use crate::scene::{DB, OWNER, Scene};

/// Defect 49: the existing restore rolls the list of backups back, and fails after the fact.
#[test]
fn a_restore_in_place_brings_the_data_back_and_forgets_no_newer_backup() {
    let scene = Scene::with_application();
    let at = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
    let mut app = scene.app();
    let first = app.full_backup(at.and_hms_opt(1, 0, 0).unwrap());
    drop(app);
    let file = scene.backup("manual");
    let second = scene.app().full_backup(at.and_hms_opt(2, 0, 0).unwrap());
    let entries = "SELECT string_agg(id || ' ' || archivo_nombre, ',' ORDER BY id) FROM seguridad.backup_manifest";
    let before = scene.sql(entries);
    // What stands in the way of the existing one: objects that are newer than the file.
    scene.sql("CREATE VIEW app.nueva AS SELECT * FROM app.documento; DELETE FROM app.pago");
    scene.cluster.psql(DB, "ALTER DATABASE tienda SET lock_timeout = '7s'; GRANT CONNECT ON DATABASE tienda TO lector; COMMENT ON DATABASE tienda IS 'la de siempre'");
    let mut inside = scene.client();
    let name = file.file_name().unwrap().to_str().unwrap();
    let outcome = scene.run(&["restore", name, "--replace", "--yes", "--json"]);
    outcome.expect_code(0);
    assert!(
        inside.try_exec("SELECT 1").is_err(),
        "sessions of before were ended"
    );
    assert_eq!(scene.sql(entries), before, "{first} and {second}");
    assert_ne!(scene.sql("SELECT count(*) FROM app.pago"), "0");
    assert_eq!(scene.sql("SELECT to_regclass('app.nueva') IS NULL"), "t");
    assert_eq!(scene.sql("SHOW lock_timeout"), "7s");
    let state = "SELECT shobj_description(oid, 'pg_database'), datdba::regrole, has_database_privilege('lector', oid, 'CONNECT') FROM pg_database WHERE datname = 'tienda'";
    assert_eq!(scene.sql(state), "la de siempre|dueno|t");
    let kept = outcome.json()["anterior"].as_str().unwrap().to_owned();
    assert!(kept.starts_with("tienda_before_restore_"), "{kept}");
    let rows = scene.cluster.psql(&kept, "SELECT count(*) FROM app.pago");
    assert_eq!(rows, "0", "the old one is as it was");
    // The next backup of the application gets a number of its own.
    let third = scene.app().full_backup(at.and_hms_opt(3, 0, 0).unwrap());
    assert!(third > second);
}

#[test]
fn an_old_database_is_dropped_when_that_is_asked_for() {
    let scene = Scene::open();
    let (file, image) = (scene.backup("daily"), scene.image());
    scene.sql("DROP TABLE t");
    let args = [
        "restore",
        file.to_str().unwrap(),
        "--replace",
        "--drop-old",
        "--yes",
        "--json",
    ];
    scene.run(&args).expect_code(0);
    assert_equal(&image, &scene.image());
    assert_eq!(scene.databases(), ["postgres", "tienda"]);
    // The worst morning: the configured database is not there at all.
    scene.cluster.drop_database("tienda");
    let args = ["restore", file.to_str().unwrap(), "--create", "--json"];
    scene.run(&args).expect_code(0);
    assert_eq!(scene.sql("SELECT count(*) FROM t"), "3");
}

#[test]
fn a_server_that_has_nothing_but_an_empty_database_is_restored_to() {
    let scene = Scene::open();
    let (file, image) = (scene.backup("daily"), scene.image());
    let url = scene.cluster.owned_database("vacia", "dueno_sin_createdb");
    let poor = Respaldo::for_url(&scene.cluster, &url);
    let mut args = vec!["legacy", "restore", file.to_str().unwrap(), "--json"];
    // The owner of the objects is another role here.
    poor.run(&args).expect_error(12, "restore-failed");
    let rows = scene
        .cluster
        .psql("vacia", "SELECT count(*) FROM pg_class WHERE relname = 't'");
    assert_eq!(rows, "0", "all or nothing");
    args.push("--no-owner");
    poor.run(&args).expect_code(0);
    assert_eq!(scene.cluster.psql("vacia", "SELECT count(*) FROM t"), "3");
    drop(image);
}

#[test]
fn a_restore_that_was_killed_is_cleared_up_by_the_next() {
    let scene = Scene::open();
    // A constraint that takes its time in any other database keeps pg_restore busy.
    scene.sql(
        "CREATE FUNCTION slow(int) RETURNS bool LANGUAGE sql IMMUTABLE AS \
         'SELECT current_database() = ''tienda'' OR pg_sleep(30) IS NOT NULL'",
    );
    scene.sql("CREATE TABLE u (id int, CONSTRAINT c CHECK (slow(id))); INSERT INTO u VALUES (1)");
    let file = scene.backup("daily");
    let args = [
        "legacy",
        "restore",
        file.to_str().unwrap(),
        "--replace",
        "--yes",
        "--json",
    ];
    let running = scene.respaldo.spawn(&args);
    let mut watcher = Client::connect(&scene.cluster.url("postgres"));
    let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE '%\\_respaldo\\_%' AND wait_event = 'PgSleep'";
    let limit = std::time::Duration::from_mins(1);
    let slow = respaldo_tests::respaldo::wait_until(limit, || watcher.one(busy) != "0");
    assert!(slow, "the restore never came to the slow constraint");
    running.kill();
    let scratch = |scene: &Scene| {
        let all = scene.databases().into_iter();
        all.filter(|name| name.contains("_respaldo_")).count()
    };
    assert_eq!(scratch(&scene), 1);
    assert_eq!(scene.sql("SELECT count(*) FROM t"), "3");
    scene.sql("ALTER TABLE u DROP CONSTRAINT c");
    let file = scene.backup("daily");
    let args = [
        "restore",
        file.to_str().unwrap(),
        "--target-db",
        "otra",
        "--create",
        "--json",
    ];
    scene.run(&args).expect_code(0);
    assert_eq!(scratch(&scene), 0);
    assert_eq!(
        scene
            .cluster
            .psql_as(OWNER, "otra", "SELECT count(*) FROM t"),
        "3"
    );
}
