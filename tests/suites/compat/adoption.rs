//! Backups made by the existing system, taken over: restored without its losses, into the target
//! that was named, and never the base of a backup of ours.

use std::fs;

use chrono::NaiveDate;
use respaldo_tests::Cluster;
use respaldo_tests::app_fixture::AppService;

use super::scene::{OWNER, Scene, files_below};

const CHILDREN: &str = "SELECT count(*) FROM app.documento_detalle";

#[test]
fn a_chain_of_the_existing_system_is_adopted_and_restored_without_its_losses() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    let day = NaiveDate::from_ymd_opt(2026, 1, 2).unwrap();
    let mut app = AppService::new(
        &cluster,
        &cluster.url_as(OWNER, &scene.db),
        scene.respaldo.folder(),
    );
    app.full_backup(day.and_hms_opt(0, 0, 0).unwrap());
    let (children, state) = (
        scene.sql(CHILDREN),
        "SELECT max(observaciones) FROM app.documento",
    );
    scene.sql("UPDATE app.documento SET observaciones = 'cambiado'");
    app.incremental_backup(day.and_hms_opt(23, 0, 0).unwrap(), &["app.documento"]);
    fs::write(
        scene.repository().join("full/full_20260103_000000.backup"),
        "not an archive",
    )
    .unwrap();
    let archives = archives(&scene);

    let adopted = scene.respaldo.run(&["catalog", "adopt", "--json"]);
    let report = adopted.expect_code(3).json();
    assert_eq!(
        report["adoptados"].as_array().unwrap().len(),
        2,
        "{report:#}"
    );
    assert_eq!(
        report["rechazados"].as_array().unwrap().len(),
        1,
        "{report:#}"
    );
    let again = scene.respaldo.run(&["catalog", "adopt", "--json"]).json();
    assert_eq!(again["adoptados"].as_array().unwrap().len(), 0, "{again:#}");

    let name = "inc_20260102_230000.backup";
    let shown = scene.respaldo.ok(&["show", name, "--json"]).json();
    assert_eq!(shown["cobertura"]["completa"], false, "{shown:#}");
    let validated = scene
        .respaldo
        .ok(&["validate", name, "--level", "chain", "--json"]);
    assert_eq!(validated.json()["validos"], 1);
    scene.respaldo.ok(&["preview", "--id", name, "--json"]);

    scene.sql("DELETE FROM app.documento_detalle");
    let restored = scene.respaldo.run(&[
        "restore",
        "--id",
        name,
        "--target-db",
        "adoptada",
        "--create",
        "--json",
    ]);
    assert!(restored.is_done(), "{restored:#?}");
    assert_eq!(cluster.psql("adoptada", CHILDREN), children);
    assert_eq!(cluster.psql("adoptada", state), "cambiado");
    assert_eq!(scene.sql(CHILDREN), "0", "the live database was touched");

    let file = scene.respaldo.folder().join("adoptada.dump");
    let path = file.to_str().unwrap();
    // Written, and partial as the backup is.
    scene
        .respaldo
        .run(&["export", "--id", name, "-o", path])
        .expect_code(3);
    let url = cluster.owned_database("exportada", OWNER);
    let mut stock = cluster.tool("pg_restore");
    let done = stock.args(["-d", &url, path]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    // Its own archives leave out a table that a view of theirs reads.
    let errors: Vec<_> = said.lines().filter(|line| line.contains("ERROR")).collect();
    assert!(
        errors.iter().all(|line| line.contains("seguridad.")),
        "{said}"
    );
    assert_eq!(cluster.psql("exportada", CHILDREN), children);
    assert_eq!(cluster.psql("exportada", state), "cambiado");

    let next = scene.backup("inc");
    assert_eq!(next.json["tipo"], "FULL", "{:#}", next.json);
    assert_eq!(next.json["motivo_full"], "otra_linea", "{:#}", next.json);
    let kept = archives
        .iter()
        .all(|(path, bytes)| fs::read(path).unwrap() == *bytes);
    assert!(kept, "an archive of the existing system was changed");
}

/// Every archive in the repository with its bytes.
fn archives(scene: &Scene<'_>) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    files_below(&scene.repository())
        .into_iter()
        .filter(|name| name.ends_with(".backup"))
        .map(|name| {
            let path = scene.repository().join(name);
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}
