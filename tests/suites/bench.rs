//! What a backup costs, as ratios to bare `pg_dump -Fc` of the same tables; for `make bench`.
//! Figures are printed, never asserted: they are the machine's as much as ours.
#![expect(clippy::unwrap_used, reason = "test code")]

mod bench {
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    use respaldo_tests::{Client, Cluster, Outcome, Respaldo};
    use serde_json::Value;

    /// Size of the large database; `RESPALDO_BENCH_MB` asks for another.
    const MEGABYTES: u64 = 1024;
    const TABLES: u64 = 8;
    const ROUNDS: usize = 3;
    const LONGEST: Duration = Duration::from_mins(20);

    /// Bytes of heap of one row of [`fill`], about.
    const ROW_BYTES: u64 = 153;

    #[test]
    fn a_full_backup_of_a_large_database() {
        let cluster = Cluster::start();
        let url = cluster.new_database("large");
        fill(&url);
        let size = Client::connect(&url).one("SELECT pg_size_pretty(pg_database_size('large'))");
        let driver = Respaldo::new(&cluster, "large").limit(LONGEST);
        let (mut bare, mut ours) = (Duration::MAX, Duration::MAX);
        let (mut memory, mut steps) = (0, Value::Null);
        let mut sizes = (0, 0);
        for round in 1..=ROUNDS {
            // In turns, so that a machine that grows slower grows so for both.
            let (took, bytes) = pg_dump(&cluster, &url, driver.folder());
            bare = bare.min(took);
            let run = measured(&driver, &["backup", "full", "--json"]);
            println!(
                "round {round}: pg_dump {took:.2?}, respaldo {:.2?}",
                run.took
            );
            if run.took < ours {
                (ours, steps) = (run.took, run.outcome.json()["pasos"].clone());
            }
            sizes = (bytes, run.outcome.json()["tamano_bytes"].as_u64().unwrap());
            memory = memory.max(run.peak_kib);
            forget(&driver);
        }
        println!("database: {size}");
        println!("bare pg_dump -Fc: {bare:.2?}; respaldo backup full: {ours:.2?}");
        println!("overhead: {:+.1} % (aim: <= 5 %)", overhead(bare, ours));
        println!(
            "peak memory of the engine: {} MiB (aim: <= 64)",
            memory / 1024
        );
        println!(
            "archive: pg_dump {} MB, respaldo {} MB",
            sizes.0 >> 20,
            sizes.1 >> 20
        );
        println!("steps: {steps}");
    }

    #[test]
    fn an_incremental_of_a_thousand_unchanged_tables() {
        let cluster = Cluster::start();
        let url = cluster.new_database("many");
        many(&url, 1_000);
        let driver = Respaldo::new(&cluster, "many").limit(LONGEST);
        driver.ok(&["backup", "full"]);
        let schema = schema_only(&cluster, &url);
        for round in 1..=ROUNDS {
            let run = measured(&driver, &["backup", "inc", "--json"]);
            let made = run.outcome.json();
            assert_eq!(made["tablas_volcadas"], 0, "{made:#}");
            println!(
                "round {round}: {:.2?} (aim: <= 3 s), of which a bare pg_dump --schema-only takes \
                 {schema:.2?}; peak memory {} MiB; steps {}",
                run.took,
                run.peak_kib / 1024,
                made["pasos"]
            );
        }
    }

    /// Rows of text, numbers and times that compress as business data does.
    fn fill(url: &str) {
        let megabytes =
            std::env::var("RESPALDO_BENCH_MB").map_or(MEGABYTES, |mb| mb.parse().unwrap());
        let rows = (megabytes << 20) / TABLES / ROW_BYTES;
        let mut client = Client::connect(url);
        for table in 0..TABLES {
            client.exec(&format!(
                "CREATE TABLE t{table} AS SELECT g AS id, md5(g::text) AS code, 'customer ' || g % 9973 AS name,
                    (g % 100000) / 100.0 AS amount, timestamp '2024-01-01' + g * interval '37 s' AS at,
                    repeat(chr(97 + g % 26), 40) AS note FROM generate_series(1, {rows}) g"
            ));
        }
        client.exec("CHECKPOINT");
    }

    fn many(url: &str, tables: u64) {
        let mut client = Client::connect(url);
        for first in (0..tables).step_by(100) {
            let statements: Vec<String> = (first..first + 100)
                .map(|n| {
                    format!(
                        "CREATE TABLE m{n} (id int PRIMARY KEY, v text, at timestamptz DEFAULT now());
                         INSERT INTO m{n} SELECT g, 'v' || g FROM generate_series(1, 20) g"
                    )
                })
                .collect();
            client.exec(&statements.join(";"));
        }
    }

    /// A run with its duration and the most memory the program itself ever held.
    struct Measured {
        outcome: Outcome,
        took: Duration,
        peak_kib: u64,
    }

    fn measured(driver: &Respaldo, args: &[&str]) -> Measured {
        let start = Instant::now();
        let mut running = driver.spawn(args);
        let status = format!("/proc/{}/status", running.pid());
        let mut peak_kib = 0;
        while !running.has_ended() {
            peak_kib = peak_kib.max(high_water(Path::new(&status)));
            thread::sleep(Duration::from_millis(10));
        }
        let took = start.elapsed();
        let outcome = running.wait(LONGEST);
        assert!(matches!(outcome.code, Some(0 | 3)), "{outcome:#?}");
        Measured {
            outcome,
            took,
            peak_kib,
        }
    }

    fn high_water(status: &Path) -> u64 {
        let text = fs::read_to_string(status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or(0)
    }

    fn pg_dump(cluster: &Cluster, url: &str, folder: &Path) -> (Duration, u64) {
        let file = folder.join("bare.dump");
        let mut command = cluster.tool("pg_dump");
        command.args(["-Fc", "-f"]).arg(&file).args(["-d", url]);
        let took = timed(&mut command);
        let bytes = fs::metadata(&file).unwrap().len();
        fs::remove_file(&file).unwrap();
        (took, bytes)
    }

    fn schema_only(cluster: &Cluster, url: &str) -> Duration {
        timed(
            cluster
                .tool("pg_dump")
                .args(["-Fc", "--schema-only", "-d", url]),
        )
    }

    fn timed(command: &mut Command) -> Duration {
        let start = Instant::now();
        let status = command.stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "{command:?}");
        start.elapsed()
    }

    /// Makes room: the disk is not what is measured.
    fn forget(driver: &Respaldo) {
        driver.ok(&["delete", "--with-dependents", &newest(driver)]);
    }

    fn newest(driver: &Respaldo) -> String {
        driver.ok(&["list", "--json"]).json()[0]["id"].to_string()
    }

    fn overhead(bare: Duration, ours: Duration) -> f64 {
        (ours.as_secs_f64() / bare.as_secs_f64() - 1.0) * 100.0
    }
}
