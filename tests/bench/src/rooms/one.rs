//! One table, where pg_dump cannot share the work between its jobs.

use crate::data;
use crate::meter::Meter;
use crate::options::Options;
use crate::results::{Results, Turn};
use crate::rooms::{OURS, USUAL_LEVEL, quiet, server};
use crate::tools::postgres::{self, DUMPS};
use crate::tools::respaldo::{Apart, Ours};

const MEGABYTES: u64 = 100;

/// Measures full dumps of a database of one table.
pub fn run(options: &Options, results: &mut Results) {
    let cluster = server().start();
    let url = cluster.new_database("one");
    let megabytes = options.scaled(MEGABYTES);
    data::fill_one(&url, megabytes);
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::on(&[&cluster]);
    let ours = Ours::new(&cluster, "one", "parallel", USUAL_LEVEL);

    let title = format!("Full dump of one table of {megabytes} MB");
    results.section("one", title, Some("around the dump"));
    for round in 0..options.rounds {
        let (cluster, folder, meter, url) = (&cluster, &folder, &meter, &url);
        let dump = |(tool, flags): (&'static str, &'static [&'static str])| -> Turn<'_> {
            let turn = move || {
                quiet(cluster);
                let to = folder.path().join("dump");
                postgres::dump(meter, cluster, url, flags, &to)
            };
            (tool, Box::new(turn))
        };
        let mut turns: Vec<Turn<'_>> = DUMPS.map(dump).into();
        let full = || {
            quiet(cluster);
            let cost = ours.backup(meter, "full", Apart::Dump)?;
            ours.forget_newest();
            Ok(cost)
        };
        turns.push((OURS, Box::new(full)));
        results.round(round, &turns);
    }
}
