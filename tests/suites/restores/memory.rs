//! What a backup and a restore take of memory, with the comparison that follows it.

use std::time::Duration;

use respaldo_tests::{Cluster, Respaldo, diff, journey};

/// Most memory, whatever the size of a table or of a row.
pub(super) const MEMORY_KIB: u64 = 150 * 1024;

/// About 250 MB of rows in one table, 40 MB in another.
const LARGE: &str = "
    CREATE TABLE public.large AS SELECT g AS id, md5(g::text) || md5((g * 3)::text) AS a, repeat(md5((g * 7)::text), 5) AS b
        FROM generate_series(1, 1000000) g;
    CREATE TABLE public.other AS SELECT id, a FROM public.large LIMIT 500000;
    ALTER TABLE public.large ADD PRIMARY KEY (id);
";

/// One value of 200 MB, as text that COPY lengthens a little, among others.
const HUGE: &str = "
    CREATE TABLE public.one_value (v text);
    ALTER TABLE public.one_value ALTER v SET STORAGE EXTERNAL;
    INSERT INTO public.one_value SELECT repeat(md5('x') || chr(9), 200 * 1000 * 1000 / 33);
    INSERT INTO public.one_value SELECT md5(g::text) FROM generate_series(1, 1000) g;
";

const RESTORE: [&str; 9] = [
    "restore",
    "--at",
    "latest",
    "--target-db",
    "copy",
    "--create",
    "--jobs",
    "2",
    "--json",
];

fn with(tables: &str) -> (Cluster, Respaldo) {
    let cluster = Cluster::start();
    cluster.new_database("live");
    cluster.psql("live", tables);
    let respaldo = Respaldo::new(&cluster, "live").limit(Duration::from_mins(10));
    (cluster, respaldo)
}

#[test]
fn memory_of_a_restore_does_not_grow_with_the_table() {
    let (_cluster, respaldo) = with(LARGE);
    assert!(respaldo.run(&["backup", "full", "--json"]).is_done());
    let peak = respaldo.peak_kib(&RESTORE);
    println!("peak KiB: {peak}");
    assert!(peak <= MEMORY_KIB, "{peak} KiB");
}

#[test]
fn a_row_of_200_megabytes_is_never_held_as_a_whole() {
    for dumper in ["parallel", "pg-dump"] {
        let (cluster, respaldo) = with(HUGE);
        let respaldo = respaldo.env("RESPALDO_DUMPER__USE", dumper);
        let dump = respaldo.peak_kib(&["backup", "full", "--json"]);
        let levels = ["validate", "--all", "--level", "readable", "--json"];
        let validation = respaldo.peak_kib(&levels);
        let restore = respaldo.peak_kib(&RESTORE);
        println!("peak KiB with {dumper}: dump {dump}, validation {validation}, restore {restore}");
        for peak in [dump, validation, restore] {
            assert!(peak <= MEMORY_KIB, "{dumper}: {peak} KiB");
        }
        let image = journey::image(&cluster.url("live"));
        let found = diff(&image, &journey::image(&cluster.url("copy")));
        assert!(found.is_empty(), "{dumper}: {}", found.join("\n"));
    }
}

/// Two gigabytes of rows in one table: backed up, exported and restored. Returns the most that any of it took.
pub(super) fn of_two_gigabytes() -> u64 {
    let (_cluster, respaldo) = with(
        "CREATE TABLE public.big AS SELECT g AS id, repeat(md5(g::text), 20) AS v, md5((g * 3)::text) AS w
             FROM generate_series(1, 2700000) g",
    );
    let out = respaldo.folder().join("out.dump");
    let export = ["export", "--at", "latest", "-o", out.to_str().unwrap()];
    let dump = respaldo.peak_kib(&["backup", "full", "--json"]);
    let peaks = [
        dump,
        respaldo.peak_kib(&export),
        respaldo.peak_kib(&RESTORE),
    ];
    println!("peak KiB of dump, export, restore: {peaks:?}");
    peaks.into_iter().max().unwrap()
}
