//! What respaldo costs beside the tools that people would use otherwise: `make bench`.
//!
//! Everything is measured in one run on throwaway servers, the tools in turns, so that a machine
//! that grows slower grows so for all. Each room of [`rooms`] measures one kind of work and leaves
//! its figures in a [`Results`]; [`bounds`] says which ratios were to be reached; [`report`] and
//! [`plot`] show them. Figures are told, never asserted: they are the machine's as much as ours.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a harness like the tests: what cannot be set up ends it at once"
)]

mod bounds;
mod data;
mod machine;
mod meter;
mod options;
mod plot;
mod proc;
mod report;
mod results;
mod rooms;
mod tools;
mod workload;

use machine::Machine;
use options::Options;
use results::Results;

fn main() {
    let options = Options::from_environment();
    if let Some(url) = &options.fill {
        return data::fill_mixed(url, options.megabytes);
    }
    let machine = Machine::look();
    let mut results = Results::default();
    rooms::run(&options, &mut results);
    let bounds = bounds::check(&results);
    let text = report::markdown(&options, &machine, &results, &bounds);
    println!("{text}");
    options.publish("benchmarks.md", &text);
    options.publish("benchmarks.svg", &plot::svg(&results, &options));
}
