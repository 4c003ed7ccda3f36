//! Archives that leave the repository: exports, escape kits, fulls made from a chain. Stock tools
//! restore each of them, and what comes back is what there was, whichever dumper wrote the chain.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

#[path = "archives/chain.rs"]
mod chain;
#[path = "archives/damage.rs"]
mod damage;
#[path = "archives/from_chain.rs"]
mod from_chain;
#[path = "archives/interrupted.rs"]
mod interrupted;
#[path = "archives/newest.rs"]
mod newest;
#[path = "archives/output.rs"]
mod output;
#[path = "archives/parallel.rs"]
mod parallel;
#[path = "archives/parallel_equal.rs"]
mod parallel_equal;
#[path = "archives/parallel_faults.rs"]
mod parallel_faults;
#[path = "archives/partitions.rs"]
mod partitions;
#[path = "archives/stock.rs"]
mod stock;
#[path = "archives/whole_chains.rs"]
mod whole_chains;

/// With more versions of PostgreSQL than one, for `make soak`.
mod soak {
    use super::chain::Dumpers;
    use super::newest::check;

    #[test]
    fn the_newest_postgresql_restores_every_point_of_a_chain_of_both_dumpers() {
        check(Dumpers::Changing);
    }
}
