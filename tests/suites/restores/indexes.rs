//! Indexes of partitions of partitions.

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

#[test]
fn indexes_of_several_levels_are_valid_after_each_of_many_restores() {
    let scene = Scene::open();
    scene.client().exec(LEVELS);
    let archive = scene.backup_name("full");
    let live = scene.image();
    for round in 0..10 {
        let jobs = ["8", "1", "2"][round % 3];
        let args = ["restore", "--id", &archive, "--target-db", "copy"];
        let args = [&args[..], &["--create", "--jobs", jobs]].concat();
        let outcome = scene.respaldo.run(&args);
        assert!(outcome.is_done(), "{outcome:#?}");
        assert_equal(&live, &scene.image_of("copy"));
        let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
        assert_eq!(scene.cluster.psql("copy", invalid), "0", "round {round}");
        scene.cluster.drop_database("copy");
    }
}
