//! What a restore takes of memory, with the comparison that follows it.

use respaldo_tests::{Cluster, Respaldo};

/// Most memory of a restore, whatever the size of a table.
const MEMORY_KIB: u64 = 150 * 1024;

/// About 250 MB of rows in one table, 40 MB in another.
const LARGE: &str = "
    CREATE TABLE public.large AS SELECT g AS id, md5(g::text) || md5((g * 3)::text) AS a, repeat(md5((g * 7)::text), 5) AS b
        FROM generate_series(1, 1000000) g;
    CREATE TABLE public.other AS SELECT id, a FROM public.large LIMIT 500000;
    ALTER TABLE public.large ADD PRIMARY KEY (id);
";

/// One value of 200 MB, as text that COPY lengthens a little.
const HUGE_KIB: u64 = 206_000;
const HUGE: &str = "
    CREATE TABLE public.one_value (v text);
    ALTER TABLE public.one_value ALTER v SET STORAGE EXTERNAL;
    INSERT INTO public.one_value SELECT repeat(md5('x') || chr(9), 200 * 1000 * 1000 / 33);
";

/// Backs a database of these tables up; what a restore of it takes at most, in KiB.
fn restoring(tables: &str) -> u64 {
    let cluster = Cluster::start();
    cluster.new_database("live");
    cluster.psql("live", tables);
    let respaldo = Respaldo::new(&cluster, "live").limit(std::time::Duration::from_mins(10));
    assert!(respaldo.run(&["backup", "full", "--json"]).is_done());
    let restore = [
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
    respaldo.peak_kib(&restore)
}

#[test]
fn memory_of_a_restore_does_not_grow_with_the_table() {
    let peak = restoring(LARGE);
    println!("peak KiB: {peak}");
    assert!(peak <= MEMORY_KIB, "{peak} KiB");
}

#[test]
fn a_row_of_200_megabytes_is_held_twice_at_most() {
    let peak = restoring(HUGE);
    println!("peak KiB: {peak}");
    // Reading back, a row comes in one message, which the driver gathers beside the buffer it reads into.
    assert!(peak <= MEMORY_KIB + 2 * HUGE_KIB, "{peak} KiB");
}
