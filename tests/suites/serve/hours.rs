//! The hours, as commands show and change them.

use serde_json::{Value, json};

use super::scene::{DB, OWNER, Scene};

fn stored(scene: &Scene) -> Value {
    let text = scene.cluster.psql_as(
        OWNER,
        DB,
        "SELECT valor FROM seguridad.config_sistema WHERE clave = 'backup_schedules'",
    );
    serde_json::from_str(text.trim()).unwrap()
}

#[test]
fn hours_are_stored_where_the_existing_application_reads_them() {
    let scene = Scene::open();
    let shown = scene.respaldo.ok(&["schedule", "show", "--json"]).json();
    assert_eq!(
        shown["DIFERENCIAL"],
        json!({"weekday": 6, "hour": 23, "minute": 30})
    );
    let set = [
        "schedule",
        "set",
        "--full-day",
        "31",
        "--inc-time",
        "13:05",
        "--json",
    ];
    let shown = scene.respaldo.ok(&set).json();
    assert_eq!(shown["FULL"], json!({"day": 31, "hour": 0, "minute": 0}));
    assert_eq!(stored(&scene), shown);
    let next = scene.respaldo.ok(&["schedule", "next", "--json"]).json();
    assert_eq!(next["INCREMENTAL"]["schedule"], "daily at 13:05");
    let status = scene.respaldo.run(&["status", "--json"]).json();
    assert_eq!(
        status["proximos_backups"]["INCREMENTAL"],
        next["INCREMENTAL"]
    );
}

#[test]
fn hours_that_the_application_stored_count_and_nonsense_in_them_stops_nothing() {
    let scene = Scene::open();
    scene
        .respaldo
        .ok(&["schedule", "set", "--inc-time", "10:00"]);
    scene.cluster.psql_as(OWNER, DB, r#"UPDATE seguridad.config_sistema SET valor = '{"INCREMENTAL": {"hour": 9}, "FULL": {"day": 99}}' WHERE clave = 'backup_schedules'"#);
    let shown = scene.respaldo.ok(&["schedule", "show", "--json"]).json();
    assert_eq!(shown["INCREMENTAL"], json!({"hour": 9, "minute": 0}));
    assert_eq!(shown["FULL"]["day"], 1);
}

#[test]
fn hours_that_make_no_sense_are_refused() {
    let scene = Scene::open();
    for args in [
        ["--full-day", "32"],
        ["--dif-weekday", "7"],
        ["--inc-time", "24:00"],
        ["--dif-time", "noon"],
    ] {
        let args = [&["schedule", "set"][..], &args[..]].concat();
        scene.respaldo.run(&args).expect_code(2);
    }
    scene.respaldo.run(&["schedule", "set"]).expect_code(2);
    scene.configure("[schedule]\ntimezone = \"Mars/Olympus\"");
    scene.respaldo.run(&["schedule", "show"]).expect_code(10);
}

#[test]
fn a_full_makes_everything_that_was_missed_needless() {
    let scene = Scene::open();
    std::fs::create_dir(scene.respaldo.folder().join("backups_incrementales")).unwrap();
    let missed = scene.respaldo.run(&["schedule", "missed", "--json"]);
    missed.expect_code(3);
    let kinds: Vec<&str> = missed
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|run| {
            if run["tipo"] == "FULL" {
                "FULL"
            } else {
                "other"
            }
        })
        .collect();
    assert_eq!(kinds, ["FULL", "other"], "{missed:#?}");
    scene.respaldo.ok(&["backup", "full"]);
    let missed = scene.respaldo.run(&["schedule", "missed", "--json"]).json();
    assert_eq!(
        missed.as_array().unwrap().len(),
        1,
        "the look at all backups alone: {missed}"
    );
}
