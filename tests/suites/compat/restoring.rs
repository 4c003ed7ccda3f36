//! A restore is exactly the restore point, in the database that was asked for (defects 22 to 29).

use std::fs;

use respaldo_tests::app_fixture::AppService;
use respaldo_tests::{Cluster, Snapshot, assert_equal};

use crate::scene::{OWNER, Scene};

/// Defect 22.
#[test]
fn a_restore_never_empties_tables_that_did_not_change() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    scene.backup("full");
    let below =
        "SELECT (SELECT count(*) FROM app.documento_detalle), (SELECT count(*) FROM app.pago),
        (SELECT count(*) FROM app.remito_detalle), (SELECT count(*) FROM app.articulo_precio)";
    let counts = scene.sql(below);
    assert!(!counts.split('|').any(|count| count == "0"), "{counts}");
    let mut points = Vec::new();
    for (change, table) in [
        (
            "UPDATE app.documento SET estado = 'ANULADO' WHERE numero = 'A-1'",
            "app.documento",
        ),
        (
            "INSERT INTO ref.provincia (nombre) VALUES ('Jujuy')",
            "ref.provincia",
        ),
        (
            "UPDATE ref.lista_precio SET activa = false WHERE nombre = 'Lista 2'",
            "ref.lista_precio",
        ),
    ] {
        scene.sql(change);
        let inc = scene.keep("inc");
        assert_eq!(inc.made.dumped(), [table]);
        points.push(inc);
    }
    scene.sql("DELETE FROM app.pago; DELETE FROM app.remito_detalle");
    for point in &points {
        assert_eq!(scene.restored(point, below), counts);
    }
    scene.restore_in_place(&points[1]);
    assert_eq!(scene.sql(below), counts);
}

/// Defect 23.
#[test]
fn a_restore_to_another_database_never_touches_production() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'full')");
    let full = scene.keep("full");
    scene.sql("INSERT INTO t VALUES (2, 'dif')");
    let dif = scene.keep("dif");
    scene.sql("UPDATE t SET v = 'inc'");
    let inc = scene.keep("inc");
    scene.sql("INSERT INTO t VALUES (3, 'today')");
    let today = scene.image();
    for (point, rows) in [(&full, "1|full"), (&dif, "2|full"), (&inc, "2|inc")] {
        assert_eq!(
            scene.restored(point, "SELECT count(*), max(v) FROM t"),
            rows
        );
        assert_equal(&today, &scene.image());
    }
    // A database that holds something is not a target either, unless that is said.
    cluster.owned_database("ocupada", OWNER);
    cluster.psql_as(OWNER, "ocupada", "CREATE TABLE mine (id int)");
    let occupied = Snapshot::take(&cluster.url("ocupada"));
    let args = [
        "restore",
        "--json",
        "--id",
        &inc.made.id,
        "--target-db",
        "ocupada",
    ];
    scene.refused(2, "target-not-empty", &args);
    scene.refused(
        2,
        "target-not-empty",
        &["restore", "--json", "--id", &inc.made.id],
    );
    assert_equal(&occupied, &Snapshot::take(&cluster.url("ocupada")));
    assert_equal(&today, &scene.image());
}

/// Defect 25.
#[test]
fn a_healthy_restore_in_place_has_nothing_to_warn_of() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    let full = scene.keep("full");
    scene.sql("DELETE FROM app.pago");
    let restored = scene.restore_in_place(&full);
    assert_eq!(restored["exitoso"], true);
    assert_eq!(restored["avisos"], serde_json::json!([]));
    let verified = &restored["verificacion"];
    assert_eq!(verified["distintas"], serde_json::json!([]));
    assert_eq!(verified["tablas"], verified["iguales"]);
    assert_eq!(restored["base_destino"], "tienda");
}

/// Defect 27.
#[test]
fn an_incremental_older_than_the_differential_is_not_needed() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE t (id int); CREATE TABLE u (id int); INSERT INTO u VALUES (1)");
    scene.backup("full");
    scene.sql("INSERT INTO t VALUES (1)");
    let old = scene.backup("inc");
    let dif = scene.keep("dif");
    scene.sql("INSERT INTO t VALUES (2)");
    let inc = scene.keep("inc");
    fs::remove_file(old.archive()).unwrap();
    assert!(scene.is_valid(&dif.made) && scene.is_valid(&inc.made));
    assert_eq!(scene.restored(&inc, "SELECT count(*) FROM t"), "2");
    assert_eq!(scene.restored(&dif, "SELECT count(*) FROM t"), "1");
    let previewed = scene
        .respaldo
        .ok(&["preview", "--id", &inc.made.id, "--json"])
        .json();
    let chain = previewed["backups"].as_array().unwrap().iter();
    let ids: Vec<_> = chain.map(|backup| backup["id"].to_string()).collect();
    assert!(!ids.contains(&old.id), "{ids:?}");
}

/// Defect 28.
#[test]
fn deleting_a_link_is_refused_and_its_loss_is_seen() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)");
    scene.backup("full");
    scene.sql("INSERT INTO a VALUES (2)");
    let first = scene.backup("inc");
    scene.sql("INSERT INTO b VALUES (2)");
    let second = scene.keep("inc");

    let refused = scene.refused(2, "has-dependents", &["delete", &first.id, "--json"]);
    assert_eq!(refused["dependientes"][0]["id"].to_string(), second.made.id);
    assert!(scene.is_valid(&second.made));

    // The application's panel deletes the file and the row without asking.
    let url = cluster.url_as(OWNER, &scene.db);
    let mut panel = AppService::new(&cluster, &url, scene.respaldo.folder());
    panel.delete_row(first.id.parse().unwrap()).unwrap();
    assert!(!first.archive().exists());
    assert!(
        !scene.is_valid(&second.made),
        "rows of the lost link are missing"
    );
    scene.refuses_in_place(&second.made, 14, "object-missing");
    let again = scene.keep("inc");
    assert_eq!(
        again.made.json["motivo_full"], "base_danada",
        "what comes next does not build on it"
    );
    assert_eq!(scene.restored(&again, "SELECT count(*) FROM a"), "2");
}

/// Defect 28.
#[test]
fn a_chain_whose_full_is_gone_does_not_start_at_an_older_full() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE a (id int); CREATE TABLE b (id int); INSERT INTO a VALUES (1)");
    let older = scene.keep("full");
    scene.sql("INSERT INTO a VALUES (2)");
    let newer = scene.backup("full");
    scene.sql("INSERT INTO b VALUES (1)");
    let inc = scene.backup("inc");
    let refused = scene.refused(2, "has-dependents", &["delete", &newer.id, "--json"]);
    assert_eq!(refused["dependientes"][0]["id"].to_string(), inc.id);

    fs::remove_file(newer.archive()).unwrap();
    assert!(!scene.is_valid(&inc), "its full is gone");
    scene.refuses_in_place(&inc, 14, "object-missing");
    assert_eq!(scene.restored(&older, "SELECT count(*) FROM a"), "1");
}

/// Defect 29.
#[test]
fn an_abandoned_branch_never_comes_back() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'good'), (2, 'good'), (3, 'good')");
    let full = scene.keep("full");
    scene.sql("UPDATE t SET v = 'bad' WHERE id = 1");
    let bad = scene.keep("inc");
    scene.restore_in_place(&full);

    // As many changes as on the branch that was left: counters and row versions may coincide.
    scene.sql("UPDATE t SET v = 'new' WHERE id = 2");
    let next = scene.keep("dif");
    assert_eq!(next.made.kind(), "FULL", "the database is another one now");
    assert_eq!(next.made.json["motivo_full"], "otra_linea");
    let rows = "SELECT string_agg(v, ',' ORDER BY id) FROM t";
    assert_eq!(scene.restored(&next, rows), "good,new,good");
    scene.sql("UPDATE t SET v = 'newer' WHERE id = 3");
    let after = scene.keep("inc");
    assert_eq!(after.made.kind(), "INCREMENTAL");
    assert_eq!(scene.restored(&after, rows), "good,new,newer");
    assert_eq!(
        scene.restored(&bad, rows),
        "bad,good,good",
        "what was backed up stays so"
    );
}
