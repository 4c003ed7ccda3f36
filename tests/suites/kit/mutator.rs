//! The mutator makes every kind of change, the same for the same seed, and leaves a sound database.

use std::collections::BTreeSet;

use respaldo_tests::{Cluster, Mutator, Snapshot, assert_equal, schema};

use crate::oracle::dump_and_restore;

fn soundly_mutated(seed: u64, role: &str) -> BTreeSet<String> {
    let cluster = Cluster::start();
    cluster.owned_database("live", "dueno");
    schema::load_owner_part(&cluster, "live", "dueno");
    if role == "postgres" {
        schema::load_superuser_part(&cluster, "live");
    }
    let mut mutator = Mutator::new(&cluster.url_as(role, "live"), seed);
    let done = mutator.steps(200);
    cluster.new_database("copy");
    dump_and_restore(&cluster, "live", "copy");
    let image = |db: &str| Snapshot::of(&cluster.url(db)).ignore_matview_rows().image();
    assert_equal(&image("live"), &image("copy"));
    done.iter()
        .filter_map(|line| line.split(": ").next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn two_hundred_changes_as_owner_survive_a_dump_and_restore() {
    let kinds = soundly_mutated(1, "dueno");
    assert!(kinds.len() > 80, "{kinds:?}");
}

#[test]
fn two_hundred_changes_as_superuser_survive_a_dump_and_restore() {
    let kinds = soundly_mutated(2, "postgres");
    assert!(kinds.len() > 80, "{kinds:?}");
}

#[test]
fn two_hundred_other_changes_survive_a_dump_and_restore() {
    // RESPALDO_TEST_SEEDS=FROM-TO tries those instead.
    let seeds = std::env::var("RESPALDO_TEST_SEEDS").unwrap_or("3-3".into());
    let (from, to) = seeds.split_once('-').unwrap();
    for seed in from.parse().unwrap()..=to.parse().unwrap() {
        println!("seed {seed}");
        soundly_mutated(
            seed,
            if seed % 2 == 1u64 {
                "dueno"
            } else {
                "postgres"
            },
        );
    }
}

#[test]
fn the_same_seed_makes_the_same_changes() {
    let cluster = Cluster::start();
    let run = |db: &str| Mutator::new(&cluster.new_database(db), 7).steps(60);
    assert_eq!(run("a"), run("b"));
}

#[test]
fn every_kind_of_change_is_possible() {
    assert!(Mutator::kinds().len() > 100, "{}", Mutator::kinds().len());
    let cluster = Cluster::start();
    cluster.owned_database("live", "dueno");
    schema::load_owner_part(&cluster, "live", "dueno");
    let mut mutator = Mutator::new(&cluster.url("live"), 11);
    let mut missing = Mutator::kinds();
    for _ in 0..40 {
        missing.retain(|kind| mutator.step_of(kind).is_none());
        mutator.steps(10);
    }
    assert!(missing.is_empty(), "never possible: {missing:?}");
}
