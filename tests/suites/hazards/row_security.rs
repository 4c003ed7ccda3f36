//! A role that would see fewer rows backs up none of them, and says so (case 60).

use respaldo_tests::{Client, Cluster, Respaldo};

/// What a backup as `role` says of the table `guarded`.
fn refuse(cluster: &Cluster, role: &str) {
    let catalog = format!("[catalog]\nurl = \"{}\"\n", cluster.url("postgres"));
    let driver = Respaldo::for_url(cluster, &cluster.url_as(role, "live")).config(&catalog);
    let refused = driver.run(&["backup", "full", "--json"]);
    refused.expect_code(12);
    let error = refused.json()["error"].clone();
    assert_eq!(error["codigo"], "coverage-incomplete");
    assert!(refused.stdout.contains("guarded"), "{}", refused.stdout);

    let partial = driver.run(&["backup", "full", "--allow-partial", "--json"]);
    partial.expect_code(3);
    let made = partial.json();
    let gaps = made["cobertura"]["faltantes"].as_array().unwrap();
    let gap = gaps.iter().find(|gap| gap["objeto"] == "public.guarded");
    assert_eq!(gap.unwrap()["causa"], "seguridad_de_filas", "{made:#}");
    let tables = made["tablas"].as_array().unwrap();
    let table = tables
        .iter()
        .find(|t| t["tabla"] == "public.guarded")
        .unwrap();
    assert_eq!(
        (&table["volcada"], &table["motivo"]),
        (&false.into(), &"ilegible".into())
    );
    assert!(
        table["filas"].is_null(),
        "some rows of it are in the backup: {table}"
    );
}

#[test]
fn row_security_is_a_gap_and_never_a_filter() {
    let cluster = Cluster::start();
    let mut client = Client::connect(&cluster.owned_database("live", "dueno"));
    client.exec(
        "CREATE TABLE guarded AS SELECT g AS id FROM generate_series(1, 9) g;
         CREATE TABLE open AS SELECT 1 AS id;
         CREATE POLICY few ON guarded USING (id < 3);
         ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
    );
    cluster.psql(
        "live",
        "CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA public TO reader;
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
    );
    refuse(&cluster, "reader");
    // Not even the owner sees all where it is forced.
    client.exec("ALTER TABLE guarded FORCE ROW LEVEL SECURITY");
    refuse(&cluster, "dueno");
}
