//! Random changes and hostile timing, every detector keeping its own chain of one database.
//! The seed is printed; `DETECTOR_STRESS_SEED` repeats a run, `DETECTOR_STRESS_ROUNDS` lengthens
//! it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use respaldo_detectors::DetectorOptions;
use respaldo_tests::mutator::Mutator;
use respaldo_tests::{Client, schema};

use crate::bench::{Backup, Bench, counters_only, decoding};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// A session that writes, commits, and then does what keeps its counts back.
fn write_hostile(url: &str, number: u64, stop: &AtomicBool) {
    let mut client = Client::connect(url);
    // Whoever queues behind the backup's locks would queue its own scans behind him.
    client.exec("SET lock_timeout = 100");
    let mut round = number;
    while !stop.load(Ordering::SeqCst) {
        round += 1;
        let table = format!("escritores.t{}", (round * 7 + number) % 40);
        let _ = client.try_exec(&format!("INSERT INTO {table} VALUES ({round})"));
        let _ = match round % 5 {
            0 => client.try_exec("BEGIN; SELECT 1; SELECT pg_sleep(0.3); COMMIT"),
            1 => client.try_exec(&format!("BEGIN; DELETE FROM {table}; ROLLBACK")),
            2 => client.try_exec("SELECT pg_sleep(0.2)"),
            3 => client.try_exec(&format!("TRUNCATE {table}")),
            _ => Ok(()),
        };
        // Idle for a while: what was committed last is not reported yet.
        std::thread::sleep(Duration::from_millis(150 * (number % 4)));
    }
}

#[test]
fn no_detector_ever_keeps_what_changed() {
    let seed = setting("DETECTOR_STRESS_SEED", 20_261_124);
    let rounds = setting("DETECTOR_STRESS_ROUNDS", 5);
    eprintln!("DETECTOR_STRESS_SEED={seed}");
    let cluster = decoding().start();
    let owner = cluster.owned_database("estres", "dueno");
    schema::load(&cluster, "estres", "dueno");
    let tables: Vec<_> = (0..40)
        .map(|n| format!("CREATE TABLE escritores.t{n} (n int)"))
        .collect();
    let tables = tables.join(";");
    cluster.psql_as(
        "dueno",
        "estres",
        &format!("CREATE SCHEMA escritores; {tables}"),
    );
    let url = cluster.url("estres");
    let mut mutator = Mutator::new(&url, seed);
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|number| {
            let (owner, stop) = (owner.clone(), Arc::clone(&stop));
            std::thread::spawn(move || write_hostile(&owner, number, &stop))
        })
        .collect();
    let patient = DetectorOptions {
        barrier_deadline_s: 3.0,
        ..counters_only()
    };
    let detectors = [
        ("xmin", DetectorOptions::default()),
        ("content-hash", DetectorOptions::default()),
        ("pg-stat", DetectorOptions::default()),
        ("logical-slot", DetectorOptions::default()),
        ("pg-stat", patient),
    ];
    let benches: Vec<_> = detectors
        .iter()
        .map(|(name, options)| Bench::new(name, options, &url, &url))
        .collect();
    let mut chains: Vec<Backup> = benches.iter().map(Bench::full_retrying).collect();
    let mut kept = vec![0; benches.len()];
    for _ in 0..rounds {
        let changes = mutator.steps(10);
        eprintln!("{changes:?}");
        for (number, bench) in benches.iter().enumerate() {
            if let Some(next) = bench.upon_retrying(&chains[number]) {
                kept[number] += next.kept();
                chains[number] = next;
            }
        }
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.join().unwrap();
    }
    eprintln!("kept by {detectors:?}: {kept:?}");
    assert!(kept.iter().all(|kept| *kept > 0), "{kept:?}");
}
