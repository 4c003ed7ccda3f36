//! Nothing that changed is missed (defects 5 to 15).

use respaldo_tests::Cluster;

use crate::scene::Scene;

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL);
    CREATE TABLE quiet (id int PRIMARY KEY);
    INSERT INTO t SELECT g, 'old ' || g FROM generate_series(1, 3) g;
    INSERT INTO quiet VALUES (1);";

const ROWS: &str = "SELECT string_agg(v, ',' ORDER BY id) FROM t";

/// Defect 5.
#[test]
fn a_truncated_table_is_seen() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql(TABLE);
    let full = scene.keep("full");
    scene.sql("TRUNCATE t");
    let inc = scene.keep("inc");
    assert_eq!(inc.made.dumped(), ["public.t"]);
    assert_eq!(scene.restored(&inc, "SELECT count(*) FROM t"), "0");
    assert_eq!(scene.restored(&full, "SELECT count(*) FROM t"), "3");
}

/// Defect 6.
#[test]
fn a_commit_right_before_the_backup_is_in_it() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql(TABLE);
    let mut session = scene.session();
    session.exec("SELECT count(*) FROM t");
    scene.backup("full");
    for n in 4..7 {
        session.exec(&format!("INSERT INTO t VALUES ({n}, 'late {n}')"));
        let inc = scene.keep("inc");
        assert!(
            inc.made.dumped().contains(&"public.t"),
            "row {n} was reported late"
        );
        assert_eq!(scene.restored(&inc, "SELECT max(id) FROM t"), n.to_string());
    }
    assert_eq!(
        session.one("SELECT count(*) FROM t"),
        "6",
        "the session stayed open"
    );
}

/// Defect 7.
#[test]
fn a_crash_of_the_server_hides_no_change() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    scene.backup("full");
    scene.sql(
        "INSERT INTO app.documento (id_tipo_documento, id_entidad, numero)
        SELECT 1, min(id), 'A-9001' FROM app.entidad_comercial",
    );
    cluster.crash();
    let inc = scene.keep("inc");
    assert!(inc.made.dumped().contains(&"app.documento"));
    let found = scene.restored(
        &inc,
        "SELECT count(*) FROM app.documento WHERE numero = 'A-9001'",
    );
    assert_eq!(found, "1");

    scene.sql("UPDATE app.documento SET estado = 'PAGADO' WHERE numero = 'A-9001'");
    cluster.restart();
    let inc = scene.keep("inc");
    let found = scene.restored(
        &inc,
        "SELECT estado FROM app.documento WHERE numero = 'A-9001'",
    );
    assert_eq!(found, "PAGADO");
}

/// Defect 8.
#[test]
fn equal_counters_after_a_reset_hide_no_change() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql(TABLE);
    scene.backup("full");
    cluster.psql(&scene.db, "SELECT pg_stat_reset()");
    scene.sql("UPDATE t SET v = 'new'");
    let inc = scene.keep("inc");
    assert!(inc.made.dumped().contains(&"public.t"));
    assert_eq!(scene.restored(&inc, ROWS), "new,new,new");
}

/// Defect 9.
#[test]
fn without_counters_every_change_is_seen() {
    let cluster = Cluster::builder().conf("track_counts", "off").start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE ins AS SELECT g AS id FROM generate_series(1, 5) g;
        CREATE TABLE upd AS TABLE ins; CREATE TABLE del AS TABLE ins; CREATE TABLE tru AS TABLE ins;");
    scene.backup("full");
    for (change, table) in [
        ("INSERT INTO ins VALUES (6)", "public.ins"),
        ("UPDATE upd SET id = 60 WHERE id = 5", "public.upd"),
        ("DELETE FROM del WHERE id = 5", "public.del"),
        ("TRUNCATE tru", "public.tru"),
    ] {
        scene.sql(change);
        let inc = scene.keep("inc");
        assert!(inc.made.dumped().contains(&table), "{change}");
        scene.restored(&inc, "SELECT 1");
    }
}

/// Defect 10.
#[test]
fn a_swapped_or_rewritten_table_is_seen() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql(TABLE);
    scene.sql(
        "CREATE TABLE t_new (id int PRIMARY KEY, v text NOT NULL);
        INSERT INTO t_new SELECT g, 'swapped ' || g FROM generate_series(1, 3) g",
    );
    scene.backup("full");
    scene.sql("DROP TABLE t; ALTER TABLE t_new RENAME TO t");
    let swapped = scene.keep("inc");
    assert_eq!(
        scene.restored(&swapped, ROWS),
        "swapped 1,swapped 2,swapped 3"
    );

    scene.sql("ALTER TABLE t ALTER v TYPE text USING upper(v)");
    let rewritten = scene.keep("inc");
    assert_eq!(
        scene.restored(&rewritten, ROWS),
        "SWAPPED 1,SWAPPED 2,SWAPPED 3"
    );

    scene.sql("ALTER TABLE t ALTER id TYPE bigint USING id * 10");
    let retyped = scene.keep("inc");
    assert_eq!(scene.restored(&retyped, "SELECT sum(id) FROM t"), "60");
}

/// Defect 11.
#[test]
fn large_objects_come_back_whether_new_changed_or_unlinked() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE photo (name text PRIMARY KEY, image oid);
        INSERT INTO photo VALUES ('kept', lo_from_bytea(0, 'kept')), ('edited', lo_from_bytea(0, 'before'))");
    scene.backup("full");
    scene.sql("SELECT lo_put(image, 0, 'after!') FROM photo WHERE name = 'edited'");
    let edited = scene.keep("inc");
    scene.sql("INSERT INTO photo VALUES ('new', lo_from_bytea(0, 'new'))");
    let added = scene.keep("inc");
    scene.sql("SELECT lo_unlink(image) FROM photo WHERE name <> 'kept'; DELETE FROM photo WHERE name <> 'kept'");
    let unlinked = scene.keep("inc");

    let contents =
        "SELECT string_agg(encode(lo_get(image), 'escape'), ',' ORDER BY name) FROM photo";
    assert_eq!(scene.restored(&edited, contents), "after!,kept");
    assert_eq!(scene.restored(&added, contents), "after!,kept,new");
    let objects = "SELECT count(*) FROM pg_largeobject_metadata";
    assert_eq!(scene.restored(&unlinked, objects), "1");
}

/// Defect 12.
#[test]
fn a_sequence_of_its_own_never_issues_a_number_twice() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE SEQUENCE invoice; SELECT nextval('invoice')");
    scene.backup("full");
    assert_eq!(scene.sql("SELECT nextval('invoice')"), "2");
    let inc = scene.keep("inc");
    assert_eq!(scene.restored(&inc, "SELECT nextval('invoice')"), "3");
    assert_eq!(scene.sql("SELECT nextval('invoice')"), "3");
    let dif = scene.keep("dif");
    assert_eq!(scene.restored(&dif, "SELECT nextval('invoice')"), "4");
}

/// Defect 13.
#[test]
fn numbers_of_deleted_rows_are_not_issued_again() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql(
        "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int);
        INSERT INTO t (v) SELECT g FROM generate_series(1, 6) g",
    );
    scene.backup("full");
    scene.sql("DELETE FROM t WHERE id > 4");
    let inc = scene.keep("inc");
    assert_eq!(
        scene.restored(&inc, "INSERT INTO t (v) VALUES (0) RETURNING id"),
        "7"
    );
}

/// Defect 14.
#[test]
fn users_and_settings_of_the_application_are_data_like_any_other() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    scene.backup("full");
    scene.sql("INSERT INTO seguridad.usuario (nombre, contrasena_hash, id_rol) VALUES ('ana', 'x', 1);
        INSERT INTO seguridad.config_sistema VALUES ('slogan_nuevo', 'hola', 'TEXT');
        INSERT INTO app.documento (id_tipo_documento, id_entidad, id_usuario, numero)
            SELECT 1, min(e.id), max(u.id), 'A-9002' FROM app.entidad_comercial e, seguridad.usuario u");
    let inc = scene.keep("inc");
    let author = "SELECT u.nombre || ' ' || c.valor FROM app.documento d
        JOIN seguridad.usuario u ON u.id = d.id_usuario, seguridad.config_sistema c
        WHERE d.numero = 'A-9002' AND c.clave = 'slogan_nuevo'";
    assert_eq!(scene.restored(&inc, author), "ana hola");
    let own = ["seguridad.backup_manifest", "seguridad.backup_event"];
    let dumped = inc.made.dumped();
    assert!(
        own.iter().all(|table| !dumped.contains(table)),
        "{dumped:?}"
    );
}

/// Defect 15.
#[test]
fn what_commits_after_a_backup_is_in_the_next() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql(TABLE);
    scene.backup("full");
    let mut session = scene.session();
    session.exec("BEGIN; INSERT INTO t VALUES (4, 'open')");
    let before = scene.keep("inc");
    session.exec("COMMIT");
    let after = scene.keep("inc");
    assert_eq!(scene.restored(&before, "SELECT count(*) FROM t"), "3");
    assert_eq!(scene.restored(&after, "SELECT count(*) FROM t"), "4");
}
