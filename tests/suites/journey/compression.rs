//! Archives compressed by another algorithm than the usual one.

use respaldo_tests::{Cluster, Journey, Mutator, Respaldo, schema};

/// PostgreSQL from which on its tools read zstd.
const ZSTD_SINCE: u32 = 16;

#[test]
fn zstd_is_written_where_the_tools_read_it_and_refused_elsewhere() {
    let cluster = Cluster::start();
    for dumper in ["pg-dump", "parallel"] {
        let zstd = format!("[dumper]\nuse = '{dumper}'\ncompression = 'zstd'\n");
        if cluster.major() < ZSTD_SINCE {
            is_refused(&cluster, &zstd);
        } else {
            follows_a_chain_of_gzip(&cluster, &zstd);
        }
    }
}

fn is_refused(cluster: &Cluster, zstd: &str) {
    let respaldo = Respaldo::new(cluster, "postgres").config(zstd);
    let outcome = respaldo.run(&["backup", "full", "--json"]);
    outcome.expect_code(12);
    assert!(outcome.stdout.contains("zstd"), "{outcome:#?}");
    assert!(outcome.stdout.contains("16"), "{outcome:#?}");
}

/// Another compression begins with a full of its own; every point before and after comes back, by
/// ours and by stock tools.
fn follows_a_chain_of_gzip(cluster: &Cluster, zstd: &str) {
    cluster.owned_database("live", "dueno");
    schema::load(cluster, "live", "dueno");
    let folder = tempfile::tempdir().unwrap();
    let repository = format!("[repository]\ndir = '{}'\n", folder.path().display());
    let with =
        |dumper: &str| Respaldo::new(cluster, "live").config(&format!("{repository}{dumper}"));
    let mut journey = Journey::with(cluster, "live", with(""));
    let mut mutator = Mutator::new(&cluster.url("live"), 16);
    journey.backup("full");
    mutator.steps(10);
    journey.backup("inc");
    journey.drive_with(with(zstd));
    let first = journey.backup("inc");
    assert_eq!(first.made["tipo"], "FULL", "{}", first.made);
    assert_eq!(first.made["motivo_full"], "otra_compresion");
    mutator.steps(10);
    let last = journey.backup("inc");
    assert_eq!(last.made["tipo"], "INCREMENTAL", "{}", last.made);
    drop(mutator);
    journey.check();
    let export = folder.path().join("export.dump");
    journey
        .respaldo()
        .ok(&["export", "--id", &last.id, "-o", export.to_str().unwrap()]);
    cluster.owned_database("by stock tools", "dueno");
    let mut restore = cluster.tool("pg_restore");
    restore.args([
        "--exit-on-error",
        "-j2",
        "-d",
        &cluster.url("by stock tools"),
    ]);
    assert!(restore.arg(&export).status().unwrap().success());
    let found = respaldo_tests::diff(&last.image, &journey.image_of("by stock tools"));
    assert!(found.is_empty(), "{found:#?}");
    cluster.drop_database("by stock tools");
    cluster.drop_database("live");
}
