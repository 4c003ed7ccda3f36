//! Being told: alarms, figures, health.

use std::fs;

use respaldo_tests::respaldo::wait_until;

use super::ears::Webhook;
use super::scene::{DB, LONG, Scene, end};

#[test]
fn an_alarm_is_told_once_when_it_begins_and_once_when_it_is_over_across_restarts() {
    let scene = Scene::open();
    let webhook = Webhook::open();
    let broken = format!("{}[detector]\nuse = \"crystal-ball\"", webhook.section());
    scene.configure(&broken);
    let service = scene.serve();
    scene.wait_for_dumps(3);
    webhook.wait_for(&["began engine-legacy"]);
    end(service);

    // Another process finds the same: it was told.
    let service = scene.serve();
    scene.wait_for_state("LEGACY");
    scene.configure(&webhook.section());
    scene.wait_for_state("PROFESIONAL");
    webhook.wait_for(&["began engine-legacy", "ended engine-legacy"]);
    end(service);
}

#[test]
fn backups_that_fail_are_told_once_and_that_they_succeed_again() {
    let scene = Scene::open();
    let webhook = Webhook::open();
    scene.configure(&webhook.section());
    // A table that the role may not read: the engine is well, its backups fail.
    let secret = "CREATE TABLE secreta (a int); REVOKE ALL ON secreta FROM PUBLIC";
    scene.cluster.psql(DB, secret);
    let service = scene.serve();
    webhook.wait_for(&["began backup-failing"]);
    scene.cluster.psql(DB, "DROP TABLE secreta");
    webhook.wait_for(&["began backup-failing", "ended backup-failing"]);
    assert_eq!(scene.made(), ["FULL"]);
    end(service);
}

#[test]
fn a_backup_found_damaged_is_told() {
    let scene = Scene::open();
    let webhook = Webhook::open();
    scene.respaldo.ok(&["backup", "full"]);
    let folder = scene.respaldo.folder().join("backups_incrementales/full");
    let archive = fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|file| file.path());
    let archive = archive
        .into_iter()
        .find(|path| path.extension().is_some_and(|e| e == "backup"));
    fs::write(archive.unwrap(), "no archive").unwrap();
    scene.configure(&webhook.section());
    // Nothing was ever validated, so that is due at once.
    let service = scene.serve();
    webhook.wait_for(&["began backup-damaged"]);
    end(service);
}

#[test]
fn figures_and_health_are_told_by_the_panel() {
    let scene = Scene::open();
    let service = scene.serve();
    scene.wait_for_backups(1);
    let figure = |name: &str| {
        let (_, text) = scene.ask("/metrics");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map(|value| value.parse::<f64>().unwrap())
    };
    let labelled =
        |name: &str, labels: &str| figure(&format!("{name}{{database=\"{DB}\"{labels}}}"));
    assert!(wait_until(LONG, || {
        let ran = ",kind=\"full\",result=\"success\"";
        labelled("respaldo_runs_total", ran) == Some(1.0)
    }));
    for (name, labels, wanted) in [
        ("respaldo_leader", "", 1.0),
        ("respaldo_engine_state", ",state=\"professional\"", 1.0),
        (
            "respaldo_backup_tables",
            ",kind=\"full\",what=\"skipped\"",
            0.0,
        ),
    ] {
        assert_eq!(labelled(name, labels), Some(wanted), "{name}");
    }
    assert!(labelled("respaldo_last_success_age_seconds", ",kind=\"full\"").unwrap() < 300.0);
    assert!(labelled("respaldo_backup_bytes", ",kind=\"full\"").unwrap() > 0.0);
    let (code, health) = scene.ask("/healthz");
    assert_eq!(code, 200, "{health}");
    assert!(
        health.contains("PROFESIONAL") && health.contains(DB),
        "{health}"
    );

    // A probe understands that nothing makes backups.
    scene.cluster.stop();
    assert!(wait_until(LONG, || scene.ask("/healthz").0 == 503));
    scene.cluster.start_again();
    assert!(wait_until(LONG, || scene.ask("/healthz").0 == 200));
    end(service);
}

#[test]
fn a_daily_drill_looks_into_the_newest_backup() {
    let scene = Scene::open();
    scene.cluster.psql("postgres", "ALTER ROLE dueno CREATEDB");
    scene.configure("[[validator]]\nuse = \"drill\"\nwhen = \"daily\"\n");
    let service = scene.serve();
    let drilled =
        "SELECT count(*) FROM seguridad.backup_validation WHERE tipo_validacion = 'drill'";
    let looked = || {
        scene
            .cluster
            .try_psql(DB, drilled)
            .is_ok_and(|count| count.trim() == "1")
    };
    assert!(
        wait_until(LONG, looked),
        "{:?}",
        scene
            .cluster
            .try_psql(DB, "TABLE seguridad.backup_validation")
    );
    end(service);
}
