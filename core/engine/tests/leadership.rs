//! Who leads, on real servers: exclusion, and what happens when a leader dies, is cut off or gives up.
#![expect(
    clippy::unwrap_used,
    reason = "what cannot be set up must fail the test at once"
)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use respaldo_engine::Lease;
use respaldo_engine::leadership::{Candidacy, Instance, Leader, Leadership, current_leader};
use respaldo_engine::ports::FaultKind;
use respaldo_postgres::ConnInfo;
use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Cluster, Proxy};

/// Role that owns the database; not a superuser.
const OWNER: &str = "dueno_sin_createdb";
const TABLE: &str = include_str!("../../../migrations/0003_leader.sql");

/// Within which another must lead.
const TAKE_OVER: Duration = Duration::from_secs(30);
/// A leader stops by itself after ten seconds, and what it takes to notice.
const GIVES_UP: Duration = Duration::from_secs(14);

fn instance(name: &str) -> Instance {
    Instance {
        name: name.to_owned(),
        ..Instance::here()
    }
}

/// A database whose owner is no superuser, with the table that shows who leads.
fn bench() -> (Cluster, ConnInfo) {
    let cluster = Cluster::start();
    let url = cluster.owned_database("app", OWNER);
    cluster.psql_as(OWNER, "app", "CREATE SCHEMA seguridad");
    cluster.psql_as(OWNER, "app", TABLE);
    (cluster, ConnInfo::parse(&url).unwrap())
}

fn try_lead(source: &ConnInfo, name: &str) -> Option<Leader> {
    Leadership::campaign(source, &instance(name)).unwrap()
}

/// Campaigns until it leads; how long that took.
fn takes_over(source: &ConnInfo, name: &str) -> (Leader, Duration) {
    let begin = Instant::now();
    let mut leader = None;
    let led = wait_until(TAKE_OVER, || {
        leader = try_lead(source, name);
        leader.is_some()
    });
    assert!(led, "nobody took over within {TAKE_OVER:?}");
    (leader.unwrap(), begin.elapsed())
}

fn recorded(source: &ConnInfo, name: &str) -> bool {
    let record = current_leader(source).unwrap().and_then(|now| now.record);
    record.is_some_and(|record| record.instance.name == name)
}

#[test]
fn one_leads_at_a_time_and_the_row_says_who() {
    let (_cluster, source) = bench();
    assert_eq!(current_leader(&source).unwrap(), None);
    let first = try_lead(&source, "first").unwrap();
    assert!(try_lead(&source, "second").is_none());
    assert!(wait_until(TAKE_OVER, || recorded(&source, "first")));
    first.say("backing up");
    let said = || current_leader(&source).unwrap().unwrap().record.unwrap();
    assert!(wait_until(TAKE_OVER, || said().state == "backing up"));
    assert_eq!(said().token, first.token());
    assert!(!first.lost().is_set());

    let (lost, token) = (first.lost().clone(), first.token());
    first.resign().unwrap();
    assert!(lost.is_set(), "nothing runs on after a resignation");
    let second = try_lead(&source, "second").unwrap();
    assert!(second.token() > token);
}

#[test]
fn a_token_is_larger_than_that_on_record_whatever_the_clock_says() {
    let (cluster, source) = bench();
    let future = 9_000_000_000_000_000_i64;
    cluster.psql_as(
        OWNER,
        "app",
        &format!(
            "INSERT INTO seguridad.respaldo_leader \
             VALUES (true, {future}, 'x', 'x', 1, 1, 'x', now(), now())"
        ),
    );
    assert_eq!(try_lead(&source, "next").unwrap().token(), future + 1);
}

/// Not a test: what another test kills. Leads until then.
#[test]
#[ignore = "a process for another test"]
fn leads_until_killed() {
    let source = ConnInfo::parse(&std::env::var("LEADS_AT").unwrap()).unwrap();
    let _leader = try_lead(&source, "killed").unwrap();
    println!("\nLEADS");
    std::thread::sleep(Duration::from_mins(2));
}

#[test]
fn when_the_leader_is_killed_another_leads() {
    let (cluster, source) = bench();
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "leads_until_killed", "--ignored", "--nocapture"])
        .env("LEADS_AT", cluster.url_as(OWNER, "app"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "LEADS"));
    assert!(try_lead(&source, "waiting").is_none());
    process.kill().unwrap();
    process.wait().unwrap();
    takes_over(&source, "waiting");
}

#[test]
fn a_leader_that_is_cut_off_stops_before_another_leads() {
    let (cluster, source) = bench();
    let proxy = Proxy::before(cluster.port());
    let url = format!("postgresql://{OWNER}@127.0.0.1:{}/app", proxy.port());
    let cut_off = try_lead(&ConnInfo::parse(&url).unwrap(), "cut off").unwrap();
    assert!(wait_until(TAKE_OVER, || recorded(&source, "cut off")));

    proxy.cut();
    let begin = Instant::now();
    let lost = cut_off.lost().clone();
    let mut next = None;
    let led = wait_until(TAKE_OVER, || {
        let stopped = lost.is_set();
        next = try_lead(&source, "next");
        assert!(next.is_none() || stopped, "two lead at once");
        next.is_some()
    });
    assert!(led, "nobody led {TAKE_OVER:?} after the cut");
    assert!(next.unwrap().token() > cut_off.token());
    println!("took over after {:?}", begin.elapsed());
}

#[test]
fn a_leader_that_is_cut_off_gives_up_after_ten_seconds() {
    let (cluster, _) = bench();
    let proxy = Proxy::before(cluster.port());
    let url = format!("postgresql://{OWNER}@127.0.0.1:{}/app", proxy.port());
    let leader = try_lead(&ConnInfo::parse(&url).unwrap(), "cut off").unwrap();
    proxy.cut();
    assert!(wait_until(GIVES_UP, || leader.lost().is_set()));
}

#[test]
fn a_leader_whose_session_ends_has_lost() {
    let (cluster, source) = bench();
    let leader = try_lead(&source, "first").unwrap();
    cluster.terminate_sessions("app");
    assert!(wait_until(GIVES_UP, || leader.lost().is_set()));
    takes_over(&source, "second");
}

#[test]
fn nothing_is_written_in_the_name_of_a_leader_that_was_replaced() {
    let (cluster, source) = bench();
    let first = try_lead(&source, "first").unwrap();
    let mandate = first.mandate().clone();
    let mut lease = Lease::acquire(&source).unwrap();
    lease.confirm(Some(&mandate)).unwrap();
    first.resign().unwrap();
    let refused = lease.confirm(Some(&mandate)).unwrap_err();
    assert_eq!(refused.kind, FaultKind::Busy);
    let second = try_lead(&source, "second").unwrap();
    let refused = lease.confirm(Some(&mandate)).unwrap_err();
    assert_eq!(refused.kind, FaultKind::Busy);
    lease.confirm(None).unwrap();

    // The same process of the server, and a newer token on record.
    drop(second);
    let third = try_lead(&source, "third").unwrap();
    assert!(wait_until(TAKE_OVER, || recorded(&source, "third")));
    cluster.psql_as(
        OWNER,
        "app",
        "UPDATE seguridad.respaldo_leader SET token = token + 1",
    );
    assert!(lease.confirm(Some(third.mandate())).is_err());
    assert!(wait_until(GIVES_UP, || third.lost().is_set()));
}

#[test]
fn without_rights_or_without_a_table_the_lock_alone_counts() {
    let (cluster, owner) = bench();
    cluster.psql("postgres", "CREATE ROLE reader LOGIN");
    let reader = ConnInfo::parse(&cluster.url_as("reader", "app")).unwrap();
    let leader = try_lead(&reader, "reader").unwrap();
    assert!(try_lead(&owner, "owner").is_none());
    let seen = current_leader(&owner).unwrap().unwrap();
    assert_eq!(seen.record, None);
    let mut lease = Lease::acquire(&owner).unwrap();
    lease.confirm(Some(leader.mandate())).unwrap();
    let replaced = leader.mandate().clone();
    leader.resign().unwrap();
    let _next = try_lead(&owner, "next").unwrap();
    assert!(lease.confirm(Some(&replaced)).is_err());
}

#[test]
fn a_table_that_is_locked_or_dropped_costs_nobody_the_lead() {
    let (cluster, source) = bench();
    let leader = try_lead(&source, "first").unwrap();
    assert!(wait_until(TAKE_OVER, || recorded(&source, "first")));
    let mut other = respaldo_tests::Client::connect(&cluster.url_as(OWNER, "app"));
    other.exec("BEGIN; LOCK TABLE seguridad.respaldo_leader IN ACCESS EXCLUSIVE MODE");
    assert!(!wait_until(GIVES_UP, || leader.lost().is_set()));
    other.exec("DROP TABLE seguridad.respaldo_leader; COMMIT");
    assert!(!wait_until(Duration::from_secs(5), || leader
        .lost()
        .is_set()));
}

#[test]
fn on_a_standby_the_lock_alone_counts() {
    let (cluster, _) = bench();
    let standby = cluster.standby();
    let source = ConnInfo::parse(&standby.url_as(OWNER, "app")).unwrap();
    let leader = try_lead(&source, "first").unwrap();
    assert!(try_lead(&source, "second").is_none());
    assert_eq!(current_leader(&source).unwrap().unwrap().record, None);
    assert!(!wait_until(Duration::from_secs(5), || leader
        .lost()
        .is_set()));
    leader.resign().unwrap();
    assert!(try_lead(&source, "second").is_some());
}

#[test]
fn a_record_that_makes_no_sense_costs_nobody_the_lead() {
    let columns = "single boolean, token bigint, instance text, host text, pid bigint, backend integer, \
                   state text, started_at timestamptz, heartbeat_at timestamptz";
    let row = "INSERT INTO seguridad.respaldo_leader (single) VALUES (true)";
    let damages = [
        "CREATE TABLE seguridad.respaldo_leader (token text); \
         INSERT INTO seguridad.respaldo_leader VALUES ('nonsense')"
            .to_owned(),
        "CREATE VIEW seguridad.respaldo_leader AS SELECT 'nonsense' AS token".to_owned(),
        format!("CREATE TABLE seguridad.respaldo_leader ({columns}); {row}"),
        format!(
            "CREATE TABLE seguridad.respaldo_leader ({columns}); {row}; \
             ALTER TABLE seguridad.respaldo_leader ADD PRIMARY KEY (single)"
        ),
        "CREATE TABLE seguridad.respaldo_leader (other int)".to_owned(),
    ];
    let (cluster, source) = bench();
    for damage in damages {
        let script = "DROP VIEW IF EXISTS seguridad.respaldo_leader";
        let _ = cluster.try_psql("app", script);
        let _ = cluster.try_psql("app", "DROP TABLE IF EXISTS seguridad.respaldo_leader");
        cluster.psql_as(OWNER, "app", &damage);
        let leader = try_lead(&source, "first").unwrap();
        assert!(current_leader(&source).unwrap().is_some(), "{damage}");
        let mut lease = Lease::acquire(&source).unwrap();
        lease.confirm(Some(leader.mandate())).unwrap();
        let lost = wait_until(Duration::from_secs(5), || leader.lost().is_set());
        assert!(!lost, "{damage}");
        leader.resign().unwrap();
    }
}

#[test]
fn who_lost_the_lead_does_not_lead_again_before_its_run_has_let_go() {
    let (cluster, source) = bench();
    let proxy = Proxy::before(cluster.port());
    let url = format!("postgresql://{OWNER}@127.0.0.1:{}/app", proxy.port());
    let far = ConnInfo::parse(&url).unwrap();
    let candidacy = Candidacy::begin(&far, &instance("far"), || ()).unwrap();
    assert!(wait_until(TAKE_OVER, || candidacy.leader().is_some()));
    let run = candidacy.leader().unwrap();
    proxy.reset();
    assert!(wait_until(TAKE_OVER, || run.lost().is_set()));
    let leads = || current_leader(&source).unwrap().is_some();
    assert!(wait_until(TAKE_OVER, || !leads()), "the server frees it");
    assert!(!wait_until(Duration::from_secs(8), leads), "its run hangs");
    drop(run);
    assert!(wait_until(TAKE_OVER, || candidacy.leader().is_some()));
}

#[test]
fn that_nobody_can_lead_is_known_and_that_another_leads_is_no_trouble() {
    let (_cluster, source) = bench();
    let _first = try_lead(&source, "first").unwrap();
    let waiting = Candidacy::begin(&source, &instance("waiting"), || ()).unwrap();
    assert!(waiting.trouble(TAKE_OVER).is_none());
    let nowhere = ConnInfo::parse("postgresql://nobody@127.0.0.1:1/none").unwrap();
    let lost = Candidacy::begin(&nowhere, &instance("lost"), || ()).unwrap();
    let trouble = lost.trouble(TAKE_OVER).unwrap();
    assert_eq!(trouble.kind, FaultKind::Unavailable);
}
