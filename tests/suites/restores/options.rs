//! What each option of `restore` does, and what is refused without it.

use std::collections::BTreeMap;

use respaldo_tests::{Scene, assert_equal};

fn args<'a>(archive: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["restore", "--json", "--id", archive][..], more].concat()
}

#[test]
fn a_missing_target_is_made_only_when_that_is_asked_for() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    let bare = args(&archive, &["--target-db", "copy"]);
    scene.respaldo.run(&bare).expect_error(2, "target-missing");
    assert!(!scene.exists("copy"));
    let create = [&bare[..], &["--create"]].concat();
    assert!(scene.respaldo.run(&create).is_done());
    assert_equal(&scene.image(), &scene.image_of("copy"));
}

#[test]
fn a_target_that_is_not_empty_is_refused_and_stays_as_it_is() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    scene.day(1);
    let live = scene.image();
    scene
        .respaldo
        .run(&args(&archive, &[]))
        .expect_error(2, "target-not-empty");
    scene
        .respaldo
        .run(&args(&archive, &["--create"]))
        .expect_error(2, "target-not-empty");
    let unconfirmed = scene.respaldo.run(&args(&archive, &["--replace"]));
    unconfirmed.expect_error(2, "confirmation-needed");
    assert_equal(&live, &scene.image());
    for made in [
        "CREATE TABLE public.here (id int)",
        "CREATE SCHEMA here",
        "CREATE FUNCTION public.here() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TYPE public.here AS ENUM ('a')",
        "SELECT lo_create(0)",
    ] {
        scene.cluster.owned_database("other", "dueno");
        scene.cluster.psql_as("dueno", "other", made);
        let outcome = scene
            .respaldo
            .run(&args(&archive, &["--target-db", "other"]));
        assert_eq!(outcome.error_code(), "target-not-empty", "{made}");
        scene.cluster.drop_database("other");
    }
}

#[test]
fn an_empty_target_is_filled() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    scene.cluster.owned_database("empty", "dueno");
    let outcome = scene
        .respaldo
        .run(&args(&archive, &["--target-db", "empty"]));
    assert!(outcome.is_done(), "{outcome:#?}");
    assert_equal(&scene.image(), &scene.image_of("empty"));
    assert!(
        scene.kept_databases().is_empty(),
        "nobody wants an empty database kept"
    );
}

#[test]
fn every_restore_point_can_be_named_by_number_name_and_time() {
    let scene = Scene::open();
    let full = scene.backup("full");
    let then = scene.image();
    scene.day(1);
    let inc = scene.backup("inc");
    let now = scene.image();
    let id = full["id"].to_string();
    let (name, at) = (
        full["nombre"].as_str().unwrap(),
        full["instantanea"].as_str().unwrap(),
    );
    let newest = inc["id"].to_string();
    let points = [
        ("--id", id.as_str(), &then),
        ("--id", name, &then),
        ("--at", at, &then),
        ("--at", "latest", &now),
        ("--id", newest.as_str(), &now),
    ];
    for (option, value, expected) in points {
        let args = [
            "restore",
            option,
            value,
            "--target-db",
            "copy",
            "--create",
            "--json",
        ];
        let outcome = scene.respaldo.run(&args);
        assert!(outcome.is_done(), "{option} {value}: {outcome:#?}");
        assert_equal(expected, &scene.image_of("copy"));
        scene.cluster.drop_database("copy");
    }
    let early = [
        "restore",
        "--at",
        "2001-01-01",
        "--target-db",
        "copy",
        "--create",
        "--json",
    ];
    scene
        .respaldo
        .run(&early)
        .expect_error(15, "nothing-to-restore");
}

#[test]
fn the_result_says_what_was_applied_and_that_it_is_equal() {
    let scene = Scene::open();
    let full = scene.backup_name("full");
    scene.day(1);
    let inc = scene.backup_name("inc");
    let outcome = scene
        .respaldo
        .run(&args(&inc, &["--target-db", "copy", "--create"]));
    let json = outcome.json();
    assert_eq!(
        (outcome.code, &json["exitoso"]),
        (Some(0), &true.into()),
        "{json:#}"
    );
    let applied = json["backups_aplicados"].as_array().unwrap();
    assert!(applied.iter().any(|name| *name == full) && applied.iter().any(|name| *name == inc));
    assert_eq!(json["base_destino"], "copy");
    let verified = &json["verificacion"];
    assert_eq!(verified["tablas"], verified["iguales"], "{json:#}");
    assert!(
        verified["distintas"].as_array().unwrap().is_empty(),
        "{json:#}"
    );
    for key in [
        "mensaje",
        "tiempo_segundos",
        "tablas_restauradas",
        "lsn_final",
    ] {
        assert!(!json[key].is_null(), "{key}: {json:#}");
    }
}

#[test]
fn tables_can_be_restored_beside_the_live_ones() {
    let scene = Scene::open();
    let full = scene.backup_name("full");
    let then = scene.image();
    scene.day(1);
    scene.client().exec("DELETE FROM bank.branch");
    let live = scene.image();
    let tables = [
        "--table",
        "bank.branch",
        "--table",
        "bank.account",
        "--into-schema",
        "then",
    ];
    let outcome = scene.respaldo.run(&args(&full, &tables));
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    let after = scene.image();
    for (copy, table) in [
        ("then.branch", "bank.branch"),
        ("then.account", "bank.account"),
    ] {
        assert_eq!(after.rows_of(copy), then.rows_of(table), "{copy}");
        assert_eq!(
            after.rows_of(table),
            live.rows_of(table),
            "{table} is not touched"
        );
    }
    assert_eq!(after.rows_of("then.movement"), None);
    // Names that are taken are refused, and nothing is made.
    let again = scene.respaldo.run(&args(&full, &tables));
    again.expect_error(2, "target-exists");
    assert_equal(&after, &scene.image());
    let unknown = ["--table", "bank.nowhere", "--into-schema", "then"];
    let outcome = scene.respaldo.run(&args(&full, &unknown));
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    assert_eq!(scene.backup("inc")["tipo"], "INCREMENTAL");
}

#[test]
fn nothing_is_left_of_a_table_that_could_not_be_restored() {
    let scene = Scene::open();
    let full = scene.backup_name("full");
    let live = scene.image();
    let tables = [
        "--table",
        "bank.branch",
        "--table",
        "bank.account",
        "--into-schema",
        "then",
    ];
    for step in ["restore.into_schema", "restore.commit"] {
        let fault = format!("{step}=fail");
        let outcome = scene.respaldo.run_with_fault(&fault, &args(&full, &tables));
        assert_eq!(outcome.code, Some(12), "{step}: {outcome:#?}");
        assert_equal(&live, &scene.image());
        scene.respaldo.kill_at_step(step, &args(&full, &tables));
        assert_equal(&live, &scene.image());
    }
    assert!(scene.respaldo.run(&args(&full, &tables)).is_done());
}

#[test]
fn any_number_of_sessions_loads_the_same() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    for jobs in ["1", "3", "16"] {
        let more = ["--target-db", "copy", "--create", "--jobs", jobs];
        let outcome = scene.respaldo.run(&args(&archive, &more));
        assert!(outcome.is_done(), "{jobs}: {outcome:#?}");
        assert_equal(&scene.image(), &scene.image_of("copy"));
        scene.cluster.drop_database("copy");
    }
    let outcome = scene.respaldo.run(&args(&archive, &["--jobs", "0"]));
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
}

#[test]
fn a_restore_can_give_everything_to_the_role_that_restores() {
    let scene = Scene::open();
    scene.cluster.psql(
        "bank",
        "CREATE TABLE bank.foreign_one (id int); GRANT SELECT ON bank.branch TO lector",
    );
    scene
        .cluster
        .psql("bank", "GRANT SELECT ON bank.foreign_one TO dueno");
    let archive = scene.backup_name("full");
    let more = [
        "--target-db",
        "copy",
        "--create",
        "--no-owner",
        "--no-privileges",
    ];
    let outcome = scene.respaldo.run(&args(&archive, &more));
    assert!(outcome.is_done(), "{outcome:#?}");
    let owners = "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class c
                  JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'bank'";
    assert_eq!(scene.cluster.psql("copy", owners), "dueno");
    let grants =
        "SELECT count(*) FROM pg_class WHERE relname = 'branch' AND relacl::text ~ 'lector'";
    assert_eq!(scene.cluster.psql("copy", grants), "0");
    let rows = |db: &str| -> BTreeMap<_, _> { scene.image_of(db).section("rows") };
    assert_eq!(rows("bank"), rows("copy"));
}
