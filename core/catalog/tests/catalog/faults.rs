//! A catalog that cannot be reached or written says so, in bounded time and without secrets.

use std::error::Error;
use std::io::Read;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use respaldo_catalog::{CatalogLimits, PgCatalog};
use respaldo_engine::ports::{Catalog, CatalogFilter, Fault, FaultKind};
use respaldo_postgres::ConnInfo;
use respaldo_tests::Client;

use crate::support::{
    APPLICATION_SETVAL, Bench, History, OWNER, application_insert, catalog_at, run_of,
};

fn whole_text(fault: &Fault) -> String {
    let mut text = format!("{fault} {fault:?}");
    let mut source = fault.source();
    while let Some(error) = source {
        text = format!("{text}: {error} {error:?}");
        source = error.source();
    }
    text
}

fn limits(call: Duration) -> CatalogLimits {
    CatalogLimits {
        connect: call,
        statement: call,
        lock: call,
        call: call * 2,
    }
}

#[test]
fn a_server_that_is_away_is_unavailable_and_no_secret_is_told() {
    let info = ConnInfo::parse("postgresql://u:geheim@127.0.0.1:1/app").unwrap();
    let catalog = PgCatalog::connect(info, CatalogLimits::default());
    let fault = catalog.list(&CatalogFilter::default()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(
        fault.subject.contains("listing backups in the catalog"),
        "{fault}"
    );
    assert!(!whole_text(&fault).contains("geheim"));
}

#[test]
fn a_server_that_never_answers_is_unavailable_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgresql://u@{}/app", silent.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = silent.accept().unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard)
    });
    let info = ConnInfo::parse(&url).unwrap();
    let catalog = PgCatalog::connect(info, limits(Duration::from_secs(1)));
    let start = Instant::now();
    assert_eq!(catalog.migrate().unwrap_err().kind, FaultKind::Unavailable);
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_connection_that_broke_between_calls_is_replaced() {
    let bench = Bench::migrated();
    bench.seal(&History::default().full());
    bench.cluster.terminate_sessions("app");
    assert_eq!(
        bench.catalog.list(&CatalogFilter::default()).unwrap().len(),
        1
    );
    bench.cluster.restart();
    assert_eq!(
        bench.catalog.list(&CatalogFilter::default()).unwrap().len(),
        1
    );
}

#[test]
fn a_read_only_server_is_read_but_denies_writes() {
    let bench = Bench::migrated();
    let full = History::default().full();
    bench.seal(&full);
    let url = format!(
        "{}?options=-c%20default_transaction_read_only%3Don",
        bench.cluster.url_as(OWNER, "app")
    );
    let catalog = catalog_at(&url);
    catalog.migrate().unwrap();
    assert!(catalog.find(&full.archive).unwrap().is_some());
    let denied = catalog
        .begin(&run_of(&History::default().full()))
        .unwrap_err();
    assert_eq!(denied.kind, FaultKind::Denied, "{}", whole_text(&denied));
}

#[test]
fn a_role_without_rights_is_denied() {
    let bench = Bench::migrated();
    let stranger = catalog_at(&bench.cluster.url_as("dueno", "app"));
    for fault in [
        stranger.migrate().unwrap_err(),
        stranger.list(&CatalogFilter::default()).unwrap_err(),
        stranger
            .begin(&run_of(&History::default().full()))
            .unwrap_err(),
    ] {
        assert_eq!(fault.kind, FaultKind::Denied, "{}", whole_text(&fault));
    }
}

#[test]
fn a_database_without_our_tables_is_told_from_one_that_is_away() {
    let bench = Bench::empty();
    let fault = bench.catalog.list(&CatalogFilter::default()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
}

#[test]
fn a_lock_that_is_not_released_is_waited_for_in_bounded_time() {
    let bench = Bench::adopted();
    let info = ConnInfo::parse(&bench.cluster.url_as(OWNER, "app")).unwrap();
    let catalog = PgCatalog::connect(info, limits(Duration::from_secs(1)));
    let mut application = Client::connect(&bench.cluster.url_as(OWNER, "app"));
    application.exec(&format!("BEGIN; {APPLICATION_SETVAL}"));
    application.exec(&application_insert(
        "FULL",
        "full_20261101_000000.backup",
        "2026-11-01",
    ));
    let fault = catalog
        .begin(&run_of(&History::default().full()))
        .unwrap_err();
    assert!(fault.kind.is_transient(), "{}", whole_text(&fault));
    application.exec("ROLLBACK");
    catalog.begin(&run_of(&History::default().full())).unwrap();
}

#[test]
fn a_server_that_freezes_in_the_middle_is_unavailable_in_time_and_then_reached_again() {
    let bench = Bench::migrated();
    let info = ConnInfo::parse(&bench.cluster.url_as(OWNER, "app")).unwrap();
    let catalog = PgCatalog::connect(info, limits(Duration::from_secs(1)));
    catalog.list(&CatalogFilter::default()).unwrap();
    let backends = bench.cluster.psql(
        "postgres",
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'respaldo'",
    );
    let signal = |name: &str| {
        for pid in backends.lines() {
            let sent = Command::new("kill").args([name, pid]).status().unwrap();
            assert!(sent.success());
        }
    };
    signal("-STOP");
    let start = Instant::now();
    let fault = catalog.list(&CatalogFilter::default()).unwrap_err();
    let waited = start.elapsed();
    let again = catalog.list(&CatalogFilter::default());
    signal("-CONT");
    assert_eq!(fault.kind, FaultKind::Unavailable);
    assert!(waited < Duration::from_secs(10), "{waited:?}");
    again.unwrap();
}
