//! The OpenAPI document: it is true of every answer, and nothing that it allows breaks the service.

use std::path::PathBuf;
use std::process::Command;

use jsonschema::{Draft, Validator};
use reqwest::Method;
use serde_json::{Value, json};

use super::scene::{DB, OWNER, Scene};

fn validator(document: &Value, shape: &Value) -> Validator {
    let mut schema = shape.clone();
    schema["components"] = document["components"].clone();
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .build(&schema)
        .unwrap()
}

#[test]
fn answers_are_as_the_document_says() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    let full = admin.backup("FULL");
    scene.cluster.psql_as(OWNER, DB, "INSERT INTO t VALUES (4)");
    let inc = admin.backup("INCREMENTAL");
    admin.ok(
        Method::POST,
        "/tokens",
        &json!({ "nombre": "ci", "alcance": "VIEWER" }),
    );
    let job = admin.job(
        "/validations",
        &json!({ "ids": [full], "nivel": "checksum" }),
    );
    let document = admin.get("/openapi.json");
    let mut wrong = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(operation) = operations.get("get") else {
            continue;
        };
        let shape = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        if shape.is_null() {
            continue;
        }
        let below = path.strip_prefix("/api/v1").unwrap();
        let mut asked = below.replace(
            "/jobs/{id}",
            &format!("/jobs/{}", job["id"].as_str().unwrap()),
        );
        asked = asked.replace("{id}", &inc.to_string());
        if below == "/preview" {
            asked = "/preview?at=latest".to_owned();
        }
        let answer = admin.get(&asked);
        let validator = validator(&document, shape);
        let errors = validator.iter_errors(&answer);
        wrong.extend(errors.map(|error| format!("{asked}: {}: {error}", error.instance_path())));
    }
    let (_, problem) = admin.ask(Method::GET, "/nothing", None);
    let shape = json!({ "$ref": "#/components/schemas/Problem" });
    assert!(validator(&document, &shape).is_valid(&problem), "{problem}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_same_is_answered_as_by_the_command_line() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    let id = admin.backup("FULL");
    let cli = |args: &[&str]| {
        let mut all = args.to_vec();
        all.push("--json");
        scene.respaldo.run(&all).json()
    };
    assert_eq!(admin.get("/backups")["elementos"], cli(&["list"]));
    let mut shown = admin.get(&format!("/backups/{id}?tablas_limit=2000"));
    shown.as_object_mut().unwrap().remove("tablas_encontradas");
    assert_eq!(shown, cli(&["show", &id.to_string()]));
    for (path, args) in [
        ("/schedule", vec!["schedule", "show"]),
        ("/retention", vec!["retention", "show"]),
        ("/cloud", vec!["cloud", "show"]),
        ("/plugins", vec!["plugin", "list"]),
        ("/config", vec!["config", "show"]),
        ("/expiry", vec!["expire", "--dry-run"]),
        ("/preview?at=latest", vec!["preview", "--at", "latest"]),
    ] {
        assert_eq!(admin.get(path), cli(&args), "{path}");
    }
    let (status, told) = (admin.get("/status"), cli(&["status"]));
    for key in [
        "motor",
        "ultimo_backup",
        "estadisticas",
        "espacio_uso",
        "proximos_backups",
    ] {
        assert_eq!(status[key], told[key], "{key}");
    }
    let spanish = admin.get(&format!("/backups/{id}?lang=es&tabla=public.u"));
    let english = admin.get(&format!("/backups/{id}?lang=en&tabla=public.u"));
    assert_ne!(
        spanish["tablas"][0]["explicacion"],
        english["tablas"][0]["explicacion"]
    );
}

#[test]
fn settings_are_changed_in_part_and_the_next_runs_follow() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    let before = admin.get("/schedule");
    let changed = admin.ok(
        Method::PUT,
        "/schedule",
        &json!({ "INCREMENTAL": { "hour": 5 } }),
    );
    assert_eq!(changed["INCREMENTAL"]["hour"], 5);
    assert_eq!(
        changed["INCREMENTAL"]["minute"],
        before["INCREMENTAL"]["minute"]
    );
    assert_eq!(changed["FULL"], before["FULL"]);
    let next = admin.get("/schedule/next")["INCREMENTAL"]["next_run"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(next.contains("T05:30:00"), "{next}");
    let far = admin.refused(Method::PUT, "/schedule", &json!({ "FULL": { "day": 32 } }));
    assert_eq!(far.0, 422);
    assert_eq!(
        admin.ok(Method::PUT, "/retention", &json!({ "inc_days": 9 }))["inc_days"],
        9
    );
    assert_eq!(
        admin
            .refused(Method::PUT, "/retention", &json!({ "min_chains": 0 }))
            .0,
        422
    );
    let folder = scene.respaldo.folder().join("segundo");
    let cloud = json!({ "enabled": true, "provider": "LOCAL", "sync_dir": folder });
    let set = admin.ok(Method::PUT, "/cloud", &cloud);
    assert_eq!(set["enabled"], true, "{set}");
    let id = admin.backup("FULL");
    let job = admin.job(&format!("/backups/{id}/upload"), &json!({}));
    assert_eq!(job["estado"], "COMPLETADO", "{job}");
    assert_eq!(admin.get("/backups")["elementos"][0]["nube_subido"], true);
}

fn schemathesis() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target =
        target.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"));
    let program = target.join("tools-py/bin/schemathesis");
    assert!(
        program.is_file(),
        "{} is missing: scripts/python-tools.sh",
        program.display()
    );
    program
}

/// What is generated from the document, for an administrator, and its refusals: no failure of ours, and none that the
/// document does not know.
#[test]
fn nothing_that_the_document_allows_or_forbids_breaks_the_service() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    admin.backup("FULL");
    let made = admin.ok(
        Method::POST,
        "/tokens",
        &json!({ "nombre": "st", "alcance": "ADMIN" }),
    );
    let token = made["token"].as_str().unwrap();
    let run = Command::new(schemathesis())
        .current_dir(scene.respaldo.folder())
        .args(["run", &format!("{}/api/v1/openapi.json", scene.root())])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"])
        // Streams go on, and the token ends itself.
        .args(["--exclude-path-regex", "/events$"])
        .args(["--exclude-operation-id", "RemoveToken", "--exclude-operation-id", "Doctor"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "15", "--seed", "7"])
        .args(["--request-timeout", "60", "--no-color"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&run.stderr)
    );
    // Whoever it blocked or gave another password, the service is there.
    assert_eq!(scene.nobody().get("/session")["configurado"], true);
    println!("{said}");
}
