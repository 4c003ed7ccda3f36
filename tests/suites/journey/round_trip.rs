//! Random changes, a backup of a random kind after each batch, and a restore of every point.

use std::panic::{AssertUnwindSafe, catch_unwind};

use respaldo_tests::{Cluster, Journey, Mutator, Respaldo, schema};

/// As whom the backups are made and restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traveller {
    /// Every kind of object.
    Superuser,
    /// What an owner can create, restored into databases it makes.
    OwnerWithCreatedb,
    /// The same, restored into empty databases that the operator made.
    OwnerWithoutCreatedb,
}

impl Traveller {
    fn role(self) -> &'static str {
        match self {
            Self::Superuser => "postgres",
            Self::OwnerWithCreatedb => "dueno",
            Self::OwnerWithoutCreatedb => "dueno_sin_createdb",
        }
    }
}

#[test]
fn every_restore_point_of_a_superuser_comes_back() {
    travel(Traveller::Superuser, 1..8, 3);
}

#[test]
fn every_restore_point_of_an_owner_comes_back() {
    travel(Traveller::OwnerWithCreatedb, 101..108, 3);
}

#[test]
fn every_restore_point_of_an_owner_without_createdb_comes_back() {
    travel(Traveller::OwnerWithoutCreatedb, 201..208, 3);
}

/// One journey per seed. A seed that fails does not keep the others from being tried.
/// `RESPALDO_TEST_SEED=N` tries that one alone.
pub fn travel(traveller: Traveller, seeds: std::ops::Range<u64>, batches: usize) {
    let cluster = Cluster::start();
    let only: Option<u64> = std::env::var("RESPALDO_TEST_SEED")
        .ok()
        .map(|seed| seed.parse().unwrap());
    let seeds = only.map_or(seeds, |seed| seed..seed + 1);
    let failed: Vec<u64> = seeds
        .filter(|&seed| {
            println!("{traveller:?}, seed {seed}");
            catch_unwind(AssertUnwindSafe(|| {
                journey(&cluster, traveller, seed, batches);
            }))
            .is_err()
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{traveller:?}: seeds {failed:?} failed; their messages are above"
    );
}

fn journey(cluster: &Cluster, traveller: Traveller, seed: u64, batches: usize) {
    let (db, role) = (format!("live {seed}"), traveller.role());
    load(cluster, &db, traveller);
    let url = cluster.url_as(role, &db);
    let mut journey = Journey::with(cluster, &db, Respaldo::for_url(cluster, &url));
    if traveller == Traveller::OwnerWithoutCreatedb {
        journey = journey.into_databases_provided_for(role);
    }
    let mut mutator = Mutator::new(&url, seed);
    journey.backup("full");
    for batch in 0..batches {
        let chance = mix(seed, batch as u64);
        let done = mutator.steps(5 + (chance % 20) as usize);
        let kind = ["inc", "dif", "inc", "inc", "full", "dif"][(chance >> 8) as usize % 6];
        println!("-- backup {kind} after\n{}", done.join("\n"));
        journey.backup(kind);
    }
    drop(mutator);
    journey.check();
    cluster.drop_database(&db);
}

fn load(cluster: &Cluster, db: &str, traveller: Traveller) {
    if traveller == Traveller::Superuser {
        cluster.owned_database(db, "dueno");
        schema::load(cluster, db, "dueno");
    } else {
        cluster.owned_database(db, traveller.role());
        schema::load_owner_part(cluster, db, traveller.role());
    }
}

/// Another number for each pair of numbers.
fn mix(seed: u64, n: u64) -> u64 {
    let mixed = (seed ^ (n << 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 7
}
