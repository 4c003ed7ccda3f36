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
