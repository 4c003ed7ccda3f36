//! A restore: planned, confirmed, begun once, by an administrator alone.

use reqwest::Method;
use serde_json::{Value, json};

use super::scene::{DB, PASSWORD, Scene};

fn wish(target: &str) -> Value {
    json!({ "at": "latest", "target_db": target, "create": true })
}

fn with(mut wish: Value, more: &Value) -> Value {
    let more = more.as_object().unwrap().clone();
    wish.as_object_mut().unwrap().extend(more);
    wish
}

#[test]
fn a_restore_is_begun_by_who_planned_it_with_the_typed_name_and_once() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    let other = scene.person(&admin, "ADMIN");
    admin.backup("FULL");
    let plan = admin.ok(Method::POST, "/restores/plan", &wish("copia"));
    assert_eq!(plan["confirmacion"], "copia");
    assert_eq!(plan["preview"]["existe"], true);
    let ticket = &plan["ficha"];
    let begin = |person: &super::scene::Person, body: &Value| {
        person.refused(Method::POST, "/restores", body)
    };
    let unfit = (422, "ticket-invalid".to_owned());
    // By mistake: without a plan, without the text, for something else, by somebody else.
    let none = with(
        wish("copia"),
        &json!({ "ficha": "x", "confirmacion": "copia" }),
    );
    assert_eq!(begin(&admin, &none), unfit);
    assert_eq!(begin(&admin, &wish("copia")).0, 422);
    let mistyped = with(
        wish("copia"),
        &json!({ "ficha": ticket, "confirmacion": "copi" }),
    );
    assert_eq!(
        begin(&admin, &mistyped),
        (422, "confirmation-wrong".to_owned())
    );
    let elsewhere = with(wish(DB), &json!({ "ficha": ticket, "confirmacion": DB }));
    assert_eq!(begin(&admin, &elsewhere), unfit);
    let harder = with(
        with(wish("copia"), &json!({ "replace": true })),
        &json!({ "ficha": ticket, "confirmacion": "copia" }),
    );
    assert_eq!(begin(&admin, &harder), unfit);
    let right = with(
        wish("copia"),
        &json!({ "ficha": ticket, "confirmacion": "copia" }),
    );
    assert_eq!(begin(&other, &right), unfit, "it is the session's");
    assert_eq!(
        begin(&scene.login("ana", PASSWORD), &right),
        unfit,
        "and no other of the same user"
    );
    let databases = "SELECT count(*) FROM pg_database WHERE datname = 'copia'";
    assert_eq!(scene.cluster.psql(DB, databases).trim(), "0");
    // Asked for twice at once, as a double click does.
    let (first, second) = std::thread::scope(|threads| {
        let send = || admin.ask(Method::POST, "/restores", Some(&right));
        let one = threads.spawn(send);
        let two = threads.spawn(send);
        (one.join().unwrap(), two.join().unwrap())
    });
    let mut told = [first.0, second.0];
    told.sort_unstable();
    assert_eq!(told, [202, 409], "{first:?} {second:?}");
    let taken = if first.0 == 202 { first.1 } else { second.1 };
    let job = admin.wait_for_job(taken["id"].as_str().unwrap());
    assert_eq!(job["estado"], "COMPLETADO", "{job}");
    assert_eq!(job["resultado"]["base_destino"], "copia");
    assert_eq!(
        scene.cluster.psql("copia", "SELECT count(*) FROM u").trim(),
        "300"
    );
    assert_eq!(begin(&admin, &right), (409, "ticket-used".to_owned()));
}

#[test]
fn the_backup_that_was_looked_at_is_the_one_that_is_restored() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    admin.backup("FULL");
    let plan = admin.ok(Method::POST, "/restores/plan", &wish("copia"));
    scene
        .cluster
        .psql_as(super::scene::OWNER, DB, "DELETE FROM u");
    admin.backup("INCREMENTAL");
    let body = with(
        wish("copia"),
        &json!({ "ficha": plan["ficha"], "confirmacion": "copia" }),
    );
    let job = admin.job("/restores", &body);
    assert_eq!(job["estado"], "COMPLETADO", "{job}");
    assert_eq!(
        scene.cluster.psql("copia", "SELECT count(*) FROM u").trim(),
        "300"
    );
}

#[test]
fn viewers_and_operators_neither_plan_nor_begin_one() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    admin.backup("FULL");
    let plan = admin.ok(Method::POST, "/restores/plan", &wish("copia"));
    let right = with(
        wish("copia"),
        &json!({ "ficha": plan["ficha"], "confirmacion": "copia" }),
    );
    for role in ["VIEWER", "OPERATOR"] {
        let person = scene.person(&admin, role);
        let no = (403, "not-allowed".to_owned());
        assert_eq!(
            person.refused(Method::POST, "/restores/plan", &wish("copia")),
            no
        );
        assert_eq!(person.refused(Method::POST, "/restores", &right), no);
        assert_eq!(
            person.refused(Method::POST, "/exports", &json!({ "fecha": "latest" })),
            no
        );
        assert_eq!(person.ask(Method::DELETE, "/backups/1", None).0, 403);
    }
    assert!(
        admin.get("/jobs")["elementos"]
            .to_string()
            .matches("restore")
            .count()
            == 0
    );
}

#[test]
fn what_is_exported_is_fetched_by_administrators_and_is_an_archive() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    let operator = scene.person(&admin, "OPERATOR");
    let id = admin.backup("FULL");
    let job = admin.job("/exports", &json!({ "id": id }));
    assert_eq!(job["estado"], "COMPLETADO", "{job}");
    let path = job["descarga"]
        .as_str()
        .unwrap()
        .strip_prefix("/api/v1")
        .unwrap()
        .to_owned();
    assert_eq!(operator.ask(Method::GET, &path, None).0, 403);
    let answer = admin.request(Method::GET, &path).send().unwrap();
    let named = answer.headers()["content-disposition"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(named.starts_with("attachment; filename=\"full_"), "{named}");
    let bytes = answer.bytes().unwrap();
    assert_eq!(&bytes[..5], b"PGDMP");
    assert_eq!(
        bytes.len() as u64,
        job["resultado"]["tamano_bytes"].as_u64().unwrap()
    );
    assert!(
        !job.to_string().contains("panel-exports"),
        "places on the machine are nobody's business"
    );
}

#[test]
fn a_backup_that_others_need_is_deleted_with_them_or_not_at_all() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    let full = admin.backup("FULL");
    scene
        .cluster
        .psql_as(super::scene::OWNER, DB, "INSERT INTO t VALUES (9)");
    let inc = admin.backup("INCREMENTAL");
    let dependents = admin.get(&format!("/backups/{full}/dependents"));
    assert_eq!(dependents[0]["id"], inc, "{dependents}");
    let chain = admin.get(&format!("/backups/{inc}/chain"));
    assert_eq!(chain["aristas"], json!([{ "de": inc, "a": full }]));
    let (status, refused) = admin.ask(Method::DELETE, &format!("/backups/{full}"), None);
    assert_eq!(
        (status, refused["codigo"].as_str()),
        (409, Some("has-dependents")),
        "{refused}"
    );
    assert_eq!(refused["datos"]["dependientes"][0]["id"], inc);
    let path = format!("/backups/{full}?with_dependents=true");
    let (status, gone) = admin.ask(Method::DELETE, &path, None);
    assert_eq!(
        (status, gone["eliminados"].as_array().unwrap().len()),
        (200, 2),
        "{gone}"
    );
    assert_eq!(admin.get("/backups")["total"], 0);
}
