//! A full made from the chain is as good as one made from the database.

use respaldo_tests::{Client, Cluster, diff};

use super::chain::{Dumpers, Ground, make};

#[test]
fn a_full_from_a_chain_of_pg_dump_is_a_full_like_any_other() {
    check(Ground::Everything, Dumpers::All("pg-dump"));
}

#[test]
fn a_full_from_a_chain_of_parallel_is_a_full_like_any_other() {
    check(Ground::OwnersPart, Dumpers::All("parallel"));
}

#[test]
fn a_full_from_a_chain_of_both_dumpers_is_a_full_like_any_other() {
    check(Ground::Application, Dumpers::Changing);
}

fn check(ground: Ground, dumpers: Dumpers) {
    let cluster = Cluster::start();
    let mut journey = make(&cluster, ground, dumpers);
    let newest = journey.points().last().unwrap().clone();
    let url = cluster.url_as(ground.role(), ground.database());
    // The database may change meanwhile: it is not read.
    let mut client = Client::connect(&url);
    client.exec("INSERT INTO public.quiet VALUES (4711)");
    let args = [
        "backup",
        "full",
        "--from-chain",
        "--label",
        "joined",
        "--json",
    ];
    let made = journey.respaldo().ok(&args).json();
    let full = made["nombre"].as_str().unwrap().to_owned();
    assert_eq!(made["tipo"], "FULL");
    assert_eq!(made["etiqueta"], "joined");
    assert_eq!(made["instantanea"], newest.made["instantanea"]);
    let deep = ["validate", &full, "--level", "drill", "--json"];
    assert_eq!(journey.respaldo().ok(&deep).json()["invalidos"], 0);
    assert_restores(&journey, &full, &newest.image);

    let after = journey.backup("inc");
    assert_eq!(after.kind(), "INCREMENTAL", "{}", after.made);
    assert_eq!(after.made["backup_base_id"], made["id"], "{}", after.made);
    assert!(
        after.dumped().contains(&"public.quiet"),
        "{:?}",
        after.dumped()
    );
    assert!(
        !after.dumped().contains(&"public.narrowed"),
        "{:?}",
        after.dumped()
    );
    let others = ["delete", newest.archive(), "--json"];
    journey.respaldo().ok(&others);
    assert_restores(&journey, &full, &newest.image);
    assert_restores(&journey, after.archive(), &after.image);
}

fn assert_restores(
    journey: &respaldo_tests::Journey<'_>,
    archive: &str,
    image: &respaldo_tests::DbImage,
) {
    let copy = "copy of a full";
    let respaldo = journey.respaldo();
    let outcome = respaldo.run(&[
        "restore",
        "--id",
        archive,
        "--target-db",
        copy,
        "--create",
        "--json",
    ]);
    assert!(outcome.is_done(), "{outcome:#?}");
    let found = diff(image, &journey.image_of(copy));
    journey.cluster().drop_database(copy);
    assert!(found.is_empty(), "{archive}:\n{}", found.join("\n"));
}

#[test]
fn a_full_from_the_chain_needs_no_server_and_every_other_kind_is_refused() {
    let cluster = Cluster::start();
    let journey = make(&cluster, Ground::OwnersPart, Dumpers::All("parallel"));
    let newest = journey.points().last().unwrap().clone();
    let refused = journey
        .respaldo()
        .run(&["backup", "inc", "--from-chain", "--json"]);
    refused.expect_error(2, "usage");
    cluster.stop();
    let outcome = journey
        .respaldo()
        .run(&["backup", "full", "--from-chain", "--json"]);
    assert_eq!(outcome.code, Some(3), "the catalog is behind: {outcome:#?}");
    let full = outcome.json()["nombre"].as_str().unwrap().to_owned();
    cluster.start_again();
    assert_restores(&journey, &full, &newest.image);
}
