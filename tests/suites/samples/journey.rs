//! Backups of every kind with random changes between them; then every restore point is restored
//! and must look like its database did to the independent tool.
//!
//! Some things pg_dump itself does not carry (a comment on a constructor of a range type, say). A
//! point that differs must therefore equal what stock pg_dump and pg_restore make of its moment.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use respaldo_tests::{Cluster, Respaldo};

/// Our own schema: the catalog's rows are no part of a backup.
const OWN_SCHEMA: [&str; 2] = ["--exclude-schema", "seguridad"];

/// Kinds of backup of a journey, in order.
const KINDS: [&str; 6] = ["full", "inc", "dif", "inc", "inc", "dif"];

/// Changes between two backups.
const CHANGES: &str = "60";

/// Longest run of one tool or command.
const LIMIT: Duration = Duration::from_mins(5);

/// The folder with data and tools.
fn folder() -> PathBuf {
    let folder = env::var_os("RESPALDO_SAMPLES");
    folder
        .expect("RESPALDO_SAMPLES names the folder with data and tools")
        .into()
}

/// Runs a program with the PostgreSQL tools of `cluster` first in the path; its output, or what
/// it complained about.
fn run(cluster: &Cluster, program: &str, args: &[&str]) -> Result<String, String> {
    let path = env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", cluster.bin_dir().display());
    let out = Command::new(program)
        .args(args)
        .env("PATH", path)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if out.status.success() {
        Ok(text(&out.stdout))
    } else {
        Err(format!(
            "{program} {args:?}: {}\n{}{}",
            out.status,
            text(&out.stdout),
            text(&out.stderr)
        ))
    }
}

/// One of the Python tools.
fn tool(cluster: &Cluster, name: &str, args: &[&str]) -> Result<String, String> {
    let script = folder().join("tools").join(name);
    run(
        cluster,
        "python3",
        &[&[script.to_str().unwrap()], args].concat(),
    )
}

fn describe(cluster: &Cluster, db: &str, file: &Path) {
    let (url, file) = (cluster.url(db), file.to_str().unwrap());
    tool(
        cluster,
        "dbhash.py",
        &[&[url.as_str(), "-o", file], &OWN_SCHEMA[..]].concat(),
    )
    .unwrap();
}

/// Rows of a materialized view that was stale are new after a restore.
fn differences(cluster: &Cluster, expected: &Path, found: &Path) -> Option<String> {
    let (expected, found) = (expected.to_str().unwrap(), found.to_str().unwrap());
    tool(
        cluster,
        "dbhash.py",
        &["diff", expected, found, "--ignore", "matviews"],
    )
    .err()
}

/// A moment that was backed up.
struct Point {
    /// Number of the backup.
    id: String,
    /// What the database looked like.
    image: PathBuf,
    /// The same moment by stock pg_dump.
    stock: PathBuf,
}

/// Makes a backup of the database as it is and describes it.
fn point(cluster: &Cluster, respaldo: &Respaldo, db: &str, at: usize) -> Point {
    let backup = respaldo.ok(&["backup", KINDS[at], "--json"]).json();
    let file = |ending: &str| respaldo.folder().join(format!("{at}.{ending}"));
    let (image, stock) = (file("json"), file("stock.dump"));
    describe(cluster, db, &image);
    let (url, path) = (cluster.url(db), stock.to_str().unwrap());
    run(cluster, "pg_dump", &["-Fc", "-f", path, "-d", &url]).unwrap();
    let id = backup["id"].to_string();
    Point { id, image, stock }
}

/// Restores a point in every way there is; what is wrong with a copy, if anything.
fn trouble(cluster: &Cluster, respaldo: &Respaldo, point: &Point) -> Option<String> {
    let copies = [
        restored(respaldo, point),
        exported(cluster, respaldo, point, &[]),
        exported(cluster, respaldo, point, &["-j", "2"]),
    ];
    copies
        .iter()
        .find_map(|copy| wrong_in(cluster, point, copy))
}

fn restored(respaldo: &Respaldo, point: &Point) -> String {
    let copy = format!("copy_{}", point.id);
    respaldo.ok(&[
        "restore",
        "--id",
        &point.id,
        "--target-db",
        &copy,
        "--create",
    ]);
    copy
}

/// One stock archive of the point, restored by the stock tool.
fn exported(cluster: &Cluster, respaldo: &Respaldo, point: &Point, jobs: &[&str]) -> String {
    let file = point.image.with_extension("export.dump");
    let path = file.to_str().unwrap();
    respaldo.ok(&["export", "--id", &point.id, "-o", path, "--force"]);
    let copy = format!("export_{}_{}", point.id, jobs.len());
    let url = cluster.new_database(&copy);
    run(cluster, "pg_restore", &[&["-d", &url, path], jobs].concat()).unwrap();
    copy
}

fn wrong_in(cluster: &Cluster, point: &Point, copy: &str) -> Option<String> {
    let found = point.image.with_extension("restored.json");
    describe(cluster, copy, &found);
    let difference = differences(cluster, &point.image, &found);
    cluster.drop_database(copy);
    let difference = difference?;

    let stock = format!("stock_{}", point.id);
    let url = cluster.new_database(&stock);
    run(
        cluster,
        "pg_restore",
        &["-d", &url, point.stock.to_str().unwrap()],
    )
    .unwrap();
    let by_stock = point.image.with_extension("stock.json");
    describe(cluster, &stock, &by_stock);
    cluster.drop_database(&stock);
    let worse = differences(cluster, &by_stock, &found)?;
    Some(format!(
        "backup {} in {copy}: {difference}\nand beside the stock tools: {worse}",
        point.id
    ))
}

/// Loads `sample`, walks through backups and changes, and restores every point.
fn journey(sample: &str, seed: u64) {
    println!("sample {sample}, seed {seed}");
    let cluster = Cluster::start();
    let url = cluster.new_database(sample);
    let load = folder().join("data").join(sample).join("load.sh");
    run(&cluster, "bash", &[load.to_str().unwrap(), &url]).unwrap();
    let respaldo = Respaldo::new(&cluster, sample).limit(LIMIT);

    let mut points = vec![point(&cluster, &respaldo, sample, 0)];
    for at in 1..KINDS.len() {
        let seed = (seed + at as u64).to_string();
        let order = [url.as_str(), "--seed", &seed, "-n", CHANGES];
        tool(&cluster, "mutate.py", &[&order[..], &OWN_SCHEMA].concat()).unwrap();
        points.push(point(&cluster, &respaldo, sample, at));
    }

    let wrong: Vec<String> = points
        .iter()
        .filter_map(|point| trouble(&cluster, &respaldo, point))
        .collect();
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
    respaldo.ok(&["validate", "--all"]);
}

#[test]
fn every_restore_point_of_pagila_is_equal_to_its_database() {
    for seed in [1, 2] {
        journey("pagila", seed * 1000);
    }
}

#[test]
fn every_restore_point_of_chinook_is_equal_to_its_database() {
    for seed in [4, 5, 6] {
        journey("chinook", seed * 1000);
    }
}
