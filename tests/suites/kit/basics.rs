//! Clusters and sessions.

use std::process::Command;

use respaldo_tests::{Client, Cluster};

#[test]
fn a_cluster_starts_answers_and_leaves_nothing_behind() {
    let cluster = Cluster::start();
    let data = cluster.data_dir();
    assert_eq!(
        cluster.psql("postgres", "SELECT 1; SELECT 'a' || chr(10) || 'b'"),
        "1\na\nb"
    );
    let pid = cluster.psql("postgres", "SELECT pg_backend_pid()");
    drop(cluster);
    assert!(!data.exists());
    assert!(
        !Command::new("kill")
            .args(["-0", &pid])
            .output()
            .unwrap()
            .status
            .success()
    );
}

#[test]
fn a_cluster_survives_restart_crash_and_a_killed_backend() {
    let cluster = Cluster::start();
    let url = cluster.new_database("una base=rara \"x\" ñ");
    cluster.psql("una base=rara \"x\" ñ", "CREATE TABLE t AS SELECT 1 AS a");
    cluster.restart();
    cluster.crash();
    let mut victim = Client::connect(&url);
    let pid = victim.pid();
    cluster.kill_backend(pid);
    assert!(victim.try_exec("SELECT 1").is_err());
    // A session may begin before the postmaster has seen the death, and goes down with the others.
    let answer = |_| Client::try_connect(&url)?.try_rows("SELECT a FROM t");
    let back = (0..100).find_map(|n| answer(n).ok().or_else(pause));
    assert_eq!(back, Some(vec![vec![Some("1".to_owned())]]));
}

fn pause<T>() -> Option<T> {
    std::thread::sleep(std::time::Duration::from_millis(50));
    None
}

#[test]
fn settings_identity_and_roles_are_as_asked() {
    let cluster = Cluster::builder()
        .conf("wal_level", "logical")
        .own_identity()
        .start();
    let other = Cluster::start();
    assert_eq!(cluster.psql("postgres", "SHOW wal_level"), "logical");
    let identity = "SELECT system_identifier FROM pg_control_system()";
    assert_ne!(
        cluster.psql("postgres", identity),
        other.psql("postgres", identity)
    );
    let url = cluster.owned_database("suya", "dueno_sin_createdb");
    let mut client = Client::connect(&url);
    client.exec("CREATE TABLE public.t (a int)");
    assert_eq!(
        client.one("SELECT rolsuper::text FROM pg_roles WHERE rolname = 'dueno'"),
        "false"
    );
    assert!(
        client
            .try_exec("CREATE DATABASE x")
            .unwrap_err()
            .starts_with("42501")
    );
}

#[test]
fn sessions_stay_open_side_by_side() {
    let cluster = Cluster::start();
    let url = cluster.new_database("lado");
    let (mut a, mut b) = (Client::connect(&url), Client::connect(&url));
    a.exec("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, NULL)");
    a.exec("BEGIN; UPDATE t SET b = 'x'");
    assert_eq!(
        b.rows("SELECT * FROM t"),
        vec![vec![Some("1".to_owned()), None]]
    );
    a.exec("COMMIT");
    assert_eq!(b.one("SELECT b FROM t"), "x");
}

#[test]
fn psql_errors_are_told() {
    let cluster = Cluster::start();
    let error = cluster
        .try_psql("postgres", "SELECT 1; SELECT nada")
        .unwrap_err();
    assert!(error.contains("nada"), "{error}");
}
