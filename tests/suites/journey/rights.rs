//! What a role cannot back up or restore exactly is said, never left out in silence.

use respaldo_tests::{Cluster, Journey, Respaldo, schema};

#[test]
fn an_owner_is_told_of_everything_that_belongs_to_others() {
    let cluster = Cluster::start();
    cluster.owned_database("live", "dueno");
    schema::load(&cluster, "live", "dueno");
    let driver = Respaldo::for_url(&cluster, &cluster.url_as("dueno", "live"));

    let refused = driver.run(&["backup", "full", "--json"]);
    refused.expect_code(12);
    assert_eq!(refused.json()["exitoso"], false);
    assert_eq!(refused.json()["error"]["codigo"], "coverage-incomplete");
    assert_eq!(
        driver
            .ok(&["list", "--json"])
            .json()
            .as_array()
            .map(Vec::len),
        Some(0)
    );

    let partial = driver.run(&["backup", "full", "--allow-partial", "--json"]);
    partial.expect_code(3);
    let coverage = partial.json()["cobertura"].clone();
    assert_eq!(coverage["completa"], false);
    let missing = coverage["faltantes"].to_string();
    for object in [
        "super.wholes",
        "super.on_heap_again",
        "super.ddl_log",
        "super.forced",
    ] {
        assert!(missing.contains(object), "{object} is not in {missing}");
    }
    // Partial everywhere it appears.
    let id = partial.json()["id"].to_string();
    let shown = driver.ok(&["show", &id, "--json"]).json();
    assert_eq!(shown["cobertura"]["completa"], false);
}

#[test]
fn an_owner_cannot_restore_what_only_a_superuser_can_make_and_is_told() {
    let cluster = Cluster::start();
    cluster.owned_database("live", "dueno");
    schema::load(&cluster, "live", "dueno");
    let mut journey = Journey::new(&cluster, "live");
    let point = journey.backup("full");
    let repository = journey.respaldo().folder().join("backups_incrementales");
    let owner = Respaldo::for_url(&cluster, &cluster.url_as("dueno", "postgres"))
        .config("[catalog]\nenabled = false\n")
        .env("RESPALDO_REPOSITORY__DIR", repository.to_str().unwrap());
    let outcome = owner.run(&[
        "restore",
        "--id",
        point.archive(),
        "--target-db",
        "copy",
        "--create",
        "--json",
    ]);
    assert_eq!(outcome.code, Some(12), "{outcome:#?}");
    assert_eq!(outcome.json()["exitoso"], false);
    let left = "SELECT count(*) FROM pg_database WHERE datname LIKE '%copy%'";
    assert_eq!(
        cluster.psql("postgres", left),
        "0",
        "nothing half done is left"
    );
}

#[test]
fn what_old_tools_leave_out_of_a_dump_is_said() {
    let cluster = Cluster::start();
    cluster.owned_database("live", "dueno");
    cluster.psql(
        "live",
        "ALTER SCHEMA public OWNER TO dueno; COMMENT ON SCHEMA public IS 'ours';
         CREATE TABLE public.t (id int GENERATED ALWAYS AS IDENTITY);
         GRANT USAGE ON SEQUENCE public.t_id_seq TO lector",
    );
    let mut journey = Journey::new(&cluster, "live");
    let point = journey.backup("full");
    let said = point.made["avisos"].to_string();
    let left_out: &[&str] = match cluster.major() {
        14 => &[
            "owner of schema public",
            "comment on schema public",
            "public.t_id_seq",
        ],
        ..15 => &["owner of schema public", "comment on schema public"],
        _ => &[],
    };
    assert_eq!(
        said.contains("fuera_del_volcado"),
        !left_out.is_empty(),
        "{said}"
    );
    for what in left_out {
        assert!(said.contains(what), "{what}: {said}");
    }
    if left_out.is_empty() {
        journey.check();
    }
}
