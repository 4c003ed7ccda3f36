//! The catalog is an index: elsewhere, lost or behind, the backups are what they are.

use respaldo_tests::{Client, Cluster, Journey, Mutator, Respaldo, schema};

fn live(cluster: &Cluster) -> Client {
    cluster.owned_database("live", "dueno");
    schema::load_owner_part(cluster, "live", "dueno");
    Client::connect(&cluster.url("live"))
}

fn with_catalog(cluster: &Cluster, url: &str) -> Respaldo {
    let catalog = format!("[catalog]\nurl = \"{}\"\n", cluster.url("catalog"));
    Respaldo::for_url(cluster, url).config(&catalog)
}

#[test]
fn the_catalog_can_live_in_another_database_and_leaves_the_source_alone() {
    let cluster = Cluster::start();
    let mut client = live(&cluster);
    cluster.new_database("catalog");
    let driver = with_catalog(&cluster, &cluster.url_as("dueno", "live"));
    let mut journey = Journey::with(&cluster, "live", driver);
    for kind in ["full", "inc", "dif"] {
        client.exec("UPDATE every.customer SET name = name || '!' WHERE id % 7 = 0");
        journey.backup(kind);
    }
    let schemas = client.column("SELECT nspname FROM pg_namespace WHERE nspname = 'seguridad'");
    assert_eq!(schemas, [""; 0]);
    let rows = "SELECT count(*) FROM seguridad.backup_manifest WHERE estado = 'COMPLETADO'";
    assert_eq!(cluster.psql("catalog", rows), "3");
    journey.check();
}

#[test]
fn a_role_that_may_only_read_backs_up_everything() {
    let cluster = Cluster::start();
    let mut client = live(&cluster);
    cluster.new_database("catalog");
    client.exec("CREATE ROLE reader LOGIN BYPASSRLS");
    if cluster.major() >= 14 {
        client.exec("GRANT pg_read_all_data TO reader");
    } else {
        grant_tables(&mut client);
    }
    grant_large_objects(&mut client);
    let driver = with_catalog(&cluster, &cluster.url_as("reader", "live"));
    let mut journey = Journey::with(&cluster, "live", driver);
    journey.backup("full");
    client.exec("TRUNCATE every.empty; UPDATE every.invoice SET note = 'x' WHERE number < 5");
    let second = journey.backup("inc");
    // The texts of names_of_things depend on other objects: it is always dumped.
    assert_eq!(second.dumped(), ["every.invoice", "every.names_of_things"]);
    assert_eq!(
        client.one("SELECT count(*) FROM pg_namespace WHERE nspname = 'seguridad'"),
        "0"
    );

    // Somebody else restores: a reader may not make databases.
    let repository = journey.respaldo().folder().join("backups_incrementales");
    let restorer = with_catalog(&cluster, &cluster.url("live"))
        .env("RESPALDO_REPOSITORY__DIR", repository.to_str().unwrap());
    let reader = std::mem::replace(&mut journey, Journey::with(&cluster, "live", restorer));
    for point in reader.points() {
        assert_eq!(journey.differences(point), [""; 0], "{}", point.archive());
    }
}

/// What pg_read_all_data gives, where there is no such role yet.
fn grant_tables(client: &mut Client) {
    for schema in ["every", "public", "ext", "\"Weird \"\"Schema\"\" ñ$1 %\""] {
        client.exec(&format!(
            "GRANT USAGE ON SCHEMA {schema} TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader;
             GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO reader"
        ));
    }
    client.exec("GRANT SELECT ON pg_largeobject TO reader");
}

/// Not even pg_read_all_data may read these.
fn grant_large_objects(client: &mut Client) {
    client.exec(
        "DO $$ DECLARE l oid; BEGIN FOR l IN SELECT oid FROM pg_largeobject_metadata LOOP
            EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO reader', l); END LOOP; END $$",
    );
}

#[test]
fn a_catalog_that_was_dropped_is_rebuilt_from_the_manifests() {
    let cluster = Cluster::start();
    let mut client = live(&cluster);
    let mut journey = Journey::new(&cluster, "live");
    let mut mutator = Mutator::new(&cluster.url("live"), 42);
    for kind in ["full", "inc", "inc"] {
        mutator.steps(5);
        journey.backup(kind);
    }
    let listed = |journey: &Journey<'_>| {
        let list = journey.respaldo().ok(&["list", "--json"]).json();
        let entries = list.as_array().unwrap().clone();
        let of = |key: &str, entry: &serde_json::Value| entry[key].to_string();
        let line = |e| ["nombre", "tipo", "checksum", "tamano", "estado"].map(|key| of(key, e));
        entries.iter().map(line).collect::<Vec<_>>()
    };
    let before = listed(&journey);
    assert_eq!(before.len(), 3);

    client.exec("DROP SCHEMA seguridad CASCADE");
    journey.respaldo().ok(&["catalog", "rebuild"]);
    assert_eq!(listed(&journey), before);

    // Without being told, the next backup does the same, and it builds on what was there.
    client.exec("DROP SCHEMA seguridad CASCADE");
    mutator.steps(3);
    let next = journey.backup("inc");
    assert_eq!(next.kind(), "INCREMENTAL");
    assert_eq!(listed(&journey)[1..], before);

    for mut point in journey.points().to_vec() {
        point.id = point.archive().to_owned();
        let found = journey.differences(&point);
        let in_catalog = |line: &String| line.contains("seguridad");
        let found: Vec<_> = found.into_iter().filter(|line| !in_catalog(line)).collect();
        assert!(found.is_empty(), "{}: {found:#?}", point.archive());
    }
}

#[test]
fn a_catalog_that_does_not_answer_is_told_as_what_it_is_where_a_number_is_looked_up() {
    let cluster = Cluster::start();
    let url = cluster.owned_database("live", "dueno");
    let driver = Respaldo::for_url(&cluster, &url);
    // Tools of some versions are older than their server, which is told.
    let full = driver.run(&["backup", "full", "--json"]).json();
    assert_eq!(full["exitoso"], true, "{full:#}");
    let (id, name) = (full["id"].to_string(), full["nombre"].as_str().unwrap());
    let driver = driver.config("[catalog]\nurl = \"postgresql://nobody@127.0.0.1:1/none\"\n");
    for args in [
        &["show", &id, "--json"][..],
        &["preview", "--id", &id, "--json"],
        &["diff", &id, &id, "--json"],
        &["validate", &id, "--json"],
        &["export", "--id", &id, "-o", "copy.backup", "--json"],
    ] {
        driver.run(args).expect_error(12, "catalog-unreachable");
    }
    // A name needs no catalog.
    driver.ok(&["show", name, "--json"]);
}

#[test]
fn a_repository_that_is_not_there_leaves_what_the_catalog_knows() {
    let cluster = Cluster::start();
    drop(live(&cluster));
    let driver = Respaldo::for_url(&cluster, &cluster.url_as("dueno", "live"));
    let listed = driver.ok(&["list", "--json"]);
    assert_eq!(listed.json(), serde_json::json!([]), "{listed:#?}");
    // Tools older than the server are warned of.
    let made = driver.run(&["backup", "full", "--json"]);
    assert!(made.is_done(), "{made:#?}");
    let repository = driver.folder().join("backups_incrementales");
    std::fs::rename(&repository, driver.folder().join("unplugged")).unwrap();
    let listed = driver.ok(&["list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed:#}");
}
