//! What our own dumper, an export, a kit and a full from the chain take of memory.

use respaldo_tests::{Cluster, Respaldo};

/// Most memory that a dump may take.
const MEMORY_KIB: u64 = 150 * 1024;

/// A driver for a database, writing with this dumper.
pub fn driver(cluster: &Cluster, db: &str, dumper: &str) -> Respaldo {
    Respaldo::new(cluster, db)
        .env("RESPALDO_DUMPER__USE", dumper)
        .limit(std::time::Duration::from_mins(10))
}

#[test]
fn memory_does_not_grow_with_the_table() {
    let cluster = Cluster::start();
    cluster.new_database("live");
    cluster.psql(
        "live",
        "CREATE TABLE public.large AS SELECT g AS id, md5(g::text) || md5((g * 3)::text) || md5((g * 5)::text) AS a,
             repeat(md5((g * 7)::text), 5) AS b FROM generate_series(1, 1000000) g",
    );
    let respaldo = driver(&cluster, "live", "parallel");
    let dump = respaldo.peak_kib(&["backup", "full", "--json"]);
    let out = respaldo.folder().join("out.dump");
    let export = respaldo.peak_kib(&["export", "--at", "latest", "-o", out.to_str().unwrap()]);
    let kit = respaldo.folder().join("kit");
    let kit = respaldo.peak_kib(&["escape-kit", "--at", "latest", "-o", kit.to_str().unwrap()]);
    let joined = respaldo.peak_kib(&["backup", "full", "--from-chain", "--json"]);
    println!("peak KiB: dump {dump}, export {export}, kit {kit}, from the chain {joined}");
    for peak in [dump, export, kit, joined] {
        assert!(peak <= MEMORY_KIB, "{peak} KiB");
    }
}
