//! The sweep over the backup flow. What must be true after every fault:
//! the run's exit code tells whether a backup was made; a set that is sealed validates; the next
//! backup works and leaves nothing of the broken one; restores give what the database held.

use std::collections::BTreeSet;

use respaldo_tests::{Outcome, Scene};

/// After how many faults a restore is compared with the source.
const RESTORE_EVERY: usize = 8;

#[test]
fn a_fault_at_any_step_of_a_full_leaves_a_whole_backup_or_none() {
    fail_each_step("full");
}

#[test]
fn a_fault_at_any_step_of_an_incremental_leaves_a_whole_backup_or_none() {
    fail_each_step("inc");
}

#[test]
fn a_kill_at_any_step_of_a_full_leaves_a_whole_backup_or_none() {
    kill_at_each_step("full");
}

#[test]
fn a_kill_at_any_step_of_an_incremental_leaves_a_whole_backup_or_none() {
    kill_at_each_step("inc");
}

fn fail_each_step(kind: &str) {
    let scene = prepared();
    let args = ["backup", kind, "--json"];
    let steps = scene.respaldo.trace_steps(&args);
    let mut fired = 0;
    for n in 1.. {
        scene.add_branch(n + 100);
        let before = scene.repository.sealed();
        let Some(outcome) = scene.respaldo.fail_nth_step(n, &args) else {
            break;
        };
        fired = n;
        let when = format!("step {n} of a {kind} failed");
        assert_code_tells_the_truth(&scene, &before, &outcome, &when);
        // What no longer runs leaves nothing, and what is made says all of it.
        assert!(
            scene.unfinished_rows().is_empty() || outcome.is_done(),
            "{when}: {outcome:#?}"
        );
        next_run_is_whole(&scene, n, &when);
    }
    assert!(
        fired * 4 >= steps.len() * 3,
        "only {fired} of {} steps: {steps:?}",
        steps.len()
    );
    everything_is_whole(&scene);
}

fn kill_at_each_step(kind: &str) {
    let scene = prepared();
    let args = ["backup", kind, "--json"];
    let steps = scene.respaldo.trace_steps(&args);
    let names: BTreeSet<&String> = steps.iter().collect();
    assert!(names.len() > 15, "{names:?}");
    for (n, step) in names.into_iter().enumerate() {
        scene.add_branch(n + 100);
        scene.respaldo.kill_at_step(step, &args);
        scene.wait_for_the_lease();
        let when = format!("a {kind} was killed at {step}");
        next_run_is_whole(&scene, n, &when);
    }
    everything_is_whole(&scene);
}

/// A bank with a full and somebody else's archive beside it.
fn prepared() -> Scene {
    let scene = Scene::open();
    scene.repository.plant_foreign_archive();
    scene.backup("full");
    scene.day(1);
    scene
}

/// Success means that one more set is sealed, failure that none is, and both are reported.
fn assert_code_tells_the_truth(scene: &Scene, before: &[String], outcome: &Outcome, when: &str) {
    let after = scene.repository.sealed();
    let made: Vec<_> = after.iter().filter(|name| !before.contains(name)).collect();
    if outcome.is_done() {
        assert_eq!(made.len(), 1, "{when}: {outcome:#?}");
        assert_eq!(outcome.json()["exitoso"], true, "{when}");
        assert_eq!(outcome.json()["nombre"], **made[0], "{when}");
    } else {
        assert!(
            made.is_empty(),
            "{when}: {made:?} is sealed though {outcome:#?}"
        );
        assert_ne!(outcome.error_code(), "internal", "{when}: {outcome:#?}");
    }
    let litter = scene.repository.litter();
    let lost: Vec<_> = litter
        .iter()
        .filter(|line| line.contains(" lost its "))
        .collect();
    assert!(lost.is_empty(), "{when}: {lost:?}");
}

/// The next backup is made, leaves nothing of the broken run and, now and then, restores. What was
/// sealed is validated at the end, all of it.
fn next_run_is_whole(scene: &Scene, n: usize, when: &str) {
    let next = scene.respaldo.run(&["backup", "inc", "--json"]);
    assert!(next.is_done(), "{when}, then: {next:#?}");
    scene.assert_tidy(when);
    scene.repository.assert_foreign_archive_is_intact();
    if n.is_multiple_of(RESTORE_EVERY) {
        let made = next.json()["nombre"].as_str().unwrap().to_owned();
        scene.assert_restores(&made, &scene.image());
    }
}

/// Every set that was ever sealed is whole, and the catalog knows exactly these.
fn everything_is_whole(scene: &Scene) {
    let valid = scene
        .respaldo
        .run(&["validate", "--all", "--level", "chain", "--json"]);
    assert_eq!(valid.code, Some(0), "{valid:#?}");
    let listed = scene
        .respaldo
        .ok(&["list", "--limit", "1000", "--json"])
        .json();
    let listed: BTreeSet<String> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["nombre"].as_str().unwrap().to_owned())
        .collect();
    let sealed: BTreeSet<String> = scene.repository.sealed().into_iter().collect();
    assert_eq!(listed, sealed, "what the catalog lists and what is sealed");
    let newest = scene.backup_name("inc");
    scene.assert_restores(&newest, &scene.image());
}
