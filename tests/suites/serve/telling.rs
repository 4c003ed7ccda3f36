//! Being told: alarms, figures, health.

use std::fs;

use respaldo_tests::respaldo::wait_until;

use respaldo_tests::Repository;
use serde_json::Value;

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
    webhook.wait_for(&["began backup-failing FULL"]);
    scene.cluster.psql(DB, "DROP TABLE secreta");
    let both = ["began backup-failing FULL", "ended backup-failing FULL"];
    webhook.wait_for(&both);
    assert_eq!(scene.made(), ["FULL"]);
    end(service);
}

/// How many rows of events there are of a kind.
fn events(scene: &Scene, kind: &str) -> usize {
    let sql = format!("SELECT count(*) FROM seguridad.backup_event WHERE tipo_evento = '{kind}'");
    let count = scene.cluster.try_psql(DB, &sql).unwrap_or_default();
    count.trim().parse().unwrap_or(0)
}

#[test]
fn a_full_that_goes_on_failing_is_told_once_though_others_are_made_in_its_stead() {
    let scene = Scene::open();
    let webhook = Webhook::open();
    scene.respaldo.ok(&["backup", "full"]);
    let repository = Repository::of(&scene.respaldo);
    let full = repository.sealed().remove(0);
    let was = repository.manifest(&full)["inicio"]
        .as_str()
        .unwrap()
        .to_owned();
    let long_ago = (chrono::Utc::now() - chrono::TimeDelta::days(40)).to_rfc3339();
    repository.reseal(&full, |text| text.replacen(&was, &long_ago, 1));
    let age = "UPDATE seguridad.backup_manifest SET fecha_inicio = now() - interval '40 days'";
    scene.cluster.psql(DB, age);
    scene.configure(&webhook.section());

    // Only fulls hold roles.
    let service = scene
        .respaldo
        .spawn_with_fault("store.put.roles=fail", &["-v", "serve"]);
    let fails = || events(&scene, "run_failed") >= 3 && scene.made().len() >= 2;
    assert!(wait_until(LONG, fails), "{:?}", scene.made());
    webhook.wait_for(&["began backup-failing FULL"]);
    end(service);

    let service = scene.serve();
    let both = ["began backup-failing FULL", "ended backup-failing FULL"];
    webhook.wait_for(&both);
    end(service);
}

#[test]
fn what_was_not_told_before_a_kill_is_told_by_the_next_process() {
    let scene = Scene::open();
    let webhook = Webhook::down();
    scene.configure(&format!(
        "{}[detector]\nuse = \"crystal-ball\"",
        webhook.section()
    ));
    let service = scene.serve();
    assert!(wait_until(LONG, || webhook.refused() > 0));
    service.kill();
    webhook.comes_up();
    let service = scene.serve();
    webhook.wait_for(&["began engine-legacy"]);
    scene.configure(&webhook.section());
    webhook.wait_for(&["began engine-legacy", "ended engine-legacy"]);
    end(service);
}

#[test]
fn a_copy_of_a_legacy_backup_that_fails_is_told_until_it_does_not_matter_any_more() {
    let scene = Scene::open();
    let webhook = Webhook::open();
    let copies = scene.respaldo.folder().join("copies");
    fs::write(&copies, "no folder").unwrap();
    let broken = format!(
        "{}[legacy]\nsync_dir = '{}'\n[detector]\nuse = 'crystal-ball'",
        webhook.section(),
        copies.display()
    );
    scene.configure(&broken);
    let service = scene.serve();
    webhook.wait_for(&["began backup-incomplete daily"]);
    scene.configure(&webhook.section());
    let both = [
        "began backup-incomplete daily",
        "ended backup-incomplete daily",
    ];
    webhook.wait_for(&both);
    end(service);
}

#[test]
fn that_nothing_makes_backups_is_told_and_that_something_does_again() {
    let scene = Scene::open();
    let webhook = Webhook::open();
    scene.configure(&webhook.section());
    scene.cluster.stop();
    let service = scene.serve();
    webhook.wait_for(&["began engine-stopped"]);
    scene.cluster.start_again();
    webhook.wait_for(&["began engine-stopped", "ended engine-stopped"]);
    end(service);
}

#[test]
fn that_the_legacy_service_stood_in_is_written_to_the_catalog_when_the_engine_is_up() {
    let scene = Scene::open();
    scene.configure("[detector]\nuse = \"crystal-ball\"");
    let service = scene.serve();
    scene.wait_for_state("LEGACY");
    scene.configure("");
    scene.wait_for_state("PROFESIONAL");
    let both = || events(&scene, "engine_fell_back") >= 1 && events(&scene, "engine_up") >= 1;
    assert!(wait_until(LONG, both));
    let order = "SELECT string_agg(tipo_evento, ' ' ORDER BY id) FROM seguridad.backup_event \
                 WHERE tipo_evento LIKE 'engine_%'";
    let order = scene.cluster.psql(DB, order);
    assert!(order.starts_with("engine_fell_back engine_up"), "{order}");
    end(service);
}

#[test]
fn a_service_that_died_is_told_by_status_until_one_ends_as_it_should() {
    let scene = Scene::open();
    let service = scene.serve();
    scene.wait_for_state("PROFESIONAL");
    scene.wait_for_backups(1);
    service.kill();
    let status = scene.respaldo.run(&["status", "--json"]);
    status.expect_code(3);
    let status = status.json();
    assert_eq!(status["motor"], "DETENIDO");
    let why = status["motivo"].as_str().unwrap();
    assert!(why.contains("last heard of"), "{why}");
    assert!(status["servicio"].is_null(), "{status}");

    let service = scene.serve();
    scene.wait_for_state("PROFESIONAL");
    end(service);
    let status = scene.respaldo.ok(&["status", "--json"]).json();
    assert_eq!(status["motor"], "PROFESIONAL");
    assert!(status["motivo"].is_null(), "{status}");
}

#[test]
fn each_line_of_a_log_in_json_is_an_object() {
    let scene = Scene::open();
    let service = scene
        .respaldo
        .spawn(&["-v", "--log-format", "json", "serve"]);
    scene.wait_for_backups(1);
    scene.wait_for_state("PROFESIONAL");
    service.signal("TERM");
    let said = service.wait(LONG);
    said.expect_code(0);
    let lines: Vec<Value> = said
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    assert!(lines.len() > 2, "{said:#?}");
    for line in lines {
        for key in ["timestamp", "level", "target", "fields"] {
            assert!(!line[key].is_null(), "{key}: {line}");
        }
    }
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
