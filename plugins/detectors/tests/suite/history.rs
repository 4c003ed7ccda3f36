//! Resets, crashes and restarts (scenarios 42-48 of tests/README.md).

use respaldo_detectors::DetectorOptions;
use respaldo_domain::changes::Reason;
use respaldo_engine::ports::LineageStatus;
use respaldo_tests::{Client, Cluster};

use crate::bench::{Bench, counters_only, counting_cluster, write_and_report};

fn source(cluster: &Cluster) -> String {
    let url = cluster.owned_database("historia", "dueno");
    cluster.psql("postgres", "GRANT pg_read_all_stats TO dueno");
    write_and_report(
        &url,
        "CREATE TABLE t (n int); INSERT INTO t VALUES (1), (2), (3);
         CREATE TABLE quieta (n int); INSERT INTO quieta VALUES (1);
         CREATE UNLOGGED TABLE volatil (n int); INSERT INTO volatil VALUES (1);",
    );
    url
}

fn bench(cluster: &Cluster, detector: &str, url: &str) -> Bench {
    let options = if detector == "pg-stat" {
        counters_only()
    } else {
        DetectorOptions::default()
    };
    Bench::new(detector, &options, url, &cluster.url("historia"))
}

#[test]
fn counters_reset_and_grown_to_the_same_numbers_clear_nothing() {
    let cluster = counting_cluster();
    let url = source(&cluster);
    let bench = bench(&cluster, "pg-stat", &url);
    for reset in [
        "pg_stat_reset()",
        "pg_stat_reset_single_table_counters('t'::regclass)",
    ] {
        write_and_report(&url, "TRUNCATE t");
        cluster.psql("historia", &format!("SELECT {reset}"));
        write_and_report(&url, "INSERT INTO t VALUES (1), (2), (3)");
        let base = bench.full();
        cluster.psql("historia", &format!("SELECT {reset}"));
        write_and_report(&url, "INSERT INTO t VALUES (4), (5), (6)");
        let next = bench.upon(&base);
        assert!(!next.keeps("t"), "{reset}");
        assert_eq!(next.count(&Reason::CountersEqual), 0, "{reset}");
        // The new epoch is a new baseline.
        assert_eq!(
            bench.upon(&next).count(&Reason::CountersEqual),
            3,
            "{reset}"
        );
    }
}

#[test]
fn counters_are_not_read_before_a_reset_had_a_second_to_end() {
    let cluster = counting_cluster();
    let url = source(&cluster);
    let bench = bench(&cluster, "pg-stat", &url);
    let reset = "SELECT pg_stat_reset()";
    cluster.psql("historia", reset);
    let resets = "SELECT extract(epoch FROM clock_timestamp() - stats_reset)::text \
         FROM pg_stat_database WHERE datname = 'historia'";
    let base = bench.full();
    let age: f64 = cluster.psql("historia", resets).trim().parse().unwrap();
    assert!(age >= 1.0, "{age} s");
    assert_eq!(bench.upon(&base).count(&Reason::CountersEqual), 3);
}

#[test]
fn counters_reset_right_after_they_were_read_are_no_evidence_for_the_next_backup() {
    let cluster = counting_cluster();
    let url = source(&cluster);
    let bench = bench(&cluster, "pg-stat", &url);
    let base = bench.full();
    let next = bench.upon_while(&base, || {
        cluster.psql("historia", "SELECT pg_stat_reset()");
    });
    assert_eq!(next.count(&Reason::CountersEqual), 0);
    let third = bench.upon(&next);
    assert_eq!(third.count(&Reason::CountersEqual), 0);
    assert!(third.keeps("quieta"));
    assert_eq!(bench.upon(&third).count(&Reason::CountersEqual), 3);
}

#[test]
fn after_a_crash_neither_counters_nor_transaction_ids_are_evidence() {
    let cluster = counting_cluster();
    let url = source(&cluster);
    for detector in ["pg-stat", "xmin", "content-hash"] {
        let bench = bench(&cluster, detector, &url);
        for crash in ["kill", "immediate", "restart"] {
            let base = bench.full();
            match crash {
                "kill" => {
                    let pid = Client::connect(&url).pid();
                    let mut victim = Client::connect(&url);
                    let alive = victim.pid();
                    assert_ne!(pid, alive);
                    cluster.kill_backend(alive);
                    wait_until_recovered(&url);
                }
                "immediate" => cluster.crash(),
                _ => cluster.restart(),
            }
            let next = bench.upon(&base);
            let (word, kept) = match detector {
                "content-hash" => (Reason::ContentEqual, true),
                _ => (Reason::Lineage, false),
            };
            assert_eq!(next.reason("quieta"), word, "{detector} {crash}");
            assert_eq!(next.keeps("quieta"), kept, "{detector} {crash}");
            cluster.psql_as(
                "dueno",
                "historia",
                "TRUNCATE volatil; INSERT INTO volatil VALUES (1)",
            );
        }
    }
}

fn wait_until_recovered(url: &str) {
    for _ in 0..200 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        if Client::try_connect(url).is_ok_and(|mut c| c.try_exec("SELECT 1").is_ok()) {
            return;
        }
    }
    panic!("the server did not recover");
}

#[test]
fn a_witness_makes_transaction_ids_evidence_again_and_counters_not() {
    let cluster = counting_cluster();
    let url = source(&cluster);
    let bench = bench(&cluster, "pg-stat", &url);
    let base = bench.full();
    write_and_report(&url, "INSERT INTO t VALUES (4)");
    cluster.crash();
    let next = bench.upon_with(&base, LineageStatus::Witnessed);
    assert_eq!(next.reason("quieta"), Reason::XminEqual);
    assert_eq!(next.reason("t"), Reason::XminDiffers);
    // Emptied by the crash.
    assert_eq!(next.reason("volatil"), Reason::XminDiffers);
    assert_eq!(next.count(&Reason::CountersEqual), 0);
    assert_eq!(bench.upon(&next).count(&Reason::CountersEqual), 3);
}

#[test]
fn another_detectors_reading_proves_nothing() {
    let cluster = counting_cluster();
    let url = source(&cluster);
    let base = bench(&cluster, "xmin", &url).full();
    let next = bench(&cluster, "pg-stat", &url).upon(&base);
    assert_eq!(next.count(&Reason::NoReading), 3);
}

#[test]
fn a_chain_keeps_the_baseline_of_the_data_it_would_restore() {
    let cluster = counting_cluster();
    let url = source(&cluster);
    let bench = bench(&cluster, "pg-stat", &url);
    let first = bench.full();
    // Rolled back: counted, refuted by the fingerprint, a new baseline.
    write_and_report(&url, "BEGIN; INSERT INTO t VALUES (9); ROLLBACK");
    let second = bench.upon(&first);
    assert_eq!(second.reason("t"), Reason::XminEqual);
    let third = bench.upon(&second);
    assert_eq!(third.reason("t"), Reason::CountersEqual);
    write_and_report(&url, "INSERT INTO t VALUES (4); CREATE TABLE nueva (i int)");
    let fourth = bench.upon(&third);
    assert_eq!(fourth.reason("t"), Reason::XminDiffers);
    assert_eq!(fourth.reason("nueva"), Reason::New);
    let fifth = bench.upon(&fourth);
    assert_eq!(fifth.count(&Reason::CountersEqual), 4);
    // A differential compares with the full, whatever was made in between.
    assert_eq!(bench.upon(&first).reason("t"), Reason::XminDiffers);
}
