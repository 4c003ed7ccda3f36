//! Large objects along a chain.

use respaldo_tests::journey::is_done;
use respaldo_tests::{Client, Cluster, Journey, Respaldo, RestorePoint};

fn word(point: &RestorePoint, journey: &Journey<'_>) -> (String, u64) {
    let shown = journey.show(point);
    let all = &shown["objetos_grandes"];
    let lie_in = all["archivo"].as_str().unwrap_or_default().to_owned();
    (lie_in, all["cantidad"].as_u64().unwrap())
}

/// Every kind of change to a large object, each with a backup; then every point is restored.
fn journey_of(cluster: &Cluster, role: &str) {
    let db = format!("live of {role}");
    let url = cluster.owned_database(&db, role);
    let mut client = Client::connect(&url);
    client.exec(
        "CREATE TABLE t (id int, content oid);
         INSERT INTO t VALUES (1, lo_from_bytea(0, 'one')), (2, lo_from_bytea(0, '')),
            (3, lo_from_bytea(0, decode(repeat('00ff10', 2000), 'hex')))",
    );
    let mut journey = Journey::with(cluster, &db, Respaldo::for_url(cluster, &url));
    let full = journey.backup("full");
    let archive = |point: &RestorePoint| point.archive().to_owned();
    assert_eq!(word(&full, &journey), (archive(&full), 3));
    client.exec("INSERT INTO t VALUES (9, NULL)");
    let unchanged = journey.backup("inc");
    // Only who may read pg_largeobject can tell that nothing changed; others dump them again.
    let may_tell = role == "postgres";
    let lie_in = if may_tell { &full } else { &unchanged };
    assert_eq!(word(&unchanged, &journey), (archive(lie_in), 3));
    for point in [&full, &unchanged] {
        let evidence = &journey.show(point)["objetos_grandes"]["huella"];
        assert!(evidence.is_string(), "{evidence}");
    }
    for change in [
        "SELECT lo_put(content, 2, 'changed') FROM t WHERE id = 1",
        "SELECT lo_create(0)", // empty: it lives in the metadata alone
        "DO $$ DECLARE l oid := (SELECT content FROM t WHERE id = 2); BEGIN
            EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO lector', l); END $$",
        "SELECT lo_unlink(content) FROM t WHERE id = 3",
        "DO $$ DECLARE l oid := (SELECT content FROM t WHERE id = 1); BEGIN
            EXECUTE format('COMMENT ON LARGE OBJECT %s IS ''first''', l); END $$",
    ] {
        client.exec(change);
        let point = journey.backup("inc");
        let (lie_in, _) = word(&point, &journey);
        if !change.contains("COMMENT") {
            assert_eq!(lie_in, archive(&point), "{change}");
        }
    }
    let still = journey.backup("dif");
    client.exec("SELECT lo_unlink(oid) FROM pg_largeobject_metadata");
    let none = journey.backup("inc");
    assert_eq!(word(&none, &journey), (String::new(), 0));
    assert_eq!(word(&still, &journey).1, 3);
    journey.check();
}

#[test]
fn large_objects_changed_kept_and_removed_come_back_for_a_superuser() {
    journey_of(&Cluster::start(), "postgres");
}

#[test]
fn large_objects_changed_kept_and_removed_come_back_for_an_owner() {
    journey_of(&Cluster::start(), "dueno");
}

#[test]
fn a_large_object_made_after_the_snapshot_is_not_in_the_backup() {
    let cluster = Cluster::start();
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec("SELECT lo_from_bytea(4711, 'before')");
    let journey = Journey::new(&cluster, "live");
    let args = ["backup", "full", "--json"];
    let held = journey.respaldo().hold_at_step("backup.dump", &args);
    client.exec("SELECT lo_from_bytea(4712, 'after')");
    let outcome = held.release();
    assert!(is_done(&outcome), "{outcome:#?}");
    let made = outcome.json();
    journey.respaldo().ok(&[
        "restore",
        "--id",
        &made["id"].to_string(),
        "--target-db",
        "copy",
        "--create",
    ]);
    let found = cluster.psql("copy", "SELECT oid FROM pg_largeobject_metadata");
    assert_eq!(found, "4711");
}
