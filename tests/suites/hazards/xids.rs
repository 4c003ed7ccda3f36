//! Transaction ids far ahead: beyond half of their 32 bits, and beyond all of them (case 71).

use respaldo_tests::{Client, Cluster, Journey};

/// Room for the transactions of a full before the boundary.
const BEFORE: u32 = 400;

/// A server that can be told where to go on; some ready-made ones come without that program.
fn cluster() -> Cluster {
    let usual = Cluster::start();
    if usual.bin("pg_resetwal").is_file() {
        return usual;
    }
    drop(usual);
    Cluster::builder().version(15).start()
}

fn current(client: &mut Client) -> u64 {
    client.one("SELECT txid_current()").parse().unwrap()
}

/// Backups on both sides of `boundary`, and of rows written on both sides of it.
fn cross(journey: &mut Journey<'_>, boundary: u64) {
    journey
        .cluster()
        .jump_to_transaction((boundary - u64::from(BEFORE)) as u32);
    let mut client = Client::connect(&journey.cluster().url("live"));
    client.exec("UPDATE a SET v = 'just before' WHERE id = 1");
    journey.backup("full");
    assert!(
        current(&mut client) < boundary,
        "the full took all the room"
    );
    while current(&mut client) <= boundary {}
    assert_eq!(
        journey.backup("inc").dumped(),
        [""; 0],
        "nothing was written"
    );
    client.exec("UPDATE a SET v = 'just after' WHERE id = 2");
    assert_eq!(journey.backup("inc").dumped(), ["public.a"]);
    client.exec("DELETE FROM b WHERE id = (SELECT min(id) FROM b)");
    client.exec("VACUUM (FREEZE) a");
    assert_eq!(journey.backup("inc").dumped(), ["public.b"]);
    assert_eq!(journey.backup("dif").dumped(), ["public.a", "public.b"]);
    assert_eq!(journey.backup("inc").dumped(), [""; 0]);
}

#[test]
fn transaction_ids_beyond_half_of_their_range_and_across_its_end_are_told_apart() {
    let cluster = cluster();
    Client::connect(&cluster.new_database("live")).exec(
        "CREATE TABLE a AS SELECT g AS id, 'a' || g AS v FROM generate_series(1, 50) g;
         CREATE TABLE b AS SELECT g AS id, 'b' || g AS v FROM generate_series(1, 50) g",
    );
    let mut journey = Journey::new(&cluster, "live");
    cross(&mut journey, 1 << 31);
    cross(&mut journey, 1 << 32);
    journey.check();
}
