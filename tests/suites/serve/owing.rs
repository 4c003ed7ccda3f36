//! A service gives a sink that was down what it is owed, after waits that grow.

use std::fs;

use respaldo_tests::Repository;
use respaldo_tests::respaldo::wait_until;
use serde_json::Value;

use super::scene::{LONG, Scene, end};

/// What `status` says that a sink is owed.
fn owed(scene: &Scene) -> Option<Value> {
    let status = scene.status();
    status["destinos_pendientes"].get(0).cloned()
}

/// Lets the wait before the next try be over.
fn make_due(scene: &Scene) {
    let folder = scene
        .respaldo
        .folder()
        .join("backups_incrementales/.respaldo");
    let text = fs::read(folder.join("owed.json")).unwrap();
    let mut debts: Value = serde_json::from_slice(&text).unwrap();
    debts["copia"]["next_at"] = "2020-01-01T00:00:00Z".into();
    // Whole, as the service reads it meanwhile.
    let draft = folder.join("owed.new");
    fs::write(&draft, debts.to_string()).unwrap();
    fs::rename(draft, folder.join("owed.json")).unwrap();
}

/// Waits until so many tries in a row have failed, and gives what is owed then.
fn failed(scene: &Scene, tries: u64) -> Value {
    let is_it = |debt: &Value| debt["intentos"] == tries;
    let came = wait_until(LONG, || owed(scene).as_ref().is_some_and(is_it));
    assert!(came, "{tries} tries were awaited: {:#?}", owed(scene));
    owed(scene).unwrap()
}

#[test]
fn a_sink_that_comes_back_is_given_what_it_is_owed() {
    let scene = Scene::open();
    scene.configure("[[sink]]\nname = 'disco'\nuse = 'local'\n[[sink]]\nname = 'copia'\nuse = 'local'\ndir = 'copia'\nrequired = false");
    let place = scene.respaldo.folder().join("copia");
    fs::write(&place, "no folder").unwrap();
    scene.respaldo.run(&["backup", "full"]).expect_code(3);

    let status = scene.respaldo.run(&["status"]);
    status.expect_code(3);
    assert!(
        status.stdout.contains("copia is owed 1 backups"),
        "{status:#?}"
    );
    let debt = owed(&scene).unwrap();
    assert_eq!(debt["nombre"], "copia", "{debt:#}");
    assert_eq!(debt["pendientes"], 1, "{debt:#}");
    assert_eq!(debt["intentos"], 0, "{debt:#}");
    assert!(debt["motivo_pendiente"].is_string(), "{debt:#}");

    let service = scene.serve();
    scene.wait_for_state("PROFESIONAL");
    let next = [1, 2, 3].map(|tries| {
        make_due(&scene);
        let debt = failed(&scene, tries);
        debt["proximo_intento"].as_str().unwrap().to_owned()
    });
    assert!(next.is_sorted(), "each try is put off further: {next:?}");
    fs::remove_file(&place).unwrap();
    make_due(&scene);
    assert!(
        wait_until(LONG, || owed(&scene).is_none()),
        "{:#?}",
        owed(&scene)
    );
    assert_eq!(Repository::at(&place).sealed().len(), 1);
    end(service);
    let status = scene.respaldo.ok(&["status", "--json"]).json();
    assert!(status["destinos_pendientes"].is_null(), "{status:#}");
}
