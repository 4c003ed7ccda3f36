//! What breaks the engine does not stop the legacy service (defect 52).

use std::fs;

use crate::scene::{DB, Scene};

#[test]
fn sections_of_the_engine_that_make_no_sense_stop_no_legacy_backup() {
    for broken in [
        "[detector]\nuse = \"no such detector\"\n",
        "[repository]\ndirr = \"x\"\n",
        "[no_such_section]\n",
        "[catalog]\nurl = 5\n",
        "[encryption]\nrecipients = [\"nobody\"]\n",
        "[[sink]]\nname = \"x\"\nuse = \"nowhere\"\n",
    ] {
        let text = format!("{broken}\n[legacy]\nkeep_daily = 3\n");
        let scene = Scene::open().config(&text);
        let engine = scene.respaldo.run(&["backup", "full", "--json"]);
        engine.expect_code(10);
        let file = scene.backup("daily");
        scene.assert_restores(&file, &scene.image());
        scene.run(&["prune", "--json"]).expect_code(0);
    }
}

#[test]
fn a_variable_of_the_engine_that_makes_no_sense_stops_no_legacy_backup() {
    let scene = Scene::open();
    let args = ["legacy", "backup", "daily", "--json"];
    let outcome = scene
        .respaldo
        .run_with("RESPALDO_DETECTOR__WORKERS", "many", &args);
    outcome.expect_code(0);
    let own = scene
        .respaldo
        .run_with("RESPALDO_LEGACY__KEEP_DAILY", "0", &args);
    own.expect_error(10, "config-invalid");
}

#[test]
fn a_catalog_and_a_repository_that_are_broken_stop_no_legacy_backup() {
    let scene = Scene::open();
    scene.sql("CREATE SCHEMA seguridad; CREATE VIEW seguridad.backup_manifest AS SELECT 1 AS id");
    fs::write(
        scene.respaldo.folder().join("backups_incrementales"),
        "no folder",
    )
    .unwrap();
    let engine = scene.respaldo.run(&["backup", "full", "--json"]);
    assert!(!engine.is_done(), "{engine:#?}");
    let file = scene.backup("daily");
    scene.assert_restores(&file, &scene.image());
    assert_eq!(
        scene.cluster.psql(
            DB,
            "SELECT count(*) FROM pg_namespace WHERE nspname = 'seguridad'"
        ),
        "1"
    );
}
