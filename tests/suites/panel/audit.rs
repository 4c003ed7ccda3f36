//! Who did what is written down, also while the database is away.

use reqwest::Method;
use respaldo_tests::respaldo::wait_until;
use serde_json::{Value, json};

use super::scene::{DB, LONG, PASSWORD, Scene};

fn acts(page: &Value) -> Vec<(String, String, String)> {
    let word = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    let act = |entry: &Value| {
        (
            word(entry, "usuario"),
            word(entry, "accion"),
            word(entry, "resultado"),
        )
    };
    page["elementos"]
        .as_array()
        .unwrap()
        .iter()
        .map(act)
        .collect()
}

fn rows(scene: &Scene) -> u64 {
    let count = scene
        .cluster
        .try_psql(DB, "SELECT count(*) FROM seguridad.respaldo_audit");
    count
        .ok()
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0)
}

#[test]
fn every_change_and_every_refused_one_is_a_row_without_secrets() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    let viewer = scene.person(&admin, "VIEWER");
    viewer.refused(Method::POST, "/backups", &json!({ "tipo": "FULL" }));
    scene.nobody().try_login("ana", "not the password");
    admin.ok(Method::PUT, "/retention", &json!({ "inc_days": 9 }));
    admin.backup("FULL");
    admin.ask(Method::DELETE, "/session", None);
    let admin = scene.login("ana", PASSWORD);
    let page = admin.get("/audit?limit=100");
    let acts = acts(&page);
    for (user, action, outcome) in [
        ("ana", "POST /setup", "ok"),
        ("ana", "POST /users", "ok"),
        ("viewer", "POST /session", "ok"),
        ("viewer", "POST /backups", "not-allowed"),
        ("ana", "POST /session", "login-failed"),
        ("ana", "PUT /retention", "ok"),
        ("ana", "POST /backups", "ok"),
        ("ana", "DELETE /session", "ok"),
    ] {
        let is = |act: &&(String, String, String)| {
            (act.0.as_str(), act.1.as_str(), act.2.as_str()) == (user, action, outcome)
        };
        assert!(
            acts.iter().any(|act| is(&act)),
            "{user} {action} {outcome}: {acts:#?}"
        );
    }
    let text = page.to_string();
    assert!(
        !text.contains(PASSWORD) && !text.contains("not the password"),
        "{text}"
    );
    assert!(text.contains("inc_days") && text.contains("127.0.0.1"));
    let total = page["total"].as_u64().unwrap();
    assert!(
        wait_until(LONG, || rows(&scene) >= total),
        "{} rows of {total}",
        rows(&scene)
    );
    // A backup has none of them, and a restore brings none back.
    let shown = admin.get("/backups/1?tabla=respaldo_audit");
    assert_eq!(shown["tablas"][0]["volcada"], false, "{shown}");
}

#[test]
fn what_was_done_while_the_database_was_away_is_written_when_it_is_back_and_once() {
    let mut scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    assert!(wait_until(LONG, || rows(&scene) == 1));
    scene.cluster.stop();
    admin.ok(
        Method::POST,
        "/tokens",
        &json!({ "nombre": "lejos", "alcance": "VIEWER" }),
    );
    let page = admin.get("/audit");
    assert_eq!(page["completo"], false);
    assert!(
        acts(&page).iter().any(|act| act.1 == "POST /tokens"),
        "{page}"
    );
    // It is on the disk: the process may end.
    scene.kill();
    scene.cluster.start_again();
    scene.start(&[]);
    scene.is_up();
    assert!(wait_until(LONG, || rows(&scene) == 2), "{}", rows(&scene));
    let admin = scene.login("ana", PASSWORD);
    assert!(wait_until(LONG, || rows(&scene) == 3));
    let page = admin.get("/audit");
    assert_eq!(
        (page["total"].as_u64(), page["completo"].as_bool()),
        (Some(3), Some(true))
    );
    let twice = "SELECT count(*) - count(DISTINCT acto) FROM seguridad.respaldo_audit";
    assert_eq!(scene.cluster.psql(DB, twice).trim(), "0");
}
