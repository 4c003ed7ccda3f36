//! The decoded log: what it clears and what it must not clear.

use respaldo_domain::changes::Reason::{self, LogSilent, XminDiffers, XminEqual};
use respaldo_tests::Client;

use crate::bench::decoding;
use crate::log_site::{DB, is_quiet, options, reasons, site, site_on};

#[test]
fn what_the_log_does_not_name_is_kept_without_a_scan() {
    let site = site();
    let full = site.bench.full();
    is_quiet(&full);
    site.act("INSERT INTO a VALUES (2, 'y')");
    let second = site.bench.upon(&full);
    is_quiet(&second);
    assert_eq!(reasons(&second), [XminDiffers, LogSilent, LogSilent]);
    assert_eq!(second.figure("scanned_tables"), "1");
    site.act("UPDATE b SET v = 'z'; DELETE FROM c");
    let third = site.bench.upon(&second);
    assert_eq!(reasons(&third), [LogSilent, XminDiffers, XminDiffers]);
    let fourth = site.bench.upon(&third);
    assert_eq!(reasons(&fourth), [LogSilent, LogSilent, LogSilent]);
    assert_eq!(fourth.figure("scanned_tables"), "0");
    is_quiet(&fourth);
}

#[test]
fn one_truncate_of_several_tables_changes_each_of_them() {
    let site = site();
    site.own(
        "CREATE TABLE p (k int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p DEFAULT; \
         INSERT INTO p VALUES (1)",
    );
    let full = site.bench.full();
    site.act("TRUNCATE a, c RESTART IDENTITY; TRUNCATE p");
    let next = site.bench.upon(&full);
    assert_eq!(reasons(&next), [XminDiffers, LogSilent, XminDiffers]);
    assert_eq!(next.reason("p1"), XminDiffers);
    is_quiet(&next);
}

#[test]
fn a_transaction_across_snapshots_changes_the_backup_that_sees_it() {
    let site = site();
    let full = site.bench.full();
    let mut long = site.client();
    long.exec("BEGIN; INSERT INTO a VALUES (2, 'y'); SAVEPOINT s; INSERT INTO b VALUES (2, 'y'); RELEASE s");
    site.act("INSERT INTO c VALUES (2, 'y')");
    let second = site.bench.upon(&full);
    assert_eq!(reasons(&second), [LogSilent, LogSilent, XminDiffers]);
    let third = site.bench.upon(&second);
    assert_eq!(reasons(&third), [LogSilent, LogSilent, LogSilent]);
    long.exec("COMMIT");
    let fourth = site.bench.upon(&third);
    assert_eq!(reasons(&fourth), [XminDiffers, XminDiffers, LogSilent]);
    let fifth = site.bench.upon(&fourth);
    assert_eq!(reasons(&fifth), [LogSilent, LogSilent, LogSilent]);
    is_quiet(&fifth);
}

#[test]
fn a_commit_after_the_snapshot_belongs_to_the_next_backup() {
    let site = site();
    let full = site.bench.full();
    let mut long = site.client();
    long.exec("BEGIN; INSERT INTO a VALUES (2, 'y')");
    let meanwhile = || {
        long.exec("COMMIT");
        site.act("INSERT INTO b VALUES (2, 'y')");
    };
    let second = site.bench.upon_while(&full, meanwhile);
    assert_eq!(reasons(&second), [LogSilent, LogSilent, LogSilent]);
    let third = site.bench.upon(&second);
    assert_eq!(reasons(&third), [XminDiffers, XminDiffers, LogSilent]);
    is_quiet(&third);
}

#[test]
fn a_transaction_prepared_before_is_seen_when_it_is_committed() {
    let site = site();
    let full = site.bench.full();
    site.act("BEGIN; INSERT INTO a VALUES (2, 'y'); PREPARE TRANSACTION 'uno'");
    site.act("BEGIN; INSERT INTO b VALUES (2, 'y'); PREPARE TRANSACTION 'dos'");
    let second = site.bench.upon(&full);
    assert_eq!(reasons(&second), [LogSilent, LogSilent, LogSilent]);
    site.act("COMMIT PREPARED 'uno'");
    site.act("ROLLBACK PREPARED 'dos'");
    let third = site.bench.upon(&second);
    assert_eq!(reasons(&third), [XminDiffers, LogSilent, LogSilent]);
    is_quiet(&third);
}

#[test]
fn subtransactions_count_under_the_transaction_they_are_of() {
    let site = site();
    let full = site.bench.full();
    site.act(
        "DO $$ BEGIN FOR i IN 1..100 LOOP BEGIN INSERT INTO a VALUES (i, 'y'); \
         EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$; \
         BEGIN; SAVEPOINT s; INSERT INTO b VALUES (3, 'z'); ROLLBACK TO s; COMMIT",
    );
    let next = site.bench.upon(&full);
    assert_eq!(reasons(&next), [XminDiffers, LogSilent, LogSilent]);
}

#[test]
fn what_was_rolled_back_is_no_change() {
    let site = site();
    let full = site.bench.full();
    site.act("BEGIN; INSERT INTO a VALUES (2, 'y'); DELETE FROM b; TRUNCATE c; ROLLBACK");
    assert_eq!(
        reasons(&site.bench.upon(&full)),
        [LogSilent, LogSilent, LogSilent]
    );
}

#[test]
fn writes_under_another_name_are_not_missed() {
    let site = site();
    site.act("CREATE SCHEMA uno; CREATE TABLE uno.d (n int); ALTER SCHEMA uno OWNER TO dueno; ALTER TABLE uno.d OWNER TO dueno");
    let full = site.bench.full();
    for act in [
        "ALTER TABLE a RENAME TO x",
        "INSERT INTO x VALUES (7, 'w')",
        "ALTER TABLE x RENAME TO a",
        "ALTER SCHEMA uno RENAME TO dos",
        "INSERT INTO dos.d VALUES (1)",
        "ALTER SCHEMA dos RENAME TO uno",
        "BEGIN; ALTER TABLE b RENAME TO y; INSERT INTO y VALUES (7, 'w'); ALTER TABLE y RENAME TO b; COMMIT",
    ] {
        site.act(act);
    }
    let next = site.bench.upon(&full);
    assert_eq!(reasons(&next), [XminDiffers, XminDiffers, LogSilent]);
    assert_eq!(next.reason("uno.d"), XminDiffers);
    assert_eq!(
        reasons(&site.bench.upon(&next)),
        [LogSilent, LogSilent, LogSilent]
    );
}

#[test]
fn names_and_values_that_mislead_are_read_right() {
    let site = site();
    let odd = [
        "\"a: INSERT: b\"",
        "\"t\nu, public.b\"",
        "\"comilla\"\"s\"",
        "\"día.1\"",
        "\"select\"",
        "\"table public.c: TRUNCATE: (no-flags)\"",
    ];
    for (number, name) in odd.iter().enumerate() {
        site.own(&format!(
            "CREATE TABLE {name} (n int, v text); CREATE TABLE q{number} (n int)"
        ));
    }
    let longest = format!("\"{}\"", "\"\"".repeat(63));
    site.own(&format!("CREATE TABLE {longest} (n int, v text)"));
    let full = site.bench.full();
    for name in odd.iter().copied().chain([longest.as_str()]) {
        site.act(&format!(
            "INSERT INTO {name} VALUES (1, E'x\\ntable public.b: INSERT: n[integer]:1'), \
             (2, ': TRUNCATE: \"'), (3, 'COMMIT 1'), (4, E'it''s \\\\ '), (5, repeat('ñ: TRUNCATE:', 900))"
        ));
    }
    site.act(&format!("TRUNCATE {}", odd.join(", ")));
    site.act(&format!(
        "INSERT INTO {} VALUES (1, 'x')",
        odd.join(" VALUES (1, 'x'); INSERT INTO ")
    ));
    site.act(
        "SELECT pg_logical_emit_message(true, 'x', E'table public.b: INSERT:\\nCOMMIT 5'), \
              pg_logical_emit_message(false, 'x', 'BEGIN 1')",
    );
    let next = site.bench.upon(&full);
    is_quiet(&next);
    assert_eq!(reasons(&next), [LogSilent, LogSilent, LogSilent]);
    assert_eq!(next.count(&XminDiffers), odd.len() + 1);
    assert_eq!(next.count(&LogSilent), 3 + odd.len());
}

#[test]
fn a_message_of_any_kind_and_changes_without_a_key_are_understood() {
    let site = site();
    site.act("ALTER TABLE a REPLICA IDENTITY FULL; ALTER TABLE b REPLICA IDENTITY NOTHING");
    let full = site.bench.full();
    site.act("UPDATE a SET v = NULL; UPDATE b SET v = NULL; DELETE FROM b");
    let next = site.bench.upon(&full);
    is_quiet(&next);
    assert_eq!(reasons(&next), [XminDiffers, XminDiffers, LogSilent]);
}

#[test]
fn a_commit_that_is_visible_and_not_yet_written_is_not_missed() {
    let site = site_on(decoding().conf("wal_writer_delay", "10s"), &options());
    let full = site.bench.full();
    let mut hasty = site.client();
    hasty.exec("SET synchronous_commit = off");
    let mut base = full;
    for round in 0..5 {
        hasty.exec(&format!("INSERT INTO a VALUES ({round}, 'y')"));
        base = site.bench.upon(&base);
        assert_eq!(reasons(&base), [XminDiffers, LogSilent, LogSilent]);
        is_quiet(&base);
    }
}

#[test]
fn a_commit_that_is_written_and_not_yet_visible_is_not_forgotten() {
    let site = site();
    let full = site.bench.full();
    site.act("ALTER SYSTEM SET synchronous_standby_names = 'nadie'; SELECT pg_reload_conf()");
    site.wait_for("SHOW synchronous_standby_names", "nadie");
    let url = site.cluster.url(DB);
    let waiting = std::thread::spawn(move || {
        Client::connect(&url).exec("INSERT INTO a VALUES (2, 'y')");
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    site.wait_for(waits, "1");
    let second = site.bench.upon(&full);
    assert_eq!(reasons(&second), [LogSilent, LogSilent, LogSilent]);
    let third = site.bench.upon(&second);
    site.act("ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf()");
    waiting.join().unwrap();
    let fourth = site.bench.upon(&third);
    assert_eq!(reasons(&fourth), [XminDiffers, LogSilent, LogSilent]);
    is_quiet(&fourth);
}

#[test]
fn unlogged_tables_are_scanned() {
    let site = site();
    site.own("CREATE UNLOGGED TABLE u (n int); CREATE UNLOGGED TABLE w (n int)");
    let full = site.bench.full();
    site.act("INSERT INTO u VALUES (1)");
    let next = site.bench.upon(&full);
    assert_eq!(
        (next.reason("u"), next.reason("w")),
        (XminDiffers, XminEqual)
    );
    assert_eq!(reasons(&next), [LogSilent, LogSilent, LogSilent]);
    site.own("ALTER TABLE w SET LOGGED; ALTER TABLE a SET UNLOGGED");
    site.act("INSERT INTO a VALUES (5, 'q')");
    let third = site.bench.upon(&next);
    assert_eq!(reasons(&third), [XminDiffers, LogSilent, LogSilent]);
    assert!(site.bench.upon(&third).reason("w") == LogSilent);
}

#[test]
fn the_log_is_read_in_batches() {
    let mut few = options();
    few.slot_batch = 3;
    let site = site_on(decoding(), &few);
    let full = site.bench.full();
    let mut client = site.client();
    for n in 0..20 {
        client.exec(&format!(
            "INSERT INTO a SELECT g, 'y' FROM generate_series(1, {n}) g"
        ));
    }
    client.exec("INSERT INTO c VALUES (1, 'last')");
    let next = site.bench.upon(&full);
    is_quiet(&next);
    assert_eq!(reasons(&next), [XminDiffers, LogSilent, XminDiffers]);
    assert_eq!(next.figure("log_changes"), (190 + 1).to_string());
}

#[test]
fn a_backup_that_is_not_sealed_loses_nothing() {
    let site = site();
    let full = site.bench.full();
    site.act("INSERT INTO a VALUES (2, 'y')");
    assert_eq!(site.bench.upon(&full).reason("a"), XminDiffers);
    site.act("INSERT INTO b VALUES (2, 'y')");
    assert_eq!(site.bench.upon(&full).reason("a"), XminDiffers);
    let sealed = site.bench.upon(&full);
    assert_eq!(reasons(&sealed), [XminDiffers, XminDiffers, LogSilent]);
    let next = site.bench.upon(&sealed);
    assert_eq!(reasons(&next), [LogSilent, LogSilent, LogSilent]);
    is_quiet(&next);
}

#[test]
fn a_differential_after_incrementals_is_proven_by_scans() {
    let site = site();
    let full = site.bench.full();
    site.act("INSERT INTO a VALUES (2, 'y')");
    let one = site.bench.upon(&full);
    site.act("INSERT INTO b VALUES (2, 'y')");
    let two = site.bench.upon(&one);
    let three = site.bench.upon(&two);
    let dif = site.bench.upon_knowing(full, &three);
    assert_eq!(reasons(&dif), [XminDiffers, XminDiffers, XminEqual]);
    assert!(dif.figure("log").contains("does not reach back"));
    is_quiet(&dif);
    site.act("INSERT INTO c VALUES (2, 'y')");
    let inc = site.bench.upon(&dif);
    assert_eq!(reasons(&inc), [LogSilent, LogSilent, XminDiffers]);
    is_quiet(&inc);
}

#[test]
fn rewrites_and_maintenance_are_no_change_and_altered_columns_are() {
    let site = site();
    let full = site.bench.full();
    for act in [
        "VACUUM FULL a",
        "VACUUM (FREEZE) b",
        "ANALYZE",
        "ALTER TABLE c ALTER n TYPE bigint",
    ] {
        site.act(act);
    }
    let next = site.bench.upon(&full);
    assert_eq!(reasons(&next), [XminEqual, LogSilent, Reason::Columns]);
    assert_eq!(
        reasons(&site.bench.upon(&next)),
        [LogSilent, LogSilent, LogSilent]
    );
}
