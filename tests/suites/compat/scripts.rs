//! What the existing system's whole-database restores lose, ours keeps (defects 49 and 51).

use std::fs;

use respaldo_tests::Cluster;
use respaldo_tests::app_fixture::AppService;

use crate::scene::{OWNER, Scene, in_place};

/// Defect 49.
#[test]
fn a_restore_in_place_rolls_back_data_and_not_the_catalog() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    let url = cluster.url_as(OWNER, &scene.db);
    let mut app = AppService::new(&cluster, &url, scene.respaldo.folder());
    let foreign = app.full_backup(chrono::Utc::now().naive_utc());
    drop(app);
    let full = scene.keep("full");
    scene.sql("UPDATE app.documento SET estado = 'ANULADO'");
    let inc = scene.keep("inc");
    scene.sql("DELETE FROM app.pago");
    let newest = scene.keep("inc");
    let entries = "SELECT string_agg(id || archivo_nombre || estado || coalesce(backup_base_id, 0), ',' ORDER BY id)
        FROM seguridad.backup_manifest";
    let before = scene.sql(entries);
    scene.restore_in_place(&full);
    assert_eq!(scene.sql(entries), before, "newer files are no orphans");
    let listed = scene.respaldo.ok(&["list", "--json"]).json();
    let ids: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].to_string())
        .collect();
    for id in [
        &foreign.to_string(),
        &full.made.id,
        &inc.made.id,
        &newest.made.id,
    ] {
        assert!(ids.contains(id), "{id} of {ids:?}");
    }
    // Forward again, to a point that was made after the one in place.
    let rows = "SELECT count(*), count(DISTINCT id) FROM app.documento WHERE estado = 'ANULADO'";
    scene.restore_in_place(&inc);
    assert_eq!(scene.sql(rows), "20|20", "no row is there twice");
    scene.restore_in_place(&newest);
    assert_eq!(scene.sql("SELECT count(*) FROM app.pago"), "0");
    assert_eq!(scene.sql(entries), before);
}

/// Defect 51.
#[test]
fn the_file_is_looked_at_before_the_database_is_given_up() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    scene.backup("full");
    scene.sql("INSERT INTO t VALUES (2)");
    let inc = scene.keep("inc");
    let good = fs::read(inc.made.archive()).unwrap();
    fs::write(inc.made.archive(), "junk").unwrap();
    scene.refuses_in_place(&inc.made, 14, "object-corrupt");
    let mut drop_old = in_place(&inc.made).to_vec();
    drop_old.push("--drop-old");
    scene.refused(14, "object-corrupt", &drop_old);
    assert_eq!(scene.sql("SELECT count(*) FROM t"), "2");

    fs::write(inc.made.archive(), good).unwrap();
    scene.sql("DELETE FROM t");
    scene.respaldo.ok(&drop_old);
    respaldo_tests::assert_equal(&inc.image, &scene.image());
    assert_eq!(
        scene.sql("SELECT count(*) FROM t"),
        "2",
        "the whole chain, not only its full"
    );
    assert_eq!(
        scene.databases(),
        ["tienda", "postgres"],
        "the old one was to go"
    );
    let listed = scene.respaldo.ok(&["list", "--json"]).json();
    assert_eq!(
        listed.as_array().unwrap().len(),
        2,
        "the catalog is not empty after"
    );
}
