//! Who restores: a superuser, an owner who may make databases, an owner who may not; and where
//! roles are missing.

use respaldo_tests::{Cluster, Respaldo, Scene, assert_equal, schema};

fn with_repository_of(scene: &Scene, respaldo: Respaldo) -> Respaldo {
    respaldo.env(
        "RESPALDO_REPOSITORY__DIR",
        scene.repository.root().to_str().unwrap(),
    )
}

#[test]
fn a_superuser_restores_every_kind_of_object() {
    let scene = Scene::open();
    scene.cluster.owned_database("kinds", "dueno");
    schema::load(&scene.cluster, "kinds", "dueno");
    let respaldo = Respaldo::new(&scene.cluster, "kinds");
    let made = respaldo.run(&["backup", "full", "--json"]);
    assert!(made.is_done(), "{made:#?}");
    let name = made.json()["nombre"].as_str().unwrap().to_owned();
    let args = [
        "restore",
        "--id",
        &name,
        "--target-db",
        "copy",
        "--create",
        "--json",
    ];
    let outcome = respaldo.run(&args);
    assert!(outcome.is_done(), "{outcome:#?}");
    assert_equal(&scene.image_of("kinds"), &scene.image_of("copy"));
    let in_place = ["restore", "--id", &name, "--replace", "--yes", "--json"];
    let before = scene.image_of("kinds");
    let outcome = respaldo.run(&in_place);
    assert!(outcome.is_done(), "{outcome:#?}");
    assert_equal(&before, &scene.image_of("kinds"));
}

#[test]
fn an_owner_restores_everything_an_owner_can_make() {
    let scene = Scene::open();
    let url = scene.cluster.owned_database("kinds", "dueno");
    schema::load_owner_part(&scene.cluster, "kinds", "dueno");
    let respaldo = Respaldo::for_url(&scene.cluster, &url);
    let made = respaldo.run(&["backup", "full", "--json"]);
    assert!(made.is_done(), "{made:#?}");
    let name = made.json()["nombre"].as_str().unwrap().to_owned();
    let args = [
        "restore",
        "--id",
        &name,
        "--target-db",
        "copy",
        "--create",
        "--json",
    ];
    let outcome = respaldo.run(&args);
    assert!(outcome.is_done(), "{outcome:#?}");
    assert_equal(&scene.image_of("kinds"), &scene.image_of("copy"));
}

#[test]
fn an_owner_who_may_not_make_databases_fills_an_empty_one_he_is_given() {
    let scene = Scene::open();
    let cluster = &scene.cluster;
    let owner = "dueno_sin_createdb";
    let url = cluster.owned_database("kinds", owner);
    schema::load_owner_part(cluster, "kinds", owner);
    let respaldo = Respaldo::for_url(cluster, &url);
    let made = respaldo.run(&["backup", "full", "--json"]);
    assert!(made.is_done(), "{made:#?}");
    let name = made.json()["nombre"].as_str().unwrap().to_owned();
    let point = ["restore", "--id", &name, "--json"];

    let live = scene.image_of("kinds");
    let replace = respaldo.run(&[&point[..], &["--replace", "--yes"]].concat());
    replace.expect_error(12, "rights-missing");
    let create = respaldo.run(&[&point[..], &["--target-db", "copy", "--create"]].concat());
    create.expect_error(12, "rights-missing");
    assert!(!scene.exists("copy"));
    assert_equal(&live, &scene.image_of("kinds"));

    cluster.owned_database("given", owner);
    let fill = respaldo.run(&[&point[..], &["--target-db", "given"]].concat());
    assert!(fill.is_done(), "{fill:#?}");
    assert_equal(&live, &scene.image_of("given"));
}

#[test]
fn a_role_that_does_not_own_the_database_may_not_replace_it() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    scene
        .cluster
        .psql("postgres", "CREATE ROLE stranger LOGIN CREATEDB");
    scene.add_branch(50);
    let live = scene.image();
    let stranger = Respaldo::for_url(&scene.cluster, &scene.cluster.url_as("stranger", "bank"));
    let stranger = with_repository_of(&scene, stranger);
    let args = ["restore", "--at", "latest", "--replace", "--yes", "--json"];
    let outcome = stranger.run(&args);
    outcome.expect_error(12, "rights-missing");
    assert!(outcome.stdout.contains("bank"), "{outcome:#?}");
    assert_equal(&live, &scene.image());
    assert!(scene.scratch_databases().is_empty() && !archive.is_empty());
}

#[test]
fn roles_missing_on_another_server_are_named_or_made() {
    let scene = Scene::open();
    scene.cluster.psql(
        "bank",
        "CREATE ROLE \"Ana, \"\"la\"\" cajera\" NOLOGIN; CREATE ROLE teller LOGIN;
         GRANT teller TO \"Ana, \"\"la\"\" cajera\"; ALTER TABLE bank.branch OWNER TO teller;
         GRANT SELECT ON bank.branch TO \"Ana, \"\"la\"\" cajera\";
         GRANT SELECT ON bank.branch TO dueno",
    );
    let superuser = with_repository_of(&scene, Respaldo::new(&scene.cluster, "bank"));
    let made = superuser.run(&["backup", "full", "--json"]);
    assert!(made.is_done(), "{made:#?}");
    let elsewhere = Cluster::builder().own_identity().start();
    let url = elsewhere.url("postgres");
    let args = [
        "restore",
        "--at",
        "latest",
        "--target-url",
        &url,
        "--target-db",
        "bank",
        "--create",
        "--json",
    ];
    let refused = superuser.run(&args);
    refused.expect_error(12, "roles-missing");
    assert!(
        refused.stdout.contains("teller") && refused.stdout.contains("Ana"),
        "{refused:#?}"
    );
    let there = "SELECT count(*) FROM pg_database WHERE datname = 'bank'";
    assert_eq!(elsewhere.psql("postgres", there), "0");

    let outcome = superuser.run(&[&args[..], &["--create-roles"]].concat());
    assert!(outcome.is_done(), "{outcome:#?}");
    assert_equal(
        &scene.image(),
        &respaldo_tests::Snapshot::take(&elsewhere.url("bank")),
    );
    let member = "SELECT pg_has_role('Ana, \"la\" cajera', 'teller', 'member')";
    assert_eq!(elsewhere.psql("postgres", member), "t");
    let password =
        "SELECT count(*) FROM pg_authid WHERE rolname = 'teller' AND rolpassword IS NULL";
    assert_eq!(elsewhere.psql("postgres", password), "1");
}

#[test]
fn without_owners_and_grants_no_role_is_missed() {
    let scene = Scene::open();
    scene.cluster.psql(
        "bank",
        "CREATE ROLE teller; GRANT SELECT ON bank.branch TO teller",
    );
    scene.backup("full");
    let elsewhere = Cluster::builder().own_identity().start();
    let url = elsewhere.url("postgres");
    let args = [
        "restore",
        "--at",
        "latest",
        "--target-url",
        &url,
        "--target-db",
        "bank",
        "--create",
        "--no-owner",
        "--no-privileges",
        "--json",
    ];
    let outcome = scene.respaldo.run(&args);
    assert!(outcome.is_done(), "{outcome:#?}");
    let rows = |url: &str| respaldo_tests::Snapshot::take(url).section("rows");
    assert_eq!(
        rows(&scene.cluster.url("bank")),
        rows(&elsewhere.url("bank"))
    );
}
