//! Our own dumper against the stock one: the same archive, and the same rows however large.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use respaldo_tests::{Cluster, Respaldo, diff, journey, schema};
use serde_json::Value;

use super::parallel::driver;
use super::stock::{self, Way};

/// Makes a full; the archive's file and the manifest.
fn full(respaldo: &Respaldo) -> (PathBuf, Value) {
    let made = respaldo.run(&["backup", "full", "--json"]);
    assert!(made.is_done(), "{made:#?}");
    let path = PathBuf::from(made.json()["archivo"].as_str().unwrap());
    let manifest = fs::read(format!("{}.manifest.json", path.display())).unwrap();
    (path, serde_json::from_slice(&manifest).unwrap())
}

/// The whole restore as a script, without what is random in it.
fn script(cluster: &Cluster, file: &Path) -> Vec<String> {
    let mut command: Command = cluster.tool("pg_restore");
    let text = stock::succeed(command.args(["-f", "-"]).arg(file));
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines()
        .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_script_of_its_archive_is_that_of_pg_dump_on_the_same_state() {
    let cluster = Cluster::start();
    cluster.owned_database("live", "dueno");
    schema::load(&cluster, "live", "dueno");
    let respaldo = driver(&cluster, "live", "parallel");
    let first = respaldo.run(&["backup", "full", "--json"]).json();
    // From here to the end of the dump nobody writes.
    let held = respaldo.hold_at_step("backup.dump", &["backup", "full", "--json"]);
    let theirs = respaldo.folder().join("stock.dump");
    let mut dump = cluster.tool("pg_dump");
    dump.args(["-Fc", "-d", &cluster.url("live"), "-f"])
        .arg(&theirs);
    for table in operational(&first) {
        dump.arg(format!("--exclude-table-data={table}"));
    }
    stock::succeed(dump.env("PGTZ", "UTC"));
    let made = held.release();
    assert!(made.is_done(), "{made:#?}");
    let ours = PathBuf::from(made.json()["archivo"].as_str().unwrap());
    let (ours, theirs) = (script(&cluster, &ours), script(&cluster, &theirs));
    for (n, (our, their)) in ours.iter().zip(&theirs).enumerate() {
        let before = ours[n.saturating_sub(8)..n].join("\n");
        assert_eq!(our, their, "line {n}, after\n{before}");
    }
    assert_eq!(ours.len(), theirs.len());
}

/// Tables whose rows are our own book-keeping: no backup has them.
fn operational(made: &Value) -> Vec<&str> {
    let tables = made["tablas"].as_array().unwrap().iter();
    let ours = tables.filter(|table| table["motivo"] == "catalogo");
    ours.map(|table| table["tabla"].as_str().unwrap()).collect()
}

/// A table of more than 64 MiB with rows deleted and updated, one of values stored out of line, and
/// one that is large and empty.
const LARGE: &str = "
    CREATE TABLE public.ranges (id bigint PRIMARY KEY, word text, pad text, dropped int);
    ALTER TABLE public.ranges ALTER pad SET STORAGE PLAIN;
    INSERT INTO public.ranges SELECT g, md5(g::text), repeat(md5((g * 7)::text), 20), 1 FROM generate_series(1, 130000) g;
    DELETE FROM public.ranges WHERE id % 7 = 0 OR id BETWEEN 30000 AND 60000;
    UPDATE public.ranges SET word = 'changed' WHERE id % 5 = 0;
    ALTER TABLE public.ranges DROP COLUMN dropped;
    CREATE TABLE public.toasted (id int, wide text);
    ALTER TABLE public.toasted ALTER wide SET STORAGE EXTERNAL;
    INSERT INTO public.toasted SELECT g, repeat(md5(g::text), 3000) FROM generate_series(1, 300) g;
    CREATE TABLE public.large_and_empty (id int, pad text);
    INSERT INTO public.large_and_empty SELECT g, repeat('x', 900) FROM generate_series(1, 90000) g;
    DELETE FROM public.large_and_empty;
";

/// A row whose only value has 100 MB.
const HUGE: &str = "
    CREATE TABLE public.one_value (v text);
    ALTER TABLE public.one_value ALTER v SET STORAGE EXTERNAL;
    INSERT INTO public.one_value SELECT repeat(md5('x') || chr(9), 100 * 1000 * 1000 / 33);
";

#[test]
fn large_tables_cut_into_ranges_come_back_and_have_the_fingerprints_of_pg_dump() {
    let cluster = Cluster::start();
    cluster.new_database("live");
    cluster.psql("live", LARGE);
    cluster.psql("live", HUGE);
    let bytes = cluster.psql("live", "SELECT pg_relation_size('public.ranges')");
    assert!(bytes.parse::<u64>().unwrap() > 64 << 20, "{bytes}");
    let ours = driver(&cluster, "live", "parallel");
    let repository = ours.folder().join("backups_incrementales");
    let theirs = driver(&cluster, "live", "pg-dump")
        .env("RESPALDO_REPOSITORY__DIR", repository.to_str().unwrap());
    let (file, manifest) = full(&ours);
    let (_, stock_manifest) = full(&theirs);
    let prints = fingerprints(&manifest);
    assert_eq!(prints.len(), 4, "{prints:#?}");
    assert_eq!(prints, fingerprints(&stock_manifest));
    let image = journey::image(&cluster.url("live"));
    stock::pg_restore(&cluster, "postgres", &file, "restored", Way::TwoJobs);
    let found = diff(&image, &journey::image(&cluster.url("restored")));
    assert!(found.is_empty(), "{}", found.join("\n"));
    let drill = ours.run(&["validate", "--all", "--level", "drill", "--json"]);
    assert_eq!(drill.code, Some(0), "{drill:#?}");
}

/// Every table of this suite with its rows, their bytes and their fingerprint.
fn fingerprints(manifest: &Value) -> Vec<(String, [Value; 3])> {
    let tables = manifest["tablas"].as_array().unwrap().iter();
    let print = |table: &Value| {
        let name = table["nombre"].as_str().unwrap().to_owned();
        let parts = ["filas", "bytes", "huella"].map(|part| table["datos"][part].clone());
        (name, parts)
    };
    tables
        .filter(|table| table["esquema"] == "public")
        .map(print)
        .collect()
}
