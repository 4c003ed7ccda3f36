//! The life of the slot: made, moved, lost, dropped, not to be had.

use respaldo_domain::changes::Reason::{self, LogSilent, XminDiffers, XminEqual};
use respaldo_domain::changes::Verdict;
use respaldo_engine::ports::LineageStatus;
use respaldo_tests::ClusterBuilder;

use crate::bench::{Bench, decoding};
use crate::log_site::{DB, NAMES, is_quiet, options, reasons, says, site, site_on};

#[test]
fn the_slot_follows_sealed_backups_and_reads_leave_nothing_behind() {
    let site = site();
    let full = site.bench.full();
    let name = site.slots();
    assert!(name.starts_with("respaldo_"), "{name}");
    let confirmed = "SELECT confirmed_flush_lsn - '0/0' FROM pg_replication_slots";
    site.act("INSERT INTO b VALUES (2, 'y')");
    let mut base = site.bench.upon(&full);
    let mut before: f64 = site.cluster.psql(DB, confirmed).parse().unwrap();
    for n in 0..3 {
        site.act(&format!("INSERT INTO a VALUES ({n}, 'y')"));
        base = site.bench.upon(&base);
        let after: f64 = site.cluster.psql(DB, confirmed).parse().unwrap();
        assert!(after > before, "{after} {before}");
        before = after;
    }
    site.bench.upon(&base);
    site.wait_for(NAMES, &name);
}

#[test]
fn a_slot_dropped_and_made_again_proves_nothing_of_the_time_between() {
    let site = site();
    let full = site.bench.full();
    let name = site.slots();
    site.drop_slot();
    site.act("INSERT INTO a VALUES (2, 'y')");
    let second = site.bench.upon(&full);
    assert_eq!(reasons(&second), [XminDiffers, XminEqual, XminEqual]);
    says(&second, "is not there any more");
    assert_ne!(site.slots(), name);
    let third = site.bench.upon(&second);
    assert_eq!(reasons(&third), [LogSilent, LogSilent, LogSilent]);
    is_quiet(&third);
    // Under its very name, by hand.
    let name = site.slots();
    site.drop_slot();
    site.act("INSERT INTO b VALUES (2, 'y')");
    site.act(&format!(
        "SELECT pg_create_logical_replication_slot('{name}', 'test_decoding')"
    ));
    let fourth = site.bench.upon(&third);
    assert_eq!(reasons(&fourth), [XminEqual, XminDiffers, XminEqual]);
    assert_eq!(
        reasons(&site.bench.upon(&fourth)),
        [LogSilent, LogSilent, LogSilent]
    );
}

#[test]
fn a_slot_somebody_else_moved_proves_nothing_of_what_it_skipped() {
    let site = site();
    let full = site.bench.full();
    site.act("INSERT INTO a VALUES (2, 'y')");
    site.act("SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots");
    let second = site.bench.upon(&full);
    assert_eq!(reasons(&second), [XminDiffers, XminEqual, XminEqual]);
    assert_eq!(
        reasons(&site.bench.upon(&second)),
        [LogSilent, LogSilent, LogSilent]
    );
}

#[test]
fn a_slot_the_server_ended_is_dropped_and_made_again() {
    let site = site_on(
        ClusterBuilder::default()
            .conf("wal_level", "logical")
            .conf("max_slot_wal_keep_size", "1MB")
            .conf("max_wal_size", "32MB")
            .conf("min_wal_size", "32MB"),
        &options(),
    );
    let full = site.bench.full();
    site.act("INSERT INTO a VALUES (2, 'y')");
    for _ in 0..6 {
        site.act("CREATE TABLE IF NOT EXISTS zz (n int); INSERT INTO zz SELECT g FROM generate_series(1, 1000) g; SELECT pg_switch_wal()");
    }
    site.act("CHECKPOINT");
    let status = "SELECT wal_status FROM pg_replication_slots";
    assert_eq!(site.cluster.psql(DB, status), "lost");
    let second = site.bench.upon(&full);
    says(&second, "it can no longer be read from");
    assert_eq!(reasons(&second), [XminDiffers, XminEqual, XminEqual]);
    let third = site.bench.upon(&second);
    assert_eq!(reasons(&third), [XminEqual, XminEqual, XminEqual]);
    let fourth = site.bench.upon(&third);
    assert_eq!(reasons(&fourth), [LogSilent, LogSilent, LogSilent]);
    is_quiet(&fourth);
}

#[test]
fn a_slot_that_holds_too_much_is_dropped() {
    let mut small = options();
    small.slot_max_bytes = 1 << 20;
    let site = site_on(decoding(), &small);
    let full = site.bench.full();
    site.act("INSERT INTO a SELECT g, repeat('x', 500) FROM generate_series(1, 10000) g");
    let second = site.bench.upon(&full);
    says(&second, "detector.slot_max_bytes is 1048576");
    assert_eq!(reasons(&second), [XminDiffers, XminEqual, XminEqual]);
    assert_eq!(site.slots(), "");
    let third = site.bench.upon(&second);
    let fourth = site.bench.upon(&third);
    assert_eq!(reasons(&fourth), [LogSilent, LogSilent, LogSilent]);
}

#[test]
fn without_a_limit_of_the_servers_no_slot_is_made_unless_it_is_allowed() {
    let unlimited = || ClusterBuilder::default().conf("wal_level", "logical");
    let site = site_on(unlimited(), &options());
    let next = site.bench.upon(&site.bench.full());
    assert_eq!(reasons(&next), [XminEqual, XminEqual, XminEqual]);
    says(&next, "ALTER SYSTEM SET max_slot_wal_keep_size = '8192MB'");
    assert_eq!(site.slots(), "");
    let mut allowed = options();
    allowed.slot_allow_unlimited = true;
    let url = site.cluster.url_as("dueno", DB);
    let bench = Bench::new("logical-slot", &allowed, &url, &site.cluster.url(DB));
    let next = bench.upon(&bench.full());
    assert_eq!(reasons(&next), [LogSilent, LogSilent, LogSilent]);
    is_quiet(&next);
}

#[test]
fn whatever_a_slot_needs_and_lacks_is_named_and_scans_decide() {
    let lacking = [
        (
            "wal_level is replica",
            ClusterBuilder::default().conf("wal_level", "replica"),
            "SELECT 1",
        ),
        (
            "ALTER ROLE \"dueno\" REPLICATION",
            decoding(),
            "ALTER ROLE dueno NOREPLICATION",
        ),
        (
            "replication slots are in use",
            decoding().conf("max_replication_slots", "1"),
            "SELECT pg_create_physical_replication_slot('ajeno')",
        ),
        (
            "did not end within",
            decoding(),
            "BEGIN; INSERT INTO c VALUES (9, 'q'); PREPARE TRANSACTION 'olvidada'",
        ),
    ];
    for (why, builder, act) in lacking {
        let mut hasty = options();
        hasty.slot_wait_s = 0.5;
        let site = site_on(builder, &hasty);
        site.act(act);
        let full = site.bench.full();
        says(&full, why);
        assert!(
            full.detection
                .tables
                .iter()
                .all(|t| t.verdict == Verdict::Changed)
        );
        site.act("INSERT INTO a VALUES (2, 'y')");
        let next = site.bench.upon(&full);
        says(&next, why);
        assert_eq!(reasons(&next), [XminDiffers, XminEqual, XminEqual], "{why}");
        assert!(!site.slots().contains("respaldo_"), "{why}");
    }
}

#[test]
fn a_slot_in_use_by_another_or_without_room_for_a_copy_is_told() {
    let site = site_on(decoding().conf("max_replication_slots", "1"), &options());
    let full = site.bench.full();
    says(&full, "replication slots are in use");
    let next = site.bench.upon(&full);
    says(&next, "replication slots are in use");
    assert_eq!(reasons(&next), [XminEqual, XminEqual, XminEqual]);
}

#[test]
fn after_a_restart_or_crash_positions_in_the_log_are_no_evidence() {
    let site = site();
    let mut base = site.bench.full();
    for (act, crash) in [
        ("INSERT INTO a VALUES (2, 'y')", false),
        ("DELETE FROM a", true),
    ] {
        site.act(act);
        if crash {
            site.cluster.crash();
        } else {
            site.cluster.restart();
        }
        let next = site.bench.upon_with(&base, LineageStatus::Witnessed);
        assert_eq!(reasons(&next), [XminDiffers, XminEqual, XminEqual]);
        base = site.bench.upon(&next);
        assert_eq!(reasons(&base), [LogSilent, LogSilent, LogSilent]);
        is_quiet(&base);
    }
    let broken = site.bench.upon_with(&base, LineageStatus::Broken);
    assert_eq!(broken.count(&Reason::Lineage), 3);
    assert_eq!(
        reasons(&site.bench.upon(&broken)),
        [LogSilent, LogSilent, LogSilent]
    );
}

#[test]
fn a_full_among_transactions_left_open_is_followed_by_scans_and_then_by_the_log() {
    let site = site();
    site.bench.full();
    let mut long = site.client();
    long.exec("BEGIN; INSERT INTO a VALUES (2, 'y')");
    let full = site.bench.full();
    says(&full, "has been open since before this backup");
    long.exec("COMMIT");
    let next = site.bench.upon(&full);
    assert_eq!(reasons(&next), [XminDiffers, XminEqual, XminEqual]);
    assert_eq!(
        reasons(&site.bench.upon(&next)),
        [LogSilent, LogSilent, LogSilent]
    );
}
