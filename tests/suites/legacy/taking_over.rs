//! The engine takes over again, and what was made without it is not forgotten.

use std::fs;
use std::time::{Duration, SystemTime};

use respaldo_tests::respaldo::{Running, wait_until};
use serde_json::Value;

use super::scene::Scene;

const LONG: Duration = Duration::from_mins(2);
const HASTY: &str = "
[supervisor]
retry_primary_after = 1
health_interval = 1
retry_run_after = 1
beat_interval = 1
stop_within = 60
[panel]
listen = '127.0.0.1:0'
";

fn configure(scene: &Scene, text: &str) {
    let file = scene.respaldo.folder().join("respaldo.toml");
    fs::write(file, format!("{text}\n{HASTY}")).unwrap();
}

fn serve(scene: &Scene) -> Running {
    scene.respaldo.spawn(&["-v", "serve"])
}

fn end(service: Running) {
    service.signal("TERM");
    service.wait(LONG).expect_code(0);
}

/// Every backup as `list` tells it; nothing while there is no catalog.
fn listed(scene: &Scene) -> Vec<Value> {
    let listed = scene.respaldo.run(&["list", "--json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap_or_default();
    listed.as_array().cloned().unwrap_or_default()
}

fn adopted(scene: &Scene) -> Vec<Value> {
    let is_of_outage = |entry: &Value| entry["etiqueta"] == "legacy";
    listed(scene).into_iter().filter(is_of_outage).collect()
}

/// Files of the legacy service, with what must not change.
fn dumps(scene: &Scene) -> Vec<(String, Vec<u8>, SystemTime)> {
    let mut all = Vec::new();
    for kind in ["daily", "weekly", "monthly"] {
        for name in scene.backups(kind) {
            let path = scene.folder().join(kind).join(&name);
            let changed = fs::metadata(&path).unwrap().modified().unwrap();
            all.push((name, fs::read(path).unwrap(), changed));
        }
    }
    all
}

#[test]
fn the_newest_dump_of_an_outage_is_a_restore_point_when_the_engine_is_back() {
    let scene = Scene::empty();
    scene.sql("CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 3) g");
    configure(&scene, "[detector]\nuse = \"crystal-ball\"");
    let service = serve(&scene);
    assert!(wait_until(LONG, || dumps(&scene).len() == 3));
    let of_outage = dumps(&scene);
    scene.sql("INSERT INTO t VALUES (4)");
    configure(&scene, "");
    assert!(wait_until(LONG, || listed(&scene).len() >= 2));
    let found = adopted(&scene);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (&found[0]["tipo"], &found[0]["estado"]),
        (&"FULL".into(), &"COMPLETADO".into())
    );
    end(service);
    assert_eq!(dumps(&scene), of_outage, "the dumps stay as they are");

    let name = found[0]["nombre"].as_str().unwrap();
    scene.respaldo.ok(&["validate", name, "--level", "chain"]);
    let args = [
        "restore",
        "--id",
        name,
        "--target-db",
        "copia",
        "--create",
        "--json",
    ];
    let restored = scene.respaldo.run(&args);
    assert!(restored.is_done(), "{restored:#?}");
    assert_eq!(scene.cluster.psql("copia", "SELECT max(id) FROM t"), "3");

    // Nothing of it is adopted twice, and nothing is built on it.
    let service = serve(&scene);
    let is_up = || {
        let status = scene.respaldo.run(&["status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).unwrap_or_default();
        status["servicio"]["lidera"] == true
    };
    assert!(wait_until(LONG, is_up));
    end(service);
    let next = scene.respaldo.ok(&["backup", "inc", "--json"]).json();
    assert_eq!(next["tipo"], "INCREMENTAL", "{next:#}");
    assert_eq!(adopted(&scene).len(), 1);
}

#[test]
fn without_an_outage_nothing_is_adopted() {
    let scene = Scene::empty();
    scene.sql("CREATE TABLE t AS SELECT 1 AS id");
    scene.backup("manual");
    configure(&scene, "");
    scene.respaldo.ok(&["backup", "full"]);
    let service = serve(&scene);
    let is_validated = "SELECT count(*) FROM seguridad.backup_validation";
    assert!(wait_until(LONG, || scene.sql(is_validated) != "0"));
    end(service);
    assert_eq!(adopted(&scene).len(), 0);
    assert_eq!(listed(&scene).len(), 1);
}
