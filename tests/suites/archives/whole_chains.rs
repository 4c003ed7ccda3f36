//! Every point of a chain, exported and restored in every way, and rebuilt from its escape kit.

use std::fs;

use respaldo_tests::{Cluster, Journey, RestorePoint};

use super::chain::{Dumpers, Ground, each_point};
use super::stock::{self, Way};

#[test]
fn every_kind_of_object_dumped_by_pg_dump_leaves_the_repository_whole() {
    check(Ground::Everything, Dumpers::All("pg-dump"));
}

#[test]
fn every_kind_of_object_dumped_by_parallel_leaves_the_repository_whole() {
    check(Ground::Everything, Dumpers::All("parallel"));
}

#[test]
fn every_kind_of_object_dumped_by_turns_leaves_the_repository_whole() {
    check(Ground::Everything, Dumpers::Changing);
}

#[test]
fn an_owners_database_dumped_by_pg_dump_leaves_the_repository_whole() {
    check(Ground::OwnersPart, Dumpers::All("pg-dump"));
}

#[test]
fn an_owners_database_dumped_by_parallel_leaves_the_repository_whole() {
    check(Ground::OwnersPart, Dumpers::All("parallel"));
}

#[test]
fn an_owners_database_dumped_by_turns_leaves_the_repository_whole() {
    check(Ground::OwnersPart, Dumpers::Changing);
}

#[test]
fn the_applications_database_dumped_by_pg_dump_leaves_the_repository_whole() {
    check(Ground::Application, Dumpers::All("pg-dump"));
}

#[test]
fn the_applications_database_dumped_by_parallel_leaves_the_repository_whole() {
    check(Ground::Application, Dumpers::All("parallel"));
}

#[test]
fn the_applications_database_dumped_by_turns_leaves_the_repository_whole() {
    check(Ground::Application, Dumpers::Changing);
}

fn check(ground: Ground, dumpers: Dumpers) {
    let cluster = Cluster::start();
    let mut found = Vec::new();
    each_point(&cluster, ground, dumpers, |journey, point| {
        let mut differences = exported(&cluster, ground, journey, point);
        differences.extend(rebuilt(&cluster, ground, journey, point));
        let archive = point.archive();
        found.extend(
            differences
                .into_iter()
                .map(|line| format!("{archive}: {line}")),
        );
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn exported(
    cluster: &Cluster,
    ground: Ground,
    journey: &Journey<'_>,
    point: &RestorePoint,
) -> Vec<String> {
    let respaldo = journey.respaldo();
    let file = respaldo.folder().join("export.dump");
    let path = file.to_str().unwrap();
    let said = respaldo.ok(&["export", "--id", &point.id, "-o", path, "--force", "--json"]);
    let record = said.json();
    assert_eq!(record["nombre"], point.archive());
    assert_eq!(record["tamano_bytes"], fs::metadata(&file).unwrap().len());
    let piped = respaldo.folder().join("piped.dump");
    stock::export_to_stdout(respaldo, &point.id, &piped);
    assert!(
        fs::read(&file).unwrap() == fs::read(&piped).unwrap(),
        "{path}"
    );
    let list = stock::succeed(cluster.tool("pg_restore").arg("-l").arg(&file));
    assert!(String::from_utf8_lossy(&list).contains("TABLE DATA"));
    let mut found = Vec::new();
    for way in Way::ALL {
        stock::pg_restore(cluster, ground.role(), &file, "restored", way);
        let lines = stock::differences(cluster, &point.image, "restored");
        found.extend(
            lines
                .into_iter()
                .map(|line| format!("export, {way:?}: {line}")),
        );
    }
    found
}

fn rebuilt(
    cluster: &Cluster,
    ground: Ground,
    journey: &Journey<'_>,
    point: &RestorePoint,
) -> Vec<String> {
    let respaldo = journey.respaldo();
    let mut found = Vec::new();
    for jobs in ["1", "2"] {
        let kit = respaldo.folder().join("kit");
        let path = kit.to_str().unwrap();
        respaldo.ok(&["escape-kit", "--id", &point.id, "-o", path]);
        let script = fs::read_to_string(kit.join("restore.sh")).unwrap();
        assert!(
            script.contains("\nrestore --section=post-data"),
            "one session alone would make indexes and constraints"
        );
        let before = stock::files(&kit);
        let (done, said) = stock::run_kit(cluster, ground.role(), &kit, "rebuilt", jobs);
        assert!(done, "{said}");
        assert!(
            before == stock::files(&kit),
            "the script changed its own kit"
        );
        let lines = stock::differences(cluster, &point.image, "rebuilt");
        found.extend(
            lines
                .into_iter()
                .map(|line| format!("kit, {jobs} jobs: {line}")),
        );
        fs::remove_dir_all(&kit).unwrap();
    }
    found
}
