//! Very many tables of which nothing changed: what an incremental costs that has nothing to do.

use respaldo_tests::Client;

use crate::meter::Meter;
use crate::options::Options;
use crate::results::Results;
use crate::rooms::{OURS, USUAL_LEVEL, quiet, server};
use crate::tools::postgres;
use crate::tools::respaldo::{Apart, Ours};

/// Statements sent at once.
const BATCH: u32 = 100;

/// Measures incrementals of `tables` unchanged tables.
pub fn run(key: &'static str, tables: u32, options: &Options, results: &mut Results) {
    let cluster = server().start();
    let url = cluster.new_database("many");
    fill(&url, tables);
    let folder = tempfile::tempdir().unwrap();
    let meter = Meter::on(&[&cluster]);
    let ours = Ours::new(&cluster, "many", "parallel", USUAL_LEVEL);

    let title = format!("Full dump of {tables} small tables");
    let full_key = if tables == 1_000 {
        "full-1000"
    } else {
        "full-10000"
    };
    results.section(full_key, title, Some("around the dump"));
    quiet(&cluster);
    let to = folder.path().join("dump");
    results.record(
        "pg_dump -Fc",
        postgres::dump(&meter, &cluster, &url, &["-Fc"], &to),
    );
    quiet(&cluster);
    results.record(OURS, ours.backup(&meter, "full", Apart::Dump));

    let title = format!("Incremental of {tables} tables of which none changed");
    results.section(key, title, Some("beyond detection"));
    for _ in 0..options.rounds {
        quiet(&cluster);
        let schema = ["-Fc", "--schema-only"];
        results.record(
            "pg_dump -Fc --schema-only",
            postgres::dump(&meter, &cluster, &url, &schema, &to),
        );
        quiet(&cluster);
        results.record(OURS, ours.backup(&meter, "inc", Apart::Detection));
    }
}

fn fill(url: &str, tables: u32) {
    let mut client = Client::connect(url);
    for first in (0..tables).step_by(BATCH as usize) {
        let statements: Vec<String> = (first..first + BATCH)
            .map(|n| {
                format!(
                    "CREATE TABLE m{n} (id int PRIMARY KEY, v text, at timestamptz DEFAULT now());
                     INSERT INTO m{n} SELECT g, 'v' || g FROM generate_series(1, 20) g"
                )
            })
            .collect();
        client.exec(&statements.join(";"));
    }
    client.exec("VACUUM ANALYZE");
}
