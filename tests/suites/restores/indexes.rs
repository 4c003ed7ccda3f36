//! Indexes and constraints, which our own sessions make: of partitions, of expressions, and while
//! somebody stops the run.

use std::time::{Duration, Instant};

use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Scene, assert_equal};

/// Three levels, with indexes, keys and a foreign key of each kind on all of them.
const LEVELS: &str = "
    CREATE SCHEMA levels;
    CREATE TABLE levels.referred (id int PRIMARY KEY);
    INSERT INTO levels.referred SELECT generate_series(0, 99);
    CREATE TABLE levels.top (id int, day int, note text, other int REFERENCES levels.referred,
        PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE levels.mid PARTITION OF levels.top FOR VALUES FROM (0) TO (50) PARTITION BY LIST (id);
    CREATE TABLE levels.low PARTITION OF levels.mid FOR VALUES IN (1, 2, 3);
    CREATE TABLE levels.rest PARTITION OF levels.mid DEFAULT;
    CREATE TABLE levels.late PARTITION OF levels.top DEFAULT;
    CREATE INDEX by_note ON levels.top (note);
    CREATE INDEX by_expression ON levels.top (lower(note)) WHERE day > 1;
    CREATE INDEX by_day ON levels.top (day) INCLUDE (note);
    CREATE UNIQUE INDEX by_all ON levels.top (id, day, note);
    INSERT INTO levels.top SELECT g % 10, g, 'n' || g, g FROM generate_series(0, 99) g;
    CREATE TABLE levels.refers (id int, day int, FOREIGN KEY (id, day) REFERENCES levels.top);
    INSERT INTO levels.refers SELECT id, day FROM levels.top";

/// Restores an archive into a new database.
fn into_copy(archive: &str) -> [&str; 6] {
    [
        "restore",
        "--id",
        archive,
        "--target-db",
        "copy",
        "--create",
    ]
}

#[test]
fn indexes_of_several_levels_are_valid_after_each_of_many_restores() {
    let scene = Scene::open();
    scene.client().exec(LEVELS);
    let archive = scene.backup_name("full");
    let live = scene.image();
    for round in 0..10 {
        let jobs = ["8", "1", "2"][round % 3];
        let args = [&into_copy(&archive)[..], &["--jobs", jobs]].concat();
        let outcome = scene.respaldo.run(&args);
        assert!(outcome.is_done(), "{outcome:#?}");
        assert_equal(&live, &scene.image_of("copy"));
        let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
        assert_eq!(scene.cluster.psql("copy", invalid), "0", "round {round}");
        scene.cluster.drop_database("copy");
    }
}

/// An index on an expression that, though it says otherwise, reads another table: it is right only
/// if it is built when that table has its rows. The tables' sizes would have it built before.
const DISHONEST: &str = "
    CREATE SCHEMA dishonest;
    CREATE TABLE dishonest.rate (id int PRIMARY KEY, rate int);
    INSERT INTO dishonest.rate SELECT g, g * 7 FROM generate_series(0, 9) g;
    CREATE FUNCTION dishonest.rate_of(i int) RETURNS int LANGUAGE sql IMMUTABLE
        AS 'SELECT coalesce((SELECT rate FROM dishonest.rate WHERE id = i), -1)';
    CREATE TABLE dishonest.big (a int, filler text);
    INSERT INTO dishonest.big SELECT g % 10, md5(g::text) FROM generate_series(1, 20000) g;
    CREATE INDEX ON dishonest.big (dishonest.rate_of(a));";

#[test]
fn an_index_whose_expression_reads_another_table_is_built_when_that_has_its_rows() {
    let scene = Scene::open();
    scene.client().exec(DISHONEST);
    let archive = scene.backup_name("full");
    assert!(scene.respaldo.run(&into_copy(&archive)).is_done());
    let found = "SET enable_seqscan = off;
        SELECT count(*) FROM dishonest.big WHERE dishonest.rate_of(a) = 21";
    assert_eq!(scene.cluster.psql("copy", found), "2000");
}

/// Its index takes minutes to build.
const SLOW: &str = "
    CREATE SCHEMA slow;
    CREATE FUNCTION slow.slow(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN
            IF current_database() LIKE 'copy%' THEN PERFORM pg_sleep(1); END IF;
            RETURN i;
        END $$;
    CREATE TABLE slow.t (a int);
    INSERT INTO slow.t SELECT generate_series(1, 300);
    CREATE INDEX slow_index ON slow.t (slow.slow(a));";

#[test]
fn an_operator_who_stops_a_restore_does_not_wait_for_an_index() {
    let scene = Scene::open();
    scene.client().exec(SLOW);
    let archive = scene.backup_name("full");
    let running = scene
        .respaldo
        .spawn(&[&into_copy(&archive)[..], &["--json"]].concat());
    let building =
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%CREATE INDEX slow_index%'
        AND datname LIKE 'copy%'";
    let is_building = || scene.cluster.psql("postgres", building) == "1";
    assert!(wait_until(Duration::from_mins(1), is_building));
    let stopped = Instant::now();
    running.signal("INT");
    running
        .wait(Duration::from_mins(1))
        .expect_error(130, "interrupted");
    assert!(
        stopped.elapsed() < Duration::from_secs(30),
        "{:?}",
        stopped.elapsed()
    );
    let left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'copy%'";
    assert_eq!(scene.cluster.psql("postgres", left), "0");
}
