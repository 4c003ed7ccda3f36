//! How a session talks to the server.

use std::time::{Duration, Instant};

use respaldo_postgres::{ConnInfo, Session, SessionOptions, sql};
use respaldo_tests::Cluster;

#[test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "elsewhere the driver's sockets stay as they are"
)]
fn a_short_copy_does_not_wait_for_the_server_to_acknowledge_its_rows() {
    const COPIES: u32 = 50;
    let cluster = Cluster::start();
    let url = cluster.new_database("short");
    let info = ConnInfo::parse(&url).unwrap();
    let mut session = Session::connect(&info, &SessionOptions::default()).unwrap();
    session
        .execute(sql("CREATE TABLE public.t (a int)"))
        .unwrap();
    let start = Instant::now();
    for _ in 0..COPIES {
        let mut copy = session.copy_in("COPY public.t FROM stdin").unwrap();
        copy.send(b"1\n").unwrap();
        assert_eq!(copy.finish().unwrap(), 1);
    }
    let each = start.elapsed() / COPIES;
    assert!(each < Duration::from_millis(30), "{each:?}");
}

/// The driver reads one answer less than the server gives: what is asked next would be given the answers to what was before.
#[test]
fn a_session_whose_copy_the_server_had_refused_before_it_was_given_up_answers_no_more() {
    let cluster = Cluster::start();
    let info = ConnInfo::parse(&cluster.new_database("refused")).unwrap();
    let mut session = Session::connect(&info, &SessionOptions::default()).unwrap();
    session
        .execute(sql("CREATE TABLE public.t (a int)"))
        .unwrap();
    for (row, is_lost) in [("1\n", false), ("x\n", true)] {
        let mut copy = session.copy_in("COPY public.t FROM stdin").unwrap();
        copy.send(row.as_bytes()).unwrap();
        assert_eq!(copy.abort("enough").is_err(), is_lost, "{row:?}");
        assert_eq!(session.is_lost(), is_lost, "{row:?}");
        assert_eq!(session.batch("SELECT 1").is_err(), is_lost, "{row:?}");
    }
    let mut session = Session::connect(&info, &SessionOptions::default()).unwrap();
    let rows: i64 = session.value(sql("SELECT count(*) FROM public.t")).unwrap();
    assert_eq!(rows, 0);
}
