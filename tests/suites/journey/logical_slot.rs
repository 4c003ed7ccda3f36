//! A chain upon the decoded log, driven through the binary; and what `doctor` says of its slot.

use respaldo_tests::{Client, Cluster, Journey, Respaldo};

fn server() -> (Cluster, Client) {
    let cluster = Cluster::builder()
        .conf("wal_level", "logical")
        .conf("max_slot_wal_keep_size", "1GB")
        .start();
    let url = cluster.owned_database("live", "dueno");
    cluster.psql("postgres", "ALTER ROLE dueno REPLICATION");
    let mut client = Client::connect(&url);
    client.exec(
        "CREATE TABLE a AS SELECT g AS id, 'a' || g AS v FROM generate_series(1, 50) g;
         CREATE TABLE b AS SELECT g AS id, 'b' || g AS v FROM generate_series(1, 50) g",
    );
    (cluster, client)
}

fn driver(cluster: &Cluster, detector: &str) -> Respaldo {
    Respaldo::for_url(cluster, &cluster.url_as("dueno", "live"))
        .env("RESPALDO_DETECTOR__USE", detector)
}

#[test]
fn a_chain_upon_the_decoded_log_comes_back_at_every_point() {
    let (cluster, mut client) = server();
    let mut journey = Journey::with(&cluster, "live", driver(&cluster, "logical-slot"));
    journey.backup("full");
    client.exec("UPDATE b SET v = 'k' WHERE id = 1");
    let one = journey.backup("inc");
    assert_eq!(one.reason("public.a"), "sin_cambios_en_el_wal");
    assert_eq!(one.reason("public.b"), "xmin_distinto");
    client.exec("TRUNCATE a; INSERT INTO a VALUES (7, 'nueva')");
    let two = journey.backup("inc");
    assert_eq!(two.reason("public.a"), "xmin_distinto");
    assert_eq!(two.reason("public.b"), "sin_cambios_en_el_wal");
    let dif = journey.backup("dif");
    assert_eq!(dif.reason("public.a"), "xmin_distinto");
    client.exec("DELETE FROM b WHERE id = 3");
    let three = journey.backup("inc");
    assert_eq!(three.reason("public.a"), "sin_cambios_en_el_wal");
    assert_eq!(three.dumped(), ["public.b"]);
    journey.check();
}

#[test]
fn doctor_names_the_slot_its_limit_and_the_one_left_behind() {
    let (cluster, _client) = server();
    let respaldo = driver(&cluster, "logical-slot");
    let doctor = |respaldo: &Respaldo| respaldo.run(&["doctor", "--lang", "en"]).stdout;
    assert!(doctor(&respaldo).contains("there is no replication slot yet"));
    let journey = {
        let mut journey = Journey::with(&cluster, "live", respaldo);
        journey.backup("full");
        journey
    };
    let names = "SELECT slot_name FROM pg_replication_slots";
    let slot = cluster.psql("live", names);
    let said = doctor(journey.respaldo());
    assert!(
        said.contains(&format!("slot {slot} (not being read, reserved)")),
        "{said}"
    );
    assert!(said.contains("max_slot_wal_keep_size"), "{said}");
    cluster.psql("live", "ALTER SYSTEM SET max_slot_wal_keep_size = -1");
    cluster.restart();
    let said = doctor(journey.respaldo());
    let statement = "ALTER SYSTEM SET max_slot_wal_keep_size = '8192MB'";
    assert!(said.contains(statement), "{said}");
    // Configured away, the slot stays where nobody reads it.
    let said = doctor(&driver(&cluster, "xmin"));
    let statement = format!("SELECT pg_drop_replication_slot('{slot}')");
    assert!(said.contains(&statement), "{said}");
}
