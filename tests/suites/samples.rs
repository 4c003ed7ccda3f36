//! Real databases, changed and judged by tools that share nothing with us: `make samples`. The
//! folder in `RESPALDO_SAMPLES` holds `data/NAME/load.sh`, `tools/mutate.py` and `tools/dbhash.py`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test code: what cannot be set up must fail the test at once"
)]

#[path = "samples/journey.rs"]
mod samples;
