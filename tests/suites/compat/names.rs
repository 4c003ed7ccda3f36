//! Any name that PostgreSQL takes (defects 35 to 38).

use respaldo_tests::Cluster;

use crate::scene::Scene;

/// Changes each of the tables alone, then all of them: each backup holds exactly those.
fn each_alone_and_all_together(cluster: &Cluster, tables: &[&str]) {
    let scene = Scene::open(cluster);
    for table in tables {
        scene.sql(&format!(
            "CREATE TABLE {table} (id int); INSERT INTO {table} VALUES (1)"
        ));
    }
    scene.backup("full");
    for table in tables {
        scene.sql(&format!(
            "UPDATE {table} SET id = id + 1; INSERT INTO {table} VALUES (1)"
        ));
        let inc = scene.keep("inc");
        assert_eq!(inc.made.dumped(), [*table], "{table} alone changed");
        let sum = scene.restored(&inc, &format!("SELECT count(*), sum(id) FROM {table}"));
        assert_eq!(sum, "2|3", "{table}");
    }
    for table in tables {
        scene.sql(&format!("DELETE FROM {table}"));
    }
    let dif = scene.keep("dif");
    let mut all = tables.to_vec();
    all.sort_unstable();
    assert_eq!(dif.made.dumped(), all);
    scene.restored(&dif, "SELECT 1");
    scene.restore_in_place(&dif);
}

/// Defect 35.
#[test]
fn upper_case_tables_and_their_twins_are_told_apart() {
    let cluster = Cluster::start();
    each_alone_and_all_together(
        &cluster,
        &["public.\"Cli\"", "public.cli", "public.\"CLI\""],
    );
}

/// Defect 36.
#[test]
fn tables_with_spaces_are_restored_once_with_or_without_a_key() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql(r#"CREATE TABLE "con clave" (id int PRIMARY KEY, v text); CREATE TABLE " sin clave " (v text);
        INSERT INTO "con clave" VALUES (1, 'old'); INSERT INTO " sin clave " VALUES ('old')"#);
    scene.backup("full");
    scene.sql(r#"UPDATE "con clave" SET v = 'new'; UPDATE " sin clave " SET v = 'new'"#);
    let inc = scene.keep("inc");
    let rows = r#"SELECT count(*), min(k.v), min(s.v) FROM "con clave" k, " sin clave " s"#;
    assert_eq!(scene.restored(&inc, rows), "1|new|new");
}

/// Defect 37.
#[test]
fn dots_stars_and_quotes_are_only_characters() {
    let cluster = Cluster::start();
    let scene = Scene::named(&cluster, "base.con*todo");
    scene.sql(r#"CREATE SCHEMA "a.b"; CREATE SCHEMA a; CREATE TABLE a."b.c" (id int); CREATE TABLE "a.b".c (id int)"#);
    let copy = scene.keep("full");
    scene.proof(&copy);
    each_alone_and_all_together(
        &cluster,
        &[
            "public.\"punto.to\"",
            "public.\"estre*lla\"",
            "public.\"estre?lla\"",
            "public.estrella",
            "public.\"com\"\"illa\"",
        ],
    );
}

/// Defect 38.
#[test]
fn temporary_tables_of_other_sessions_are_nobodys_business() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE t (id int)");
    scene.backup("full");
    let mut other = scene.session();
    other.exec("CREATE TEMP TABLE scratch AS SELECT 1 AS id; INSERT INTO scratch VALUES (2); INSERT INTO t VALUES (1)");
    let inc = scene.backup("inc");
    assert_eq!(inc.dumped(), ["public.t"]);
    assert!(!inc.json.to_string().contains("scratch"));
    assert_eq!(other.one("SELECT count(*) FROM scratch"), "2");
    drop(other);
    let kept = scene.keep("inc");
    assert_eq!(scene.restored(&kept, "SELECT count(*) FROM t"), "1");
}
