//! What changes a table and what does not, for every detector (scenarios 1-24 and 62-69 of
//! tests/README.md). All scenarios happen between two backups of one database, each in a schema of
//! its own.

use std::time::Duration;

use respaldo_detectors::DetectorOptions;
use respaldo_domain::changes::{Reason, Verdict};
use respaldo_tests::Cluster;

use crate::bench::{Backup, Bench, counters_only, decoding, let_decode, let_see_everything};

/// What must become of a table named in a scenario.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Must {
    /// Dumped: its rows or their text changed, or nothing can prove otherwise.
    Dump,
    /// Kept by every detector.
    Keep,
    /// Kept by those that compare content; the others cannot know better than to dump.
    KeepByContent,
}
use Must::{Dump, Keep, KeepByContent};

struct Scenario {
    name: &'static str,
    /// Statements before the base, in the scenario's schema.
    setup: &'static str,
    /// Statements between the two backups, each on its own; as superuser.
    act: &'static [&'static str],
    tables: &'static [(&'static str, Must)],
}

const T: &str = "CREATE TABLE t (id int PRIMARY KEY, v text, n int);
                 INSERT INTO t SELECT i, 'v' || i, i FROM generate_series(1, 50) i;";
const U: &str = "CREATE TABLE u (id int PRIMARY KEY, v text, n int);
                 INSERT INTO u SELECT i, 'w' || i, i FROM generate_series(1, 50) i;";
const PARTS: &str = "CREATE TABLE p (k int, v text) PARTITION BY LIST (k);
                     CREATE TABLE a PARTITION OF p FOR VALUES IN (1);
                     CREATE TABLE b PARTITION OF p FOR VALUES IN (2);
                     INSERT INTO p VALUES (1, 'x'), (2, 'y');";

/// A scenario around the table `t`.
const fn on_t(name: &'static str, act: &'static [&'static str], must: Must) -> Scenario {
    let tables: &[_] = match must {
        Dump => &[("t", Dump)],
        Keep => &[("t", Keep)],
        KeepByContent => &[("t", KeepByContent)],
    };
    Scenario {
        name,
        setup: T,
        act,
        tables,
    }
}

const SCENARIOS: &[Scenario] = &[
    on_t("nothing", &[], Keep),
    on_t("insert", &["INSERT INTO t VALUES (1000)"], Dump),
    on_t("update", &["UPDATE t SET v = 'zz' WHERE id = 1"], Dump),
    on_t("delete", &["DELETE FROM t WHERE id = 1"], Dump),
    on_t("truncate", &["TRUNCATE t"], Dump),
    on_t("truncate and fill again", &["BEGIN; TRUNCATE t; INSERT INTO t SELECT i, 'x', i FROM generate_series(1, 50) i; COMMIT"], Dump),
    on_t("insert then truncate", &["BEGIN; INSERT INTO t VALUES (1000); TRUNCATE t; COMMIT"], Dump),
    on_t("copy freeze", &["BEGIN; TRUNCATE t; COPY t FROM PROGRAM 'printf \"7\\ta\\t1\\n\"' WITH (FREEZE); COMMIT"], Dump),
    Scenario { name: "truncate a root", setup: PARTS, act: &["TRUNCATE p"], tables: &[("a", Dump), ("b", Dump)] },
    on_t("drop and create", &["DROP TABLE t", "CREATE TABLE t (id int PRIMARY KEY, v text, n int); INSERT INTO t SELECT i, 'x', i FROM generate_series(1, 50) i"], Dump),
    on_t("add a column", &["ALTER TABLE t ADD COLUMN c int"], Dump),
    on_t("add a constant column", &["ALTER TABLE t ADD COLUMN c int DEFAULT 5"], Dump),
    on_t("add a volatile column", &["ALTER TABLE t ADD COLUMN c timestamptz DEFAULT clock_timestamp()"], Dump),
    Scenario {
        name: "add a column to a parent",
        setup: "CREATE TABLE t (a int); CREATE TABLE c () INHERITS (t); INSERT INTO c VALUES (1);",
        act: &["ALTER TABLE t ADD COLUMN b int DEFAULT 1"],
        tables: &[("t", Dump), ("c", Dump)],
    },
    Scenario {
        name: "drop a column and add it with another default",
        setup: "CREATE TABLE t (a int, b int DEFAULT 1); INSERT INTO t (a) VALUES (1);",
        act: &["ALTER TABLE t DROP COLUMN b", "ALTER TABLE t ADD COLUMN b int DEFAULT 2"],
        tables: &[("t", Dump)],
    },
    on_t("drop a column", &["ALTER TABLE t DROP COLUMN n"], Dump),
    on_t("rename a column", &["ALTER TABLE t RENAME n TO m"], Dump),
    on_t("to bigint", &["ALTER TABLE t ALTER n TYPE bigint"], Dump),
    on_t("to text", &["ALTER TABLE t ALTER n TYPE text USING 'n' || n"], Dump),
    on_t("to oid", &["UPDATE t SET n = -n", "ALTER TABLE t ALTER n TYPE oid"], Dump),
    Scenario {
        name: "varchar to text",
        setup: "CREATE TABLE t (v varchar(9)); INSERT INTO t VALUES ('a');",
        act: &["ALTER TABLE t ALTER v TYPE text"],
        tables: &[("t", Dump)],
    },
    Scenario {
        name: "rename an enum label",
        setup: "CREATE TYPE e AS ENUM ('rojo'); CREATE TABLE t (c e); INSERT INTO t VALUES ('rojo');
                CREATE TABLE arr (c e[]); INSERT INTO arr VALUES ('{rojo}'); CREATE TABLE otra (i int);",
        act: &["ALTER TYPE e RENAME VALUE 'rojo' TO 'bermejo'"],
        tables: &[("t", Dump), ("arr", Dump), ("otra", Keep)],
    },
    Scenario {
        name: "add an enum label",
        setup: "CREATE TYPE e AS ENUM ('rojo'); CREATE TABLE t (c e); INSERT INTO t VALUES ('rojo');",
        act: &["ALTER TYPE e ADD VALUE 'azul'"],
        tables: &[("t", KeepByContent)],
    },
    Scenario {
        name: "add an attribute",
        setup: "CREATE TYPE c AS (x int); CREATE TABLE t (v c); INSERT INTO t VALUES (ROW(1));",
        act: &["ALTER TYPE c ADD ATTRIBUTE y int"],
        tables: &[("t", Dump)],
    },
    Scenario {
        name: "row type of another table",
        setup: "CREATE TABLE o (x int); CREATE TABLE t (v o); INSERT INTO t VALUES (ROW(1));",
        act: &["ALTER TABLE o ADD COLUMN y int"],
        tables: &[("o", Dump), ("t", Dump)],
    },
    Scenario {
        name: "referent of a regclass renamed",
        setup: "CREATE TABLE o (x int); CREATE TABLE t (v regclass); INSERT INTO t VALUES ('o');",
        act: &["ALTER TABLE o RENAME TO renombrada"],
        tables: &[("t", Dump), ("renombrada", Keep)],
    },
    Scenario {
        name: "role of a regrole renamed",
        setup: "CREATE ROLE viejo_nombre; CREATE TABLE t (v regrole); INSERT INTO t VALUES ('viejo_nombre');",
        act: &["ALTER ROLE viejo_nombre RENAME TO nuevo_nombre"],
        tables: &[("t", Dump)],
    },
    Scenario {
        name: "output function replaced",
        setup: "CREATE TYPE my; CREATE FUNCTION my_in(cstring) RETURNS my AS 'int4in' LANGUAGE internal IMMUTABLE STRICT;
                CREATE FUNCTION my_out(my) RETURNS cstring AS 'int4out' LANGUAGE internal IMMUTABLE STRICT;
                CREATE TYPE my (INPUT = my_in, OUTPUT = my_out, LIKE = int4);
                CREATE TABLE t (v my); INSERT INTO t VALUES ('-1');",
        act: &["CREATE OR REPLACE FUNCTION my_out(my) RETURNS cstring AS 'oidout' LANGUAGE internal IMMUTABLE STRICT"],
        tables: &[("t", Dump)],
    },
    Scenario {
        name: "other access method",
        setup: "CREATE ACCESS METHOD otro TYPE TABLE HANDLER heap_tableam_handler; CREATE TABLE t (i int) USING otro;",
        act: &[],
        tables: &[("t", KeepByContent)],
    },
    on_t("vacuum", &["VACUUM t"], Keep),
    on_t("freeze", &["VACUUM (FREEZE) t"], Keep),
    on_t("vacuum full", &["VACUUM FULL t"], Keep),
    on_t("cluster", &["CLUSTER t USING t_pkey"], Keep),
    on_t("reindex, analyze, index", &["REINDEX TABLE t", "ANALYZE t", "CREATE INDEX ON t (v)"], Keep),
    on_t("grant and settings", &["GRANT SELECT ON t TO lector", "ALTER TABLE t SET (fillfactor = 50)", "ALTER TABLE t ALTER v SET STATISTICS 7", "COMMENT ON TABLE t IS 'c'"], Keep),
    on_t("rolled back", &["BEGIN; INSERT INTO t VALUES (1000); ROLLBACK", "BEGIN; DELETE FROM t; PREPARE TRANSACTION 'x'", "ROLLBACK PREPARED 'x'"], Keep),
    on_t("savepoint rolled back", &["BEGIN; SAVEPOINT s; TRUNCATE t; ROLLBACK TO s; COMMIT", "BEGIN; SAVEPOINT s; UPDATE t SET v = 'q'; ROLLBACK TO s; COMMIT"], Keep),
    on_t("row locks", &["BEGIN; SELECT * FROM t FOR UPDATE; COMMIT"], Keep),
    Scenario { name: "truncate an empty table", setup: "CREATE TABLE t (i int);", act: &["TRUNCATE t"], tables: &[("t", Keep)] },
    Scenario {
        name: "detach, attach",
        setup: PARTS,
        act: &["ALTER TABLE p DETACH PARTITION a", "ALTER TABLE p ATTACH PARTITION a FOR VALUES IN (1, 3)"],
        tables: &[("a", Keep), ("b", Keep)],
    },
    Scenario {
        name: "swap by renaming and swap back",
        setup: "CREATE TABLE t (i int); INSERT INTO t VALUES (1); CREATE TABLE u (i int); INSERT INTO u VALUES (2);",
        act: &[
            "ALTER TABLE t RENAME TO x", "ALTER TABLE u RENAME TO t", "ALTER TABLE x RENAME TO u",
            "ALTER TABLE t RENAME TO x", "ALTER TABLE u RENAME TO t", "ALTER TABLE x RENAME TO u",
        ],
        tables: &[("t", Keep), ("u", Keep)],
    },
    Scenario { name: "move between partitions", setup: PARTS, act: &["UPDATE p SET k = 2 WHERE k = 1"], tables: &[("a", Dump), ("b", Dump)] },
    on_t("rename and move to another schema", &["ALTER TABLE t RENAME TO u", "CREATE SCHEMA lejos", "ALTER TABLE u SET SCHEMA lejos", "ALTER TABLE lejos.u RENAME TO t", "ALTER TABLE lejos.t SET SCHEMA @"], Keep),
    on_t("update to the same", &["UPDATE t SET v = v WHERE id = 1"], KeepByContent),
    on_t("delete and insert the same", &["BEGIN; CREATE TEMP TABLE k AS SELECT * FROM t; DELETE FROM t; INSERT INTO t SELECT * FROM k; COMMIT"], KeepByContent),
    on_t("written in a subtransaction and an exception block", &["DO $$ BEGIN BEGIN INSERT INTO t VALUES (1000); EXCEPTION WHEN OTHERS THEN NULL; END; END $$"], Dump),
    on_t("trigger, foreign key and replica role", &["SET session_replication_role = replica; UPDATE t SET n = 0 WHERE id = 3"], Dump),
    Scenario {
        name: "cascade",
        setup: "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE h (id int REFERENCES t ON DELETE CASCADE);
                INSERT INTO t VALUES (1); INSERT INTO h VALUES (1);",
        act: &["DELETE FROM t"],
        tables: &[("t", Dump), ("h", Dump)],
    },
    Scenario { name: "unlogged", setup: "CREATE UNLOGGED TABLE t (i int); CREATE UNLOGGED TABLE q (i int);", act: &["INSERT INTO t VALUES (1)"], tables: &[("t", Dump), ("q", Keep)] },
    Scenario { name: "without columns", setup: "CREATE TABLE t (); INSERT INTO t DEFAULT VALUES; CREATE TABLE q ();", act: &["INSERT INTO t DEFAULT VALUES"], tables: &[("t", Dump), ("q", Keep)] },
    Scenario {
        name: "names and columns that mislead",
        setup: "CREATE TABLE \"T \"\"x\\$1\" (t text, \"rows\" int, sum int, key int); INSERT INTO \"T \"\"x\\$1\" VALUES ('a', 1, 1, 1);",
        act: &[],
        tables: &[("T \"x\\$1", Keep)],
    },
    Scenario { name: "materialized view", setup: "CREATE TABLE t (i int); CREATE MATERIALIZED VIEW m AS SELECT * FROM t;", act: &["REFRESH MATERIALIZED VIEW m"], tables: &[("t", Keep)] },
];

/// Swaps, which need tables of the same look: the data follows the oid, not the name.
const SWAP: &[&str] = &[
    "ALTER TABLE t RENAME TO x",
    "ALTER TABLE u RENAME TO t",
    "ALTER TABLE x RENAME TO u",
];

fn play(detector: &str, options: &DetectorOptions) -> (Cluster, Backup) {
    let cluster = decoding().start();
    let url = cluster.owned_database("escenarios", "dueno");
    let_see_everything(&cluster);
    let_decode(&cluster);
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        let schema = format!("CREATE SCHEMA s{number}; SET search_path = s{number};");
        cluster.psql("escenarios", &format!("{schema}{}", scenario.setup));
    }
    cluster.psql(
        "escenarios",
        &format!("CREATE SCHEMA swap; SET search_path = swap; {T}{U}"),
    );
    let bench = Bench::new(detector, options, &url, &cluster.url("escenarios"));
    let base = bench.full();
    assert!(
        base.detection
            .tables
            .iter()
            .all(|word| word.verdict == Verdict::Changed)
    );
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        for act in scenario.act {
            let act = act.replace('@', &format!("s{number}"));
            cluster.psql(
                "escenarios",
                &format!("SET search_path = s{number};\n{act};"),
            );
        }
    }
    cluster.psql(
        "escenarios",
        &format!("SET search_path = swap; {}", SWAP.join(";")),
    );
    let second = bench.upon(&base);
    let third = bench.upon(&second);
    assert_eq!(third.detection.alarms, Vec::<String>::new());
    assert_eq!(third.detection.unexamined, [""; 0]);
    (cluster, second)
}

fn hold_against_expectations(detector: &str, backup: &Backup) {
    let by_content = detector == "content-hash";
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        for (table, must) in scenario.tables {
            let name = format!("s{number}.{table}");
            let keep = *must == Keep || *must == KeepByContent && by_content;
            let (verdict, reason) = backup.word(&name);
            let what = format!(
                "{detector}, {}: {table} {verdict} ({reason:?})",
                scenario.name
            );
            assert_eq!(backup.keeps(&name), keep, "{what}");
        }
    }
    assert!(
        backup.keeps("swap.t") && backup.keeps("swap.u"),
        "{detector}"
    );
    assert_eq!(backup.detection.alarms, Vec::<String>::new());
    assert_eq!(backup.detection.unexamined, [""; 0]);
}

#[test]
fn the_fingerprint_of_transaction_ids_tells_change_from_no_change() {
    let (_cluster, backup) = play("xmin", &DetectorOptions::default());
    hold_against_expectations("xmin", &backup);
}

#[test]
fn the_layered_detector_scans_a_small_database_without_waiting() {
    let (cluster, backup) = play("pg-stat", &DetectorOptions::default());
    hold_against_expectations("pg-stat", &backup);
    assert_eq!(backup.figure("waited_ms"), "");
    if cluster.major() < 15 {
        assert!(backup.figure("counters").contains("before PostgreSQL 15"));
        return;
    }
    assert_eq!(
        backup.figure("counters"),
        "\"all candidates fit into the scan budget\""
    );
}

#[test]
fn counters_behind_a_barrier_tell_change_from_no_change() {
    let (cluster, backup) = play("pg-stat", &counters_only());
    hold_against_expectations("pg-stat", &backup);
    if cluster.major() < 15 {
        assert_eq!(backup.count(&Reason::CountersEqual), 0);
        return;
    }
    assert_eq!(backup.figure("barrier"), "\"complete\"");
    assert!(
        backup.count(&Reason::CountersEqual) >= 10,
        "{:?}",
        backup.detection.figures
    );
}

#[test]
fn the_decoded_log_tells_change_from_no_change() {
    let (_cluster, backup) = play("logical-slot", &DetectorOptions::default());
    hold_against_expectations("logical-slot", &backup);
    assert_eq!(backup.detection.limited, [""; 0]);
    let silent = backup.count(&Reason::LogSilent);
    assert!(silent >= 10, "{silent}");
}

#[test]
fn the_content_hash_tells_change_from_no_change() {
    let (_cluster, backup) = play("content-hash", &DetectorOptions::default());
    hold_against_expectations("content-hash", &backup);
}

#[test]
fn always_dumps_all() {
    let (_cluster, backup) = play("always", &DetectorOptions::default());
    let all = backup.detection.tables.len();
    assert_eq!(backup.count(&Reason::Always), all);
}

#[test]
fn thousands_of_tables_take_seconds() {
    let cluster = Cluster::builder()
        .conf("max_locks_per_transaction", "2000")
        .start();
    let url = cluster.new_database("muchas");
    cluster.psql(
        "muchas",
        "DO $$ BEGIN FOR i IN 1..2000 LOOP EXECUTE format('CREATE TABLE t%s AS \
         SELECT 1 AS a, ''x'' AS b', i); END LOOP; END $$",
    );
    for (detector, options) in [
        ("xmin", DetectorOptions::default()),
        ("pg-stat", counters_only()),
    ] {
        let bench = Bench::new(detector, &options, &url, &url);
        let base = bench.full();
        cluster.psql("muchas", "UPDATE t77 SET a = 2");
        let next = bench.upon(&base);
        assert_eq!(next.kept(), 1999);
        eprintln!(
            "{detector}: full {:?}, incremental {:?}",
            base.took, next.took
        );
        assert!(base.took + next.took < Duration::from_secs(20));
    }
}
