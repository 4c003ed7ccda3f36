//! How sessions end that are dropped inside a transaction.

use std::thread;
use std::time::{Duration, Instant};

use respaldo_postgres::{ConnInfo, CopySession, Session, SessionOptions};
use respaldo_tests::Cluster;
use tokio::runtime::Builder;

const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn a_session_dropped_on_any_kind_of_thread_says_good_bye() {
    let cluster = Cluster::start();
    let info = ConnInfo::parse(&cluster.new_database("db")).unwrap();
    let info = info.with_option("application_name", "leaving");
    cluster.psql("db", "ALTER SYSTEM SET log_disconnections = on");
    cluster.psql("db", "ALTER SYSTEM SET log_line_prefix = '%a '");
    cluster.psql("db", "SELECT pg_reload_conf()");

    drop(begun(&info));
    let mut copying = CopySession::connect(&info, &SessionOptions::default()).unwrap();
    copying.batch("BEGIN").unwrap();
    drop(copying);
    let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (for_blocking, for_async) = (opened_apart(&info), opened_apart(&info));
        tokio::task::spawn_blocking(move || drop(for_blocking))
            .await
            .unwrap();
        drop(for_async);
    });
    ends_with(&cluster, 4);
}

/// Sessions block, which an asynchronous thread must not.
fn opened_apart(info: &ConnInfo) -> Session {
    thread::scope(|scope| scope.spawn(|| begun(info)).join()).unwrap()
}

fn begun(info: &ConnInfo) -> Session {
    let mut session = Session::connect(info, &SessionOptions::default()).unwrap();
    session.batch("BEGIN").unwrap();
    session
}

/// The server has ended so many sessions of ours, and complains of none.
fn ends_with(cluster: &Cluster, sessions: usize) {
    let began = Instant::now();
    let ended = |log: &str| {
        let of_ours = |line: &&str| line.starts_with("leaving LOG:  disconnection");
        log.lines().filter(of_ours).count()
    };
    let mut log = cluster.log();
    while ended(&log) < sessions && began.elapsed() < LIMIT {
        thread::sleep(Duration::from_millis(50));
        log = cluster.log();
    }
    assert_eq!(ended(&log), sessions, "{log}");
    assert!(!log.contains("unexpected EOF"), "{log}");
}
