//! Journeys: a database changes, is backed up again and again, and every restore point comes back.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

#[path = "journey/catalog.rs"]
mod catalog;
#[path = "journey/comparing.rs"]
mod comparing;
#[path = "journey/compression.rs"]
mod compression;
#[path = "journey/definitions.rs"]
mod definitions;
#[path = "journey/disaster.rs"]
mod disaster;
#[path = "journey/farewell.rs"]
mod farewell;
#[path = "journey/large_objects.rs"]
mod large_objects;
#[path = "journey/logical_slot.rs"]
mod logical_slot;
#[path = "journey/pointers.rs"]
mod pointers;
#[path = "journey/rights.rs"]
mod rights;
#[path = "journey/round_trip.rs"]
mod round_trip;
#[path = "journey/selective.rs"]
mod selective;

/// Long journeys, for `make soak`.
mod soak {
    use super::round_trip::{Traveller, travel};

    /// Seeds of each kind of role beyond those of the usual run.
    const SEEDS: std::ops::Range<u64> = 1_000..1_020;
    const BATCHES: usize = 8;

    #[test]
    fn every_restore_point_of_long_journeys_of_a_superuser_comes_back() {
        travel(Traveller::Superuser, SEEDS, BATCHES);
    }

    #[test]
    fn every_restore_point_of_long_journeys_of_an_owner_comes_back() {
        travel(Traveller::OwnerWithCreatedb, SEEDS, BATCHES);
    }

    #[test]
    fn every_restore_point_of_long_journeys_of_an_owner_without_createdb_comes_back() {
        travel(Traveller::OwnerWithoutCreatedb, SEEDS, BATCHES);
    }
}
