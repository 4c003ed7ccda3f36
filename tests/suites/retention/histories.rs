//! Random histories under random policies.

use chrono::{DateTime, FixedOffset, TimeDelta};
use respaldo_tests::{DbImage, Scene};
use serde_json::Value;

const BACKUPS: usize = 7;

/// A backup, and what the bank was like.
struct Point {
    archive: String,
    image: DbImage,
}

/// The next of a sequence of numbers (splitmix64).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[test]
fn whatever_is_kept_of_a_random_history_restores_and_what_goes_was_told() {
    check_all(1..5);
}

#[test]
fn whatever_is_kept_of_other_histories_restores_and_what_goes_was_told() {
    check_all(5..9);
}

#[test]
fn whatever_is_kept_of_further_histories_restores_and_what_goes_was_told() {
    check_all(9..13);
}

fn check_all(seeds: std::ops::Range<u64>) {
    let scene = Scene::open();
    for seed in seeds {
        println!("seed {seed}");
        check(&scene, seed);
    }
}

fn check(scene: &Scene, seed: u64) {
    let mut state = seed;
    let points = history(scene, &mut state);
    let mut keep = |most: u64| (1 + next(&mut state) % most).to_string();
    let policy = [keep(4), keep(8), keep(30), keep(2)];
    println!("months, weeks, days, chains: {policy:?}");
    let respaldo = &scene.respaldo;
    let keys = ["--full-months", "--dif-weeks", "--inc-days", "--min-chains"];
    let pairs = keys.into_iter().zip(policy.iter().map(String::as_str));
    let set = pairs.flat_map(|(key, value)| [key, value]);
    respaldo.ok(&["retention", "set"]
        .into_iter()
        .chain(set)
        .collect::<Vec<_>>());

    let planned = respaldo.ok(&["expire", "--dry-run", "--json"]).json();
    assert_eq!(planned["simulacro"], true);
    assert_eq!(
        scene.repository.sealed().len(),
        points.len(),
        "a rehearsal removed something"
    );
    let done = respaldo.ok(&["expire", "--json"]).json();
    assert_eq!(done["simulacro"], false);
    for key in ["eliminados", "conservados", "bytes_liberados"] {
        assert_eq!(planned[key], done[key], "{key}");
    }
    let gone = names(&done["eliminados"]);
    println!("gone: {gone:?}");
    scene.assert_tidy("after retention");
    let kept: Vec<&Point> = points
        .iter()
        .filter(|point| !gone.contains(&point.archive))
        .collect();
    assert_eq!(scene.repository.sealed().len(), kept.len());
    let listed = respaldo.ok(&["list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), kept.len(), "{listed:#}");
    for point in kept {
        scene.assert_restores(&point.archive, &point.image);
    }
    let again = respaldo.ok(&["expire", "--json"]).json();
    assert_eq!(names(&again["eliminados"]), [""; 0]);
    let valid = respaldo.ok(&["validate", "--all", "--json"]).json();
    assert_eq!(valid["invalidos"], 0, "{valid:#}");
    // The chain goes on.
    scene.add_branch(usize::try_from(90_000 + seed).unwrap());
    let next = respaldo.ok(&["backup", "inc", "--json"]).json();
    scene.assert_restores(next["nombre"].as_str().unwrap(), &scene.image());
    let sealed = scene.repository.sealed();
    for archive in sealed.iter().rev().filter(|name| name.starts_with("full_")) {
        let _ = respaldo.run(&["delete", archive, "--with-dependents"]);
    }
    assert_eq!(scene.repository.sealed(), [""; 0]);
}

/// Backups of random kinds, spread over random days.
fn history(scene: &Scene, state: &mut u64) -> Vec<Point> {
    let mut points = Vec::new();
    let mut days_ago = 0;
    for n in 0..BACKUPS {
        scene.add_branch(usize::try_from(next(state) % 1_000_000).unwrap() + 100_000);
        let kind = match (n, next(state) % 6) {
            (0, _) | (_, 0) => "full",
            (_, 1 | 2) => "dif",
            _ => "inc",
        };
        points.push(Point {
            archive: scene.backup_name(kind),
            image: scene.image(),
        });
    }
    let now = DateTime::parse_from_rfc3339("2026-11-20T23:00:00-03:00").unwrap();
    for point in points.iter().rev() {
        scene
            .repository
            .move_in_time(&point.archive, &at(now, days_ago));
        days_ago += i64::try_from(next(state) % 25).unwrap();
    }
    points
}

fn at(now: DateTime<FixedOffset>, days_ago: i64) -> String {
    (now - TimeDelta::days(days_ago)).to_rfc3339()
}

pub fn names(backups: &Value) -> Vec<String> {
    let name = |backup: &Value| backup["archivo"].as_str().unwrap().to_owned();
    backups.as_array().unwrap().iter().map(name).collect()
}
