//! Making a backup: it is whole and registered, or there is none (defects 39 to 41, 46, 47).

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use chrono::{DateTime, Local, TimeDelta, Utc};
use respaldo_tests::app_fixture::{AppService, ManifestRow};
use respaldo_tests::{Client, Cluster, Respaldo};

use crate::scene::{Made, OWNER, Scene, files_below};

/// Defect 39.
#[test]
fn backups_of_one_second_in_one_folder_keep_their_own_names() {
    let cluster = Cluster::start();
    let mut scenes = [Scene::named(&cluster, "uno"), Scene::named(&cluster, "dos")];
    let folder = scenes[0].repository().to_str().unwrap().to_owned();
    for scene in &mut scenes {
        scene.sql(&format!("CREATE TABLE t AS SELECT '{}' AS of", scene.db));
        let respaldo = Respaldo::for_url(&cluster, &cluster.url_as(OWNER, &scene.db));
        scene.respaldo = respaldo.env("RESPALDO_REPOSITORY__DIR", &folder);
    }
    let mut made = Vec::new();
    for _ in 0..3 {
        // Both are started at once, so that their seconds coincide.
        let running = scenes
            .each_ref()
            .map(|scene| scene.respaldo.spawn(&["backup", "full", "--json"]));
        made.extend(running.map(|run| Made::of(run.wait(Duration::from_mins(1)).expect_code(0))));
    }
    let names: BTreeSet<_> = made.iter().map(Made::name).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    for scene in &scenes {
        let all = scene
            .respaldo
            .ok(&["validate", "--all", "--json", "--level", "checksum"])
            .json();
        assert_eq!(all["invalidos"], 0, "{all:#}");
        let last = scene.keep("inc");
        assert_eq!(scene.restored(&last, "SELECT of FROM t"), scene.db);
    }
}

/// Defect 40.
#[test]
fn a_dump_that_breaks_leaves_no_file_and_a_row_that_says_so() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE big AS SELECT g, repeat(md5(g::text), 8) AS v FROM generate_series(1, 500000) g");
    let mut run = scene.respaldo.spawn(&["backup", "full", "--json"]);
    let mut administrator = Client::connect(&cluster.url("postgres"));
    let mut killed = 0;
    while !run.has_ended() {
        let dumping = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = 'tienda' AND query LIKE 'COPY %TO %'";
        killed += administrator.rows(dumping).len();
    }
    let outcome = run.wait(Duration::from_mins(1));
    assert!(killed > 0, "nobody was killed: {outcome:#?}");
    outcome.expect_code(12);
    assert_eq!(outcome.json()["error"]["codigo"], "dump-failed");
    assert_eq!(
        files_below(&scene.repository()),
        [""; 0],
        "no partial file is left"
    );

    let states =
        "SELECT estado, error_mensaje IS NOT NULL FROM seguridad.backup_manifest ORDER BY id";
    assert_eq!(scene.sql(states), "FALLIDO|t");
    let usual = scene.respaldo.ok(&["list", "--json"]).json();
    assert_eq!(usual, serde_json::json!([]));
    let all = scene
        .respaldo
        .ok(&["list", "--json", "--all-states"])
        .json();
    assert_eq!(all[0]["estado"], "FALLIDO");
    let url = cluster.url_as(OWNER, &scene.db);
    let mut app = AppService::new(&cluster, &url, scene.respaldo.folder());
    assert_eq!(
        app.newest_completed(None),
        None,
        "the application takes it for no base"
    );

    let next = scene.keep("inc");
    assert_eq!(next.made.json["motivo_full"], "sin_base");
    scene.proof(&next);
}

/// Defect 41.
#[test]
fn a_number_taken_by_an_uncommitted_row_does_not_stop_the_registration() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    let first = scene.backup("full");
    let mut other = scene.session();
    other.exec("BEGIN; SELECT setval('seguridad.backup_manifest_id_seq', (SELECT max(id) FROM seguridad.backup_manifest));
        INSERT INTO seguridad.backup_manifest (tipo_backup, archivo_nombre, archivo_ruta, fecha_inicio, fecha_fin)
        VALUES ('FULL', 'full_x.backup', '/x', now(), now());
        SELECT setval('seguridad.backup_manifest_id_seq', (SELECT max(id) - 1 FROM seguridad.backup_manifest))");
    let run = scene.respaldo.spawn(&["backup", "inc", "--json"]);
    std::thread::sleep(Duration::from_millis(1500));
    other.exec("COMMIT");
    let second = Made::of(run.wait(Duration::from_mins(1)).expect_code(0));
    // The sequence is moved back by whoever copies rows about.
    scene.sql("SELECT setval('seguridad.backup_manifest_id_seq', 1, false)");
    let third = scene.backup("inc");
    let registered = "SELECT count(DISTINCT id) FROM seguridad.backup_manifest
        WHERE estado = 'COMPLETADO' AND archivo_nombre IN ('{}', '{}', '{}')";
    let query = [&first, &second, &third]
        .iter()
        .fold(registered.to_owned(), |query, made| {
            query.replacen("{}", &made.name(), 1)
        });
    assert_eq!(scene.sql(&query), "3");
    assert_ne!(first.id, second.id);
    // And the application's next insert finds a number, too.
    let url = cluster.url_as(OWNER, &scene.db);
    let mut app = AppService::new(&cluster, &url, scene.respaldo.folder());
    let at = Utc::now().naive_utc();
    app.insert_manifest_row(&ManifestRow {
        kind: "FULL".to_owned(),
        base: None,
        path: scene.respaldo.folder().join("full_y.backup"),
        started_at: at,
        ended_at: at,
        size_bytes: 1,
        checksum: "0".repeat(64),
    });
}

/// Defect 46.
#[test]
fn the_moment_of_a_backup_is_the_same_in_every_time_zone() {
    let cluster = Cluster::start();
    let mut scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    cluster.psql(
        &scene.db,
        "ALTER DATABASE tienda SET timezone TO 'Asia/Tokyo'",
    );
    scene.respaldo = scene.respaldo.env("TZ", "America/Argentina/Buenos_Aires");
    let first = scene.keep("full");
    let began = first.made.json["inicio"].as_str().unwrap();
    assert!(began.ends_with("-03:00"), "{began}");
    let began = DateTime::parse_from_rfc3339(began).unwrap();
    assert!((Local::now().fixed_offset() - began).abs() < TimeDelta::minutes(1));
    let apart =
        "SELECT abs(extract(epoch FROM now() - fecha_inicio)) < 60 FROM seguridad.backup_manifest";
    assert_eq!(scene.sql(apart), "t", "what is stored is the instant");
    let stamp = began.format("full_%Y%m%d_%H%M%S").to_string();
    assert!(
        first.made.name().starts_with(&stamp),
        "{} {stamp}",
        first.made.name()
    );

    std::thread::sleep(Duration::from_millis(2100));
    scene.sql("INSERT INTO t VALUES (2)");
    let second = scene.keep("inc");
    let between = began + TimeDelta::seconds(2);
    let local = between.format("%Y-%m-%d %H:%M:%S").to_string();
    let instant = between.to_utc().to_rfc3339();
    let east = between
        .with_timezone(&chrono::FixedOffset::east_opt(9 * 3600).unwrap())
        .to_rfc3339();
    for time in [&local, &instant, &east] {
        let previewed = scene
            .respaldo
            .ok(&["preview", "--at", time, "--json"])
            .json();
        let last = previewed["backups"].as_array().unwrap().last().unwrap();
        assert_eq!(last["id"].to_string(), first.made.id, "--at {time}");
    }
    let previewed = scene
        .respaldo
        .ok(&["preview", "--at", "latest", "--json"])
        .json();
    assert_eq!(previewed["cantidad_backups"], 2);
    assert_eq!(scene.restored(&second, "SELECT count(*) FROM t"), "2");
}

/// Defect 47.
#[test]
fn validation_of_a_backup_looks_at_its_whole_chain() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE t (id int); CREATE TABLE u (id int); INSERT INTO u VALUES (1)");
    let full = scene.backup("full");
    scene.sql("INSERT INTO t VALUES (1)");
    let inc = scene.backup("inc");
    assert!(scene.is_valid(&full) && scene.is_valid(&inc));
    fs::remove_file(full.archive()).unwrap();
    let outcome = scene.respaldo.run(&["validate", "--all", "--json"]);
    outcome.expect_code(3);
    assert_eq!(outcome.json()["invalidos"], 2, "{outcome:#?}");
    let one = scene.respaldo.run(&["validate", &inc.id, "--json"]);
    let finding = &one.expect_code(3).json()["validaciones"][0];
    assert_eq!(finding["valido"], false);
    let told = finding["hallazgos"].to_string();
    assert!(
        told.contains(&full.name()),
        "the finding names what is missing: {told}"
    );
}
