//! Hostile archives: whatever the bytes, every reader ends with an error or the truth. It never panics, never holds
//! memory that the input did not pay for, and what it accepts survives being written and read again.
//!
//! Inputs are golden archives taken apart, changed and lied about ([`mutate`]). An input that ends in a way not seen
//! before is built upon; the smallest input for each way is kept in `tests/corpus`. `RESPALDO_FUZZ_SEED` and
//! `RESPALDO_FUZZ_RUNS` choose another run, `RESPALDO_FUZZ_KEEP` adds to the corpus.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod alloc;
mod corpus;
mod doc;
mod driver;
mod mutate;
mod outcome;
mod payload;
mod readers;
mod rng;

use driver::{Plan, judge};

/// What `make test` can afford.
const SHORT: u64 = 60_000;

#[test]
fn hostile_archives_neither_panic_nor_take_memory() {
    let plan = Plan::from_environment(SHORT, 1, 1);
    let outcomes = driver::run(&plan);
    assert!(
        outcomes.len() > 60,
        "the readers were hardly reached: {outcomes:#?}"
    );
}

#[test]
fn every_input_that_was_ever_of_interest_is_still_survived() {
    let kept = corpus::load();
    assert!(kept.len() > 60, "the corpus was not found");
    for (name, input) in kept {
        for reader in readers::ALL {
            for knob in 0..32 {
                if let Err(failure) = judge(reader, &input, knob) {
                    panic!("{name} by {}: {failure}", reader.name);
                }
            }
        }
    }
}

mod soak {
    use std::hash::{BuildHasher, Hasher, RandomState};

    use super::driver::{self, Plan};

    const LONG: u64 = 10_000_000;

    #[test]
    fn ten_million_hostile_archives_neither_panic_nor_take_memory() {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        // Another seed each time: it is printed.
        let seed = RandomState::new().build_hasher().finish();
        let outcomes = driver::run(&Plan::from_environment(LONG, workers, seed));
        println!("{} ways to end", outcomes.len());
    }
}
