//! Who may do what: every route of the document, with every role.

use reqwest::Method;
use serde_json::{Value, json};

use super::scene::{Person, Scene};

const ROLES: [&str; 3] = ["VIEWER", "OPERATOR", "ADMIN"];

struct Line {
    method: Method,
    path: String,
    needs: Option<String>,
    has_body: bool,
    is_stream: bool,
}

/// The routes as the document has them.
fn lines(document: &Value) -> Vec<Line> {
    let mut lines = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let content = operation["responses"].to_string();
            lines.push(Line {
                method: method.to_uppercase().parse().unwrap(),
                path: path.strip_prefix("/api/v1").unwrap().to_owned(),
                needs: operation["x-rol"].as_str().map(str::to_owned),
                has_body: operation.get("requestBody").is_some(),
                is_stream: content.contains("event-stream"),
            });
        }
    }
    lines
}

/// A path whose parts name nothing there is: what is tried does no harm.
fn filled(path: &str) -> String {
    path.replace("{id}", "full_20000101_000000.backup")
        .replace("{name}", "nobody")
        .replace("{usuario}", "nobody")
}

/// The status, without waiting for what a stream says.
fn status(person: &Person, line: &Line) -> u16 {
    let mut request = person.request(line.method.clone(), &filled(&line.path));
    if line.has_body {
        // Not of any use to anybody.
        request = request.json(&json!({ "nonsense": true }));
    }
    request.send().unwrap().status().as_u16()
}

#[test]
fn every_route_is_for_its_roles_and_no_other() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    let people = [
        scene.person(&admin, "VIEWER"),
        scene.person(&admin, "OPERATOR"),
        admin.clone(),
    ];
    let document = scene.nobody().get("/openapi.json");
    let lines = lines(&document);
    assert!(lines.len() > 50, "{}", lines.len());
    let mut wrong = Vec::new();
    for line in &lines {
        let name = format!("{} {}", line.method, line.path);
        if line.path == "/session" && line.method == Method::DELETE {
            continue;
        }
        let nobody = status(&scene.nobody(), line);
        let Some(needs) = &line.needs else {
            if nobody == 401 && line.path != "/session" {
                wrong.push(format!("{name}: open, and nobody gets {nobody}"));
            }
            continue;
        };
        if nobody != 401 {
            wrong.push(format!("{name}: nobody gets {nobody}"));
        }
        let least = ROLES.iter().position(|role| role == needs).unwrap();
        for (at, person) in people.iter().enumerate() {
            // Nobody waits for the end of a stream.
            if line.is_stream && at >= least && line.path == "/events" {
                continue;
            }
            let told = status(person, line);
            let is_refused = told == 403 || told == 401;
            if is_refused != (at < least) {
                wrong.push(format!("{name}: {} gets {told}", ROLES[at]));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_token_may_do_what_its_scope_says_and_never_more_than_who_made_it() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    admin.ok(
        Method::POST,
        "/users",
        &json!({ "usuario": "eva", "clave": super::scene::PASSWORD, "rol": "ADMIN" }),
    );
    let eva = scene.login("eva", super::scene::PASSWORD);
    let made = eva.ok(
        Method::POST,
        "/tokens",
        &json!({ "nombre": "ci", "alcance": "OPERATOR" }),
    );
    let token = scene.nobody().bearer(made["token"].as_str().unwrap());
    assert_eq!(token.get("/session")["rol"], "OPERATOR");
    assert_eq!(token.ask(Method::GET, "/users", None).0, 403);
    // No CSRF token is needed: nothing sends it by itself.
    assert_eq!(
        token.job("/validations", &json!({}))["estado"],
        "COMPLETADO"
    );
    admin.ok(Method::PATCH, "/users/eva", &json!({ "rol": "VIEWER" }));
    assert_eq!(token.get("/session")["rol"], "VIEWER");
    admin.ok(Method::PATCH, "/users/eva", &json!({ "bloqueado": true }));
    assert_eq!(token.ask(Method::GET, "/status", None).0, 401);
    let listed = admin.get("/tokens").to_string();
    assert!(!listed.contains(made["token"].as_str().unwrap()) && !listed.contains("sha256"));
    let wrong = scene.nobody().bearer("rsp_wrong");
    assert_eq!(wrong.ask(Method::GET, "/status", None).0, 401);
}

#[test]
fn a_role_that_is_taken_away_counts_at_once() {
    let scene = Scene::bare();
    let admin = scene.admin();
    let operator = scene.person(&admin, "OPERATOR");
    admin.ok(
        Method::PATCH,
        "/users/operator",
        &json!({ "rol": "VIEWER" }),
    );
    let begun = operator.refused(Method::POST, "/backups", &json!({ "tipo": "FULL" }));
    assert_eq!(begun, (403, "not-allowed".to_owned()));
    admin.ok(
        Method::PATCH,
        "/users/operator",
        &json!({ "clave": "otra clave larga" }),
    );
    assert_eq!(
        operator.ask(Method::GET, "/status", None).0,
        401,
        "its session ended"
    );
}
