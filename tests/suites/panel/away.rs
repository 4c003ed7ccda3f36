//! The database is away: people get in, see how things stand and what there is, and restore it.

use reqwest::Method;
use respaldo_tests::respaldo::wait_until;
use serde_json::json;

use super::scene::{DB, LONG, PASSWORD, Scene};

#[test]
fn without_the_database_one_logs_in_and_sees_what_storage_holds() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    admin.backup("FULL");
    scene.cluster.stop();
    let admin = scene.login("ana", PASSWORD);
    let mut status = admin.get("/status");
    let told = wait_until(LONG, || {
        status = admin.get("/status");
        status["motor"] != "PROFESIONAL"
    });
    assert!(told && status["motivo"].is_string(), "{status}");
    let listed = admin.get("/backups");
    assert_eq!(listed["total"], 1, "{listed}");
    assert!(listed["elementos"][0]["id"].is_null());
    let name = listed["elementos"][0]["nombre"].as_str().unwrap();
    let shown = admin.get(&format!("/backups/{name}?tabla=.u"));
    assert_eq!(shown["tablas"][0]["tabla"], "public.u", "{shown}");
    for path in [
        "/overview",
        "/log",
        "/audit",
        "/sinks",
        "/jobs",
        "/users",
        "/schedule",
        "/stats",
        "/restore-points",
    ] {
        admin.get(path);
    }
    admin.get(&format!("/backups/{name}/chain"));
    admin.get(&format!("/backups/{name}/dependents"));
    assert_eq!(admin.get("/preview?at=latest")["existe"], true);
    // The page itself needs nothing of it.
    let page = scene.raw(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    scene.cluster.start_again();
}

#[test]
fn a_database_that_is_lost_is_restored_from_the_panel() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    admin.backup("FULL");
    scene.cluster.terminate_sessions(DB);
    let dropped = || {
        let lost = format!("DROP DATABASE {DB} WITH (FORCE)");
        scene.cluster.try_psql("postgres", &lost).is_ok()
    };
    assert!(wait_until(LONG, dropped));
    let admin = scene.login("ana", PASSWORD);
    let wish = json!({ "at": "latest", "create": true });
    let plan = admin.ok(Method::POST, "/restores/plan", &wish);
    assert_eq!(plan["confirmacion"], DB);
    let mut body = wish.clone();
    body["ficha"] = plan["ficha"].clone();
    body["confirmacion"] = json!(DB);
    let job = admin.job("/restores", &body);
    assert_eq!(job["estado"], "COMPLETADO", "{job}");
    assert_eq!(
        scene.cluster.psql(DB, "SELECT count(*) FROM u").trim(),
        "300"
    );
}
