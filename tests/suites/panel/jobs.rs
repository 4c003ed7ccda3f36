//! Jobs: told of while they run, one at a time, begun once, stopped, and remembered over a restart.

use std::io::{BufRead, BufReader};

use reqwest::Method;
use reqwest::blocking::Response;
use respaldo_tests::respaldo::wait_until;
use serde_json::{Value, json};

use super::scene::{LONG, Person, Scene};

/// The events of a job until its end: numbers, kinds, documents.
fn events(person: &Person, id: &str, after: Option<u64>) -> Vec<(u64, String, Value)> {
    told(listens(person, id, after))
}

/// Begins to listen to a job, from its first event or after one.
fn listens(person: &Person, id: &str, after: Option<u64>) -> Response {
    let mut request = person.request(Method::GET, &format!("/jobs/{id}/events"));
    if let Some(after) = after {
        request = request.header("last-event-id", after.to_string());
    }
    let answer = request.send().unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    answer
}

fn told(answer: Response) -> Vec<(u64, String, Value)> {
    let (mut all, mut number, mut kind) = (Vec::new(), 0, String::new());
    for line in BufReader::new(answer).lines() {
        let line = line.unwrap();
        match line.split_once(": ") {
            Some(("id", text)) => number = text.parse().unwrap(),
            Some(("event", text)) => text.clone_into(&mut kind),
            Some(("data", text)) => {
                all.push((number, kind.clone(), serde_json::from_str(text).unwrap()));
            }
            _ => {}
        }
    }
    all
}

#[test]
fn a_backup_is_told_of_table_by_table_until_its_end_and_again_from_where_one_left() {
    let mut scene = Scene::prepared("http");
    scene.configure("");
    let gate = scene.respaldo.folder().join("gate");
    let fault = format!("backup.store=wait:{}", gate.display());
    scene.start(&[("RESPALDO_FAULTS", &fault)]);
    scene.is_up();
    let admin = scene.admin();
    let begun = admin.ok(
        Method::POST,
        "/backups",
        &json!({ "tipo": "FULL", "etiqueta": "x" }),
    );
    assert_eq!(begun["clase"], "backup");
    let id = begun["id"].as_str().unwrap();
    let answer = listens(&admin, id, None);
    std::fs::write(&gate, "").unwrap();
    let told = told(answer);
    let kinds: Vec<&str> = told.iter().map(|(_, kind, _)| kind.as_str()).collect();
    assert_eq!(kinds.last(), Some(&"fin"), "{kinds:?}");
    let (_, _, last) = told.last().unwrap();
    assert_eq!(last["estado"], "COMPLETADO", "{last}");
    assert_eq!(last["resultado"]["exitoso"], true);
    let tables = told.iter().filter(|(_, kind, _)| kind == "tabla");
    let tables: Vec<&str> = tables
        .map(|(_, _, t)| t["tabla"].as_str().unwrap())
        .collect();
    assert!(tables.contains(&"public.u"), "{tables:?}");
    let numbers: Vec<u64> = told.iter().map(|(number, _, _)| *number).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    // Who comes late is told the end.
    let late = events(&admin, id, Some(1));
    assert_eq!(late.last().unwrap().1, "fin");
}

#[test]
fn one_key_begins_one_job_and_another_request_with_it_is_refused() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    let begin = |kind: &str| {
        let request = admin
            .request(Method::POST, "/backups")
            .header("idempotency-key", "k-1");
        let answer = request.json(&json!({ "tipo": kind })).send().unwrap();
        (answer.status().as_u16(), answer.json::<Value>().unwrap())
    };
    let first = begin("FULL");
    assert_eq!(first.0, 202);
    admin.wait_for_job(first.1["id"].as_str().unwrap());
    let again = begin("FULL");
    assert_eq!((again.0, &again.1["id"]), (202, &first.1["id"]));
    let other = begin("INCREMENTAL");
    assert_eq!(
        (other.0, other.1["codigo"].as_str()),
        (422, Some("key-reused"))
    );
    assert_eq!(admin.get("/backups?estado=COMPLETADO")["total"], 1);
}

#[test]
fn one_that_writes_is_alone_and_can_be_cancelled() {
    let mut scene = Scene::prepared("http");
    scene.configure("");
    let gate = scene.respaldo.folder().join("gate");
    let fault = format!("backup.dump=wait:{}", gate.display());
    scene.start(&[("RESPALDO_FAULTS", &fault)]);
    scene.is_up();
    let admin = scene.admin();
    let operator = scene.person(&admin, "OPERATOR");
    let viewer = scene.person(&admin, "VIEWER");
    let held = operator.ok(Method::POST, "/backups", &json!({ "tipo": "FULL" }));
    let id = held["id"].as_str().unwrap();
    let refused = admin.ask(Method::POST, "/backups", Some(&json!({ "tipo": "FULL" })));
    assert_eq!(
        (refused.0, refused.1["codigo"].as_str()),
        (409, Some("run-active"))
    );
    assert!(
        refused.1["detail"].as_str().unwrap().contains("operator"),
        "{}",
        refused.1
    );
    assert_eq!(admin.ask(Method::POST, "/expiry", None).0, 409);
    // What only reads goes on.
    assert_eq!(admin.get("/status")["motor"], "PROFESIONAL");
    assert_eq!(
        viewer.ask(Method::DELETE, &format!("/jobs/{id}"), None).0,
        403
    );
    assert_eq!(
        operator.ask(Method::DELETE, &format!("/jobs/{id}"), None).0,
        202
    );
    std::fs::write(&gate, "").unwrap();
    let job = operator.wait_for_job(id);
    assert_eq!(job["estado"], "CANCELADO", "{job}");
    assert_eq!(job["error"]["codigo"], "interrupted");
    assert_eq!(
        operator.ask(Method::DELETE, &format!("/jobs/{id}"), None).0,
        409
    );
    assert_eq!(admin.get("/backups?estado=COMPLETADO")["total"], 0);
    admin.backup("FULL");
}

#[test]
fn a_job_that_lost_its_process_was_interrupted_and_the_panel_goes_on() {
    let mut scene = Scene::prepared("http");
    scene.configure("");
    let gate = scene.respaldo.folder().join("gate");
    let fault = format!("backup.dump=wait:{}", gate.display());
    scene.start(&[("RESPALDO_FAULTS", &fault)]);
    scene.is_up();
    let admin = scene.admin();
    let begun = admin.ok(Method::POST, "/backups", &json!({ "tipo": "FULL" }));
    let id = begun["id"].as_str().unwrap().to_owned();
    let runs = || admin.get(&format!("/jobs/{id}"))["progreso"]["paso"] == "backup.dump";
    assert!(
        wait_until(LONG, runs),
        "{}",
        admin.get(&format!("/jobs/{id}"))
    );
    scene.kill();
    scene.start(&[]);
    scene.is_up();
    let admin = scene.login("ana", super::scene::PASSWORD);
    let job = admin.get(&format!("/jobs/{id}"));
    assert_eq!(job["estado"], "INTERRUMPIDO", "{job}");
    assert!(job["fin"].is_string());
    assert_eq!(admin.get("/jobs")["elementos"][0]["id"], id.as_str());
    let told = events(&admin, &id, Some(77));
    assert_eq!((told.len(), told[0].1.as_str()), (1, "fin"));
    admin.backup("FULL");
}

#[test]
fn a_job_that_fails_says_why_as_the_command_does() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    let job = admin.job("/validations", &json!({ "ids": [99_999] }));
    assert_eq!(
        (job["estado"].as_str(), job["error"]["codigo"].as_str()),
        (Some("FALLIDO"), Some("unknown-backup"))
    );
    let nonsense = admin.refused(Method::POST, "/backups", &json!({ "tipo": "nonsense" }));
    assert_eq!(nonsense, (422, "invalid-request".to_owned()));
    let job = admin.job("/sinks/nobody/check", &json!({}));
    assert_eq!(job["estado"], "FALLIDO");
    let spanish = admin.ok(Method::POST, "/sinks/nobody/check?lang=es", &json!({}));
    let job = admin.wait_for_job(spanish["id"].as_str().unwrap());
    assert!(
        job["error"]["title"].as_str().unwrap().contains("orden"),
        "{job}"
    );
}

#[test]
fn a_point_is_told_to_be_proven_by_what_was_done_and_no_more() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    admin.backup("FULL");
    let newest = || admin.get("/overview")["puntos"][0].clone();
    assert_eq!(newest()["validado"], false);
    assert!(newest()["nivel"].is_null());
    for level in ["chain", "drill"] {
        let job = admin.job("/validations", &json!({ "nivel": level }));
        assert_eq!(job["estado"], "COMPLETADO", "{job}");
        let looked_at = newest();
        assert_eq!(looked_at["validado"], true, "{looked_at}");
        assert_eq!(looked_at["nivel"], level, "{looked_at}");
    }
}
