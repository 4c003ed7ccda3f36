//! A service with nothing to do costs nearly nothing, for as long as it takes.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::scene::{DB, Scene, end};

/// Most memory at rest.
const MOST_MIB: u64 = 40;
/// What it may grow by from the second quarter of the time to the last.
const GROWTH_MIB: u64 = 4;
/// So many samples are one look: what is there in most of them was not only passing by.
const SAMPLES: usize = 20;

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
    let (mut memory, mut idle) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    while begin.elapsed() < time {
        thread::sleep(Duration::from_millis(500));
        memory.push(resident_mib(service.pid()));
        idle.push(idle_sessions(&scene));
    }
    let most = |of: &[u64]| of.chunks_exact(SAMPLES).map(median).max().unwrap_or(0);
    let (most_mib, most_idle) = (most(&memory), most(&idle));
    println!(
        "{} samples: {most_mib} MiB, {most_idle} idle connections",
        idle.len()
    );
    assert!(most_mib <= MOST_MIB, "{memory:?}");
    let quarter = memory.len() / 4;
    let earlier = median(&memory[quarter..2 * quarter]);
    let later = median(&memory[3 * quarter..]);
    assert!(later <= earlier + GROWTH_MIB, "it grows: {memory:?}");
    assert_eq!(median(&idle), 1, "idle connections: {idle:?}");
    assert!(most_idle <= 1, "idle connections that stay: {idle:?}");
    end(service);
}

fn median(samples: &[u64]) -> u64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

fn idle_sessions(scene: &Scene) -> u64 {
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'dueno' AND state = 'idle' \
                    AND clock_timestamp() - state_change > interval '300 ms'";
    let count = scene.cluster.psql("postgres", sessions);
    count.trim().parse().unwrap()
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
