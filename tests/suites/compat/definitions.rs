//! Definitions changed after the full are part of every later backup (defects 16 to 21).

use respaldo_tests::Cluster;

use crate::scene::Scene;

/// Defect 16.
#[test]
fn a_table_made_after_the_full_is_restored_with_its_rows() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE t (id int)");
    scene.backup("full");
    scene.sql("CREATE TABLE later (id int PRIMARY KEY, v text DEFAULT 'x'); INSERT INTO later VALUES (1), (2)");
    let inc = scene.keep("inc");
    scene.sql("DROP TABLE later");
    assert_eq!(scene.restored(&inc, "SELECT count(*) FROM later"), "2");
    scene.restore_in_place(&inc);
}

/// Defect 17.
#[test]
fn a_column_added_after_the_full_keeps_every_row() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql(
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2), (3);
        CREATE TABLE untouched (id int); INSERT INTO untouched VALUES (1)",
    );
    scene.backup("full");
    scene.sql(
        "ALTER TABLE t ADD note text DEFAULT 'd'; INSERT INTO t VALUES (4, 'n');
        ALTER TABLE untouched ADD extra int DEFAULT 7",
    );
    let inc = scene.keep("inc");
    let rows =
        "SELECT string_agg(note, ',' ORDER BY id) || (SELECT sum(extra) FROM untouched) FROM t";
    assert_eq!(scene.restored(&inc, rows), "d,d,d,n7");
    scene.sql("ALTER TABLE t DROP note");
    let inc = scene.keep("inc");
    assert_eq!(scene.restored(&inc, "SELECT count(*) FROM t"), "4");
}

/// Defect 18.
#[test]
fn definitions_alone_are_restored_though_no_row_changed() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE t (id int, v text); INSERT INTO t VALUES (1, 'a')");
    scene.backup("full");
    scene.sql(
        "CREATE VIEW names AS SELECT v FROM t; CREATE INDEX by_v ON t (lower(v));
        CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
        CREATE TYPE mood AS ENUM ('sad', 'ok'); COMMENT ON TABLE t IS 'things'",
    );
    let inc = scene.keep("inc");
    assert_eq!(
        inc.made.json["tablas_volcadas"],
        0,
        "{:?}",
        inc.made.dumped()
    );
    assert_eq!(inc.made.kind(), "INCREMENTAL");
    let all = "SELECT twice(2), (SELECT v FROM names), to_regclass('by_v'), 'ok'::mood, obj_description('t'::regclass)";
    assert_eq!(scene.restored(&inc, all), "4|a|by_v|ok|things");
}

/// Defect 19.
#[test]
fn a_dropped_table_stays_dropped() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql(
        "CREATE TABLE gone (id int); INSERT INTO gone VALUES (1); CREATE TABLE stays (id int)",
    );
    scene.backup("full");
    scene.sql("DROP TABLE gone");
    let inc = scene.keep("inc");
    assert_eq!(
        scene.restored(&inc, "SELECT to_regclass('gone') IS NULL"),
        "t"
    );
    scene.restore_in_place(&inc);
}

/// Defect 20.
#[test]
fn a_partition_made_after_the_full_keeps_its_rows_and_views_are_refreshed() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE sale (day int) PARTITION BY RANGE (day);
        CREATE TABLE sale_1 PARTITION OF sale FOR VALUES FROM (0) TO (10); INSERT INTO sale VALUES (1);
        CREATE MATERIALIZED VIEW total AS SELECT count(*) AS n FROM sale");
    scene.backup("full");
    scene.sql("CREATE TABLE sale_2 PARTITION OF sale FOR VALUES FROM (10) TO (20); INSERT INTO sale VALUES (11);
        REFRESH MATERIALIZED VIEW total");
    let inc = scene.keep("inc");
    let counts = "SELECT (SELECT count(*) FROM sale), (SELECT count(*) FROM sale_2), n FROM total";
    assert_eq!(scene.restored(&inc, counts), "2|1|2");
}

/// Defect 21.
#[test]
fn objects_made_after_the_full_do_not_block_its_restore() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql(
        "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE bare (v text);
        INSERT INTO t VALUES (1, 'old'); INSERT INTO bare VALUES ('old')",
    );
    let full = scene.keep("full");
    scene.sql("CREATE VIEW over_t AS SELECT * FROM t; CREATE VIEW over_bare AS SELECT * FROM bare;
        CREATE TABLE child (t int REFERENCES t); CREATE TABLE newer (id int);
        INSERT INTO t VALUES (2, 'today'); INSERT INTO bare VALUES ('today'); INSERT INTO child VALUES (2)");
    let before = scene.image();
    let restored = scene.restore_in_place(&full);
    assert_eq!(scene.sql("SELECT count(*), max(v) FROM t"), "1|old");
    assert_eq!(scene.sql("SELECT to_regclass('newer') IS NULL"), "t");

    let kept = restored["anterior"].as_str().unwrap();
    assert!(kept.starts_with("tienda_before_restore_"), "{kept}");
    let old = respaldo_tests::Snapshot::take(&cluster.url(kept));
    respaldo_tests::assert_equal(&before, &old);
}
