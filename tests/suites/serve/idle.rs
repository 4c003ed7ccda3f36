//! A service with nothing to do costs nearly nothing, for as long as it takes.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::scene::{DB, Scene, end};

/// Most memory at rest.
const MOST_MIB: u64 = 40;
/// What it may grow by once it has settled.
const GROWTH_MIB: u64 = 2;

/// Serves with usual times for so long; samples memory and connections once it has settled.
pub fn idles_for(time: Duration) {
    let scene = Scene::open();
    let file = scene.respaldo.folder().join("respaldo.toml");
    fs::write(file, "[panel]\nlisten = '127.0.0.1:0'\n").unwrap();
    let service = scene.serve();
    scene.wait_for_backups(1);
    let validated = "SELECT count(*) FROM seguridad.backup_validation";
    assert!(respaldo_tests::respaldo::wait_until(
        Duration::from_mins(2),
        || {
            scene
                .cluster
                .try_psql(DB, validated)
                .is_ok_and(|count| count.trim() != "0")
        }
    ));
    thread::sleep(Duration::from_secs(20));
    let settled = resident_mib(service.pid());
    let (begin, mut most, mut idle, mut samples) = (Instant::now(), settled, 0, 0);
    while begin.elapsed() < time {
        thread::sleep(Duration::from_millis(500));
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'dueno' AND state = 'idle' \
                        AND clock_timestamp() - state_change > interval '300 ms'";
        let now: u32 = scene
            .cluster
            .psql("postgres", sessions)
            .trim()
            .parse()
            .unwrap();
        (most, idle, samples) = (
            most.max(resident_mib(service.pid())),
            idle.max(now),
            samples + 1,
        );
    }
    println!("{samples} samples: {settled} MiB, at most {most} MiB, {idle} idle connections");
    assert!(most <= MOST_MIB, "{most} MiB");
    assert!(
        most <= settled + GROWTH_MIB,
        "it grew from {settled} to {most} MiB"
    );
    assert_eq!(idle, 1, "idle connections");
    end(service);
}

fn resident_mib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib / 1024
}

#[test]
fn at_rest_it_has_one_connection_and_little_memory() {
    idles_for(Duration::from_secs(70));
}
