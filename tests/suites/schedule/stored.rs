//! The stored hours: the application's and ours are the same.

use respaldo_tests::Scene;
use serde_json::json;

use crate::scene::{KEY, make_catalog, run, schedule, store, stored};

fn with_catalog() -> Scene {
    let scene = Scene::open();
    make_catalog(&scene);
    scene
}

#[test]
fn what_the_application_stores_is_followed_at_once_and_kept_but_for_what_is_named() {
    let scene = with_catalog();
    store(
        &scene,
        r#"{"FULL": {"day": 5, "hour": 4, "minute": 15}, "DIFERENCIAL": {"hour": 22}, "MANUAL": {"x": 1}}"#,
    );
    let shown = schedule(&scene, &["show"]);
    assert_eq!(shown["origen"], "base_de_datos");
    assert_eq!(shown["FULL"]["day"], 5);
    assert_eq!(shown["FULL"]["minute"], 15);
    let dif = json!({"weekday": 6, "hour": 22, "minute": 30, "schedule": "Sunday at 22:30"});
    assert_eq!(shown["DIFERENCIAL"], dif);
    let inc = json!({"hour": 23, "minute": 0, "schedule": "daily at 23:00"});
    assert_eq!(shown["INCREMENTAL"], inc);

    let set = schedule(&scene, &["set", "full", "--day", "31", "--hour", "6"]);
    assert_eq!(set["FULL"]["schedule"], "day 31 at 06:15");
    let wanted = json!({
        "FULL": {"day": 31, "hour": 6, "minute": 15},
        "DIFERENCIAL": {"hour": 22},
        "INCREMENTAL": {"hour": 23, "minute": 0},
        "MANUAL": {"x": 1},
    });
    assert_eq!(stored(&scene), wanted);

    store(&scene, r#"{"INCREMENTAL": {"hour": 13, "minute": 0}}"#);
    let shown = schedule(&scene, &["show"]);
    assert_eq!(shown["INCREMENTAL"]["hour"], 13);
    assert_eq!(shown["FULL"]["day"], 1);
}

#[test]
fn the_first_change_stores_a_row_the_application_would_understand() {
    let scene = with_catalog();
    let scene = Scene {
        respaldo: scene
            .respaldo
            .env("RESPALDO_SCHEDULE__FULL", "15 02:30")
            .env("RESPALDO_SCHEDULE__VALIDATION", "05:45"),
        ..scene
    };
    let before = schedule(&scene, &["show"]);
    assert_eq!(before["origen"], "configuracion");
    assert_eq!(before["FULL"]["schedule"], "day 15 at 02:30");
    let set = ["set", "dif", "--weekday", "miércoles", "--minute", "5"];
    let after = schedule(&scene, &set);
    assert_eq!(after["origen"], "base_de_datos");
    assert_eq!(after["VALIDACION"]["schedule"], "daily at 05:45");
    let wanted = json!({
        "FULL": {"day": 15, "hour": 2, "minute": 30},
        "DIFERENCIAL": {"weekday": 2, "hour": 23, "minute": 5},
        "INCREMENTAL": {"hour": 23, "minute": 0},
    });
    assert_eq!(stored(&scene), wanted);
    let row = format!(
        "SELECT tipo || ': ' || descripcion FROM seguridad.config_sistema WHERE clave = '{KEY}'"
    );
    let row = scene.client().one(&row);
    assert_eq!(row, "TEXT: Horarios de backups programados");
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let scene = with_catalog();
    schedule(&scene, &["set", "inc", "--hour", "7"]);
    let before = stored(&scene);
    for args in [
        &["full", "--day", "0"][..],
        &["full", "--day", "32"],
        &["full", "--weekday", "1"],
        &["dif", "--weekday", "7"],
        &["dif", "--weekday", "someday"],
        &["dif", "--day", "1"],
        &["inc", "--day", "1"],
        &["inc", "--hour", "24"],
        &["inc", "--hour", "7", "--minute", "60"],
        &["inc", "--hour", "-1"],
        &["manual", "--hour", "7"],
        &["inc"],
    ] {
        let outcome = run(&scene, &[&["set"], args].concat());
        assert_eq!(outcome.code, Some(2), "{args:?}: {outcome:#?}");
        outcome.expect_error(2, "usage");
    }
    assert_eq!(stored(&scene), before);
}

#[test]
fn stored_nonsense_is_told_and_stops_nothing() {
    let scene = with_catalog();
    store(
        &scene,
        r#"{"FULL": {"day": 99, "hour": 5}, "INCREMENTAL": {"hour": 12}}"#,
    );
    let outcome = run(&scene, &["show"]);
    let shown = outcome.json();
    assert_eq!(outcome.code, Some(3), "{outcome:#?}");
    assert_eq!(shown["FULL"]["schedule"], "day 1 at 05:00");
    assert_eq!(shown["INCREMENTAL"]["hour"], 12);
    let warnings = shown["advertencias"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{shown:#}");
    assert_eq!(warnings[0]["codigo"], "horario_reparado");
    assert!(warnings[0]["asunto"].as_str().unwrap().contains("FULL.day"));
    let set = run(&scene, &["set", "full", "--day", "9"]);
    assert_eq!(set.code, Some(0), "{set:#?}");
    assert_eq!(
        stored(&scene)["FULL"],
        json!({"day": 9, "hour": 5, "minute": 0})
    );
}

#[test]
fn people_read_it_in_both_languages() {
    let scene = with_catalog();
    let said = |args: &[&str]| scene.respaldo.run(args).stdout;
    let english = said(&["schedule", "show"]);
    for words in [
        "day 1 at 00:00",
        "Sunday at 23:30",
        "daily at 23:00",
        "Time zone: UTC",
    ] {
        assert!(english.contains(words), "{english}");
    }
    let spanish = said(&["--lang", "es", "schedule", "show"]);
    for words in [
        "Día 1 a 00:00",
        "Domingo a las 23:30",
        "Diario a las 23:00",
        "Zona horaria",
    ] {
        assert!(spanish.contains(words), "{spanish}");
    }
    let missed = said(&["--lang", "es", "schedule", "missed"]);
    assert!(
        missed.contains("DIFERENCIAL") && missed.contains("Cubierto por"),
        "{missed}"
    );
}
