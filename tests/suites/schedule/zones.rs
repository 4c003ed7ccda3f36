//! Whose clock the hours are of, and what comes next.

use chrono::{DateTime, Datelike, Days, TimeDelta, Timelike, Utc};
use respaldo_tests::{Outcome, Scene};
use serde_json::Value;

use crate::scene::{run, schedule};

fn in_zone(zone: &str) -> Scene {
    let mut scene = Scene::open();
    let config = format!("[schedule]\ntimezone = \"{zone}\"\nfull = \"31 04:30\"\n");
    scene.respaldo = scene.respaldo.config(&config);
    scene
}

fn next(value: &Value) -> DateTime<chrono::FixedOffset> {
    DateTime::parse_from_rfc3339(value["next_run"].as_str().unwrap()).unwrap()
}

#[test]
fn due_times_are_of_the_configured_zone_and_day_31_is_the_last_of_the_month() {
    for (zone, offset_minutes) in [
        ("America/Argentina/Buenos_Aires", -180),
        ("Asia/Kolkata", 330),
        ("Asia/Kathmandu", 345),
        ("UTC", 0),
    ] {
        let scene = in_zone(zone);
        let all = schedule(&scene, &["next"]);
        let keys: Vec<_> = all.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["DIFERENCIAL", "FULL", "INCREMENTAL", "VALIDACION"]);
        for (key, due) in all.as_object().unwrap() {
            let at = next(due);
            assert!(at > Utc::now(), "{key}: {at}");
            assert_eq!(at.offset().local_minus_utc(), offset_minutes * 60, "{zone}");
        }
        let full = next(&all["FULL"]);
        assert_eq!((full.hour(), full.minute()), (4, 30));
        assert_eq!((full + Days::new(1)).day(), 1, "{full}");
        let inc = next(&all["INCREMENTAL"]);
        assert_eq!((inc.hour(), inc.minute()), (23, 0));
        assert!(inc - Utc::now().fixed_offset() <= TimeDelta::days(1));
        assert_eq!(schedule(&scene, &["show"])["zona_horaria"], zone);
        let status = scene.respaldo.ok(&["status", "--json"]).json();
        assert_eq!(status["proximos_backups"]["FULL"], all["FULL"]);
        assert!(status["proximos_backups"]["VALIDACION"].is_null());
    }
}

#[test]
fn without_a_zone_the_machines_clock_rules() {
    let mut scene = Scene::open();
    scene.respaldo = scene.respaldo.env("TZ", "Asia/Kolkata");
    let due = next(&schedule(&scene, &["next"])["INCREMENTAL"]);
    assert_eq!(due.offset().local_minus_utc(), 330 * 60);
    assert_eq!(schedule(&scene, &["show"])["zona_horaria"], "Asia/Kolkata");
}

#[test]
fn a_zone_that_does_not_exist_is_refused_with_one_that_does() {
    for (zone, meant) in [
        ("Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Europe/Madird", "Europe/Madrid"),
    ] {
        let refused: Outcome = run(&in_zone(zone), &["show"]);
        refused.expect_error(10, "config-invalid");
        assert!(refused.stdout.contains(meant), "{refused:#?}");
    }
}

#[test]
fn a_schedule_that_is_switched_off_says_so_everywhere() {
    let mut scene = Scene::open();
    scene.respaldo = scene.respaldo.config("[schedule]\nenabled = false\n");
    assert_eq!(schedule(&scene, &["show"])["activo"], false);
    assert_eq!(schedule(&scene, &["missed"])["activo"], false);
    let status = scene.respaldo.ok(&["status", "--json"]).json();
    assert_eq!(status["proximos_backups"], serde_json::json!({}));
    let said = scene.respaldo.run(&["schedule", "next"]).stdout;
    assert!(said.contains("switched off"), "{said}");
}
