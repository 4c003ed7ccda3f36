//! A restore in place keeps what belongs to the database and not to its contents, and what we know
//! of backups.

use respaldo_tests::{DbImage, Respaldo, Scene, Snapshot, assert_equal};

/// Settings, grants, a comment and a limit, as an administrator gives them.
const PROPERTIES: &str = "
    ALTER DATABASE bank SET work_mem = '7MB';
    ALTER DATABASE bank SET search_path = bank, public;
    ALTER DATABASE bank SET app.motto = 'it''s \"ours\", all of it';
    ALTER ROLE lector IN DATABASE bank SET statement_timeout = '5s';
    ALTER ROLE dueno IN DATABASE bank SET DateStyle = 'ISO, DMY';
    REVOKE ALL ON DATABASE bank FROM PUBLIC;
    GRANT CONNECT ON DATABASE bank TO lector;
    GRANT CREATE, TEMPORARY ON DATABASE bank TO escritor WITH GRANT OPTION;
    COMMENT ON DATABASE bank IS 'the bank''s own';
    ALTER DATABASE bank CONNECTION LIMIT 77;";

fn whole_image(scene: &Scene) -> DbImage {
    Snapshot::of(&scene.cluster.url("bank"))
        .with_database()
        .image()
}

fn replace<'a>(archive: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = ["restore", "--id", archive, "--replace", "--yes", "--json"];
    [&args[..], more].concat()
}

#[test]
fn settings_grants_owner_locale_comment_and_limit_of_the_database_are_kept() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    scene.cluster.psql("bank", PROPERTIES);
    let before = whole_image(&scene);
    scene.day(1);
    let superuser = respaldo_tests::Respaldo::new(&scene.cluster, "bank").env(
        "RESPALDO_REPOSITORY__DIR",
        scene.repository.root().to_str().unwrap(),
    );
    let outcome = superuser.run(&replace(&archive, &[]));
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_equal(&before, &whole_image(&scene));
}

#[test]
fn its_owner_keeps_them_as_well_or_is_told_what_he_may_not_set() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    scene.cluster.psql("bank", PROPERTIES);
    let before = whole_image(&scene);
    let outcome = scene.respaldo.run(&replace(&archive, &[]));
    assert!(outcome.is_done(), "{outcome:#?}");
    let lost = respaldo_tests::diff(&before, &whole_image(&scene));
    if outcome.code == Some(0) {
        assert!(lost.is_empty(), "nothing was said of {lost:#?}");
    } else {
        // Other roles' settings and programs' own settings are for superusers to make.
        assert!(
            lost.iter()
                .all(|line| line.starts_with("database settings")),
            "{lost:#?}"
        );
        let warnings = outcome.json()["avisos"].to_string();
        assert!(warnings.contains("ajustes_de_la_base"), "{warnings}");
        assert!(warnings.contains("app.motto"), "{warnings} {lost:?}");
    }
}

#[test]
fn our_catalog_is_kept_with_its_numbers_and_the_next_backup_is_a_full_of_another_line() {
    let scene = Scene::open();
    let first = scene.backup_name("full");
    scene.day(1);
    scene.backup("inc");
    scene.day(2);
    scene.backup("inc");
    let list = || scene.respaldo.ok(&["list", "--json"]).json();
    let before = list();
    assert_eq!(before.as_array().unwrap().len(), 3);
    let outcome = scene.respaldo.run(&replace(&first, &[]));
    assert!(outcome.is_done(), "{outcome:#?}");
    assert_eq!(
        before,
        list(),
        "the list of backups does not go back in time with the data"
    );

    let next = scene.respaldo.run(&["backup", "inc", "--json"]);
    assert!(next.is_done(), "{next:#?}");
    let next = next.json();
    assert_eq!(
        (&next["tipo"], &next["motivo_full"]),
        (&"FULL".into(), &"otra_linea".into())
    );
    let newest = next["id"].as_i64().unwrap();
    let known = before
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["id"].as_i64().unwrap());
    assert!(
        known.max().unwrap() < newest,
        "a number was given twice: {newest}"
    );
    assert_eq!(list().as_array().unwrap().len(), 4);
    scene.day(3);
    assert_eq!(scene.backup("inc")["tipo"], "INCREMENTAL");
    let valid = scene.respaldo.run(&["validate", "--all", "--json"]);
    assert_eq!(valid.code, Some(0), "{valid:#?}");
}

#[test]
fn the_old_database_is_kept_under_another_name_exactly_as_it_was() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    let then = scene.image();
    scene.day(1);
    let live = scene.image();
    let outcome = scene.respaldo.run(&replace(&archive, &[]));
    assert!(outcome.is_done(), "{outcome:#?}");
    assert_equal(&then, &scene.image());
    let kept = scene.kept_databases();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(kept[0].starts_with("bank_before_restore_2"), "{kept:?}");
    assert_eq!(outcome.json()["anterior"], kept[0]);
    assert_equal(&live, &scene.image_of(&kept[0]));
}

#[test]
fn the_old_database_is_dropped_when_that_is_asked_for() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    let then = scene.image();
    scene.day(1);
    let outcome = scene.respaldo.run(&replace(&archive, &["--drop-old"]));
    assert!(outcome.is_done(), "{outcome:#?}");
    assert_equal(&then, &scene.image());
    assert!(scene.kept_databases().is_empty());
    assert!(outcome.json()["anterior"].is_null());
}

#[test]
fn two_restores_in_the_same_second_keep_both_old_databases() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    for _ in 0..3 {
        let outcome = scene.respaldo.run(&replace(&archive, &["--jobs", "4"]));
        assert!(outcome.is_done(), "{outcome:#?}");
    }
    assert_eq!(scene.kept_databases().len(), 3);
}

#[test]
fn a_database_with_a_name_of_63_bytes_can_be_replaced() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    let long = "ñ".repeat(31) + "x";
    scene.cluster.owned_database(&long, "dueno");
    scene
        .cluster
        .psql_as("dueno", &long, "CREATE TABLE public.here (id int)");
    let args = [
        "restore",
        "--id",
        &archive,
        "--target-db",
        &long,
        "--replace",
        "--yes",
        "--json",
    ];
    for _ in 0..2 {
        let outcome = scene.respaldo.run(&args);
        assert!(outcome.is_done(), "{outcome:#?}");
        assert_equal(&scene.image(), &scene.image_of(&long));
    }
    let kept = scene
        .databases()
        .into_iter()
        .filter(|name| name.contains("_before_restore_"));
    assert_eq!(kept.count(), 2);
}

#[test]
fn a_database_elsewhere_that_is_replaced_keeps_its_own_owner_and_settings() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    scene.cluster.owned_database("other", "dueno");
    scene.cluster.psql(
        "other",
        "ALTER DATABASE other SET work_mem = '9MB'; CREATE TABLE public.here (id int)",
    );
    let args = [
        "restore",
        "--id",
        &archive,
        "--target-db",
        "other",
        "--replace",
        "--yes",
        "--json",
    ];
    let outcome = scene.respaldo.run(&args);
    assert!(outcome.is_done(), "{outcome:#?}");
    assert_equal(&scene.image(), &scene.image_of("other"));
    let of = "SELECT pg_get_userbyid(datdba) || (SELECT setconfig::text FROM pg_db_role_setting
              WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = 'other'";
    assert_eq!(scene.cluster.psql("postgres", of), "dueno{work_mem=9MB}");
    assert_eq!(
        scene.backup("inc")["tipo"],
        "INCREMENTAL",
        "the source's line is unbroken"
    );
}

/// Another process on the same repository.
fn another(scene: &Scene) -> Respaldo {
    let repository = scene.repository.root().to_str().unwrap();
    Respaldo::for_url(&scene.cluster, &scene.cluster.url_as("dueno", "bank"))
        .env("RESPALDO_REPOSITORY__DIR", repository)
}

#[test]
fn while_rows_are_carried_over_the_restore_holds_the_lease_of_the_new_database() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    let held = scene
        .respaldo
        .hold_at_step("restore.carry", &replace(&archive, &[]));
    another(&scene)
        .run(&["backup", "inc", "--json"])
        .expect_error(11, "lease-held");
    let restored = held.release();
    assert!(restored.is_done(), "{restored:#?}");
    scene.backup("full");
    assert_eq!(scene.unfinished_rows(), [""; 0]);
}

#[test]
fn a_run_that_began_right_after_the_swap_keeps_its_row_and_the_restore_says_so() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    let restore = scene
        .respaldo
        .hold_at_step("restore.swapped", &replace(&archive, &[]));
    let other = another(&scene);
    let run = other.hold_at_step("backup.store", &["backup", "full", "--json"]);
    let restored = restore.release();
    assert_eq!(restored.code, Some(3), "{restored:#?}");
    assert!(restored.stdout.contains("lease"), "{restored:#?}");
    assert_eq!(scene.unfinished_rows().len(), 1);
    let made = run.release();
    assert!(made.is_done(), "{made:#?}");
    let listed = scene.respaldo.ok(&["list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed:#}");
    assert_eq!(scene.unfinished_rows(), [""; 0]);
}
