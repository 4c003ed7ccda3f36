//! Writes whose counts come late, or are reset while they are read (scenarios 30 and 53).

use std::thread;
use std::time::Duration;

use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Client, Cluster, Journey, Respaldo, pipeline};

use crate::COUNTERS_DECIDE;

const TABLES: &str = "
    CREATE TABLE a AS SELECT g AS id, 'a' || g AS v FROM generate_series(1, 50) g;
    CREATE TABLE b AS SELECT g AS id, 'b' || g AS v FROM generate_series(1, 50) g;
    CREATE TABLE c AS SELECT g AS id, 'c' || g AS v FROM generate_series(1, 50) g;
    CREATE TABLE noise (id int)";

fn live(cluster: &Cluster) {
    let mut client = Client::connect(&cluster.new_database("live"));
    client.exec(TABLES);
    client.leave();
}

/// A driver for which counters decide behind a barrier that waits so long.
fn counting(cluster: &Cluster, deadline_s: f64) -> Respaldo {
    let config = format!("{COUNTERS_DECIDE}\nbarrier_deadline_s = {deadline_s:.1}\n");
    Respaldo::new(cluster, "live").config(&config)
}

/// What the server has counted of a table so far.
fn counted(cluster: &Cluster, what: &str, table: &str) -> String {
    cluster.psql(
        "live",
        &format!("SELECT pg_stat_get_tuples_{what}('{table}'::regclass)"),
    )
}

#[test]
fn a_client_that_commits_in_a_pipeline_and_asks_for_no_answer_hides_nothing() {
    let cluster = Cluster::start();
    live(&cluster);
    let mut journey = Journey::with(&cluster, "live", counting(&cluster, 2.0));
    journey.backup("full");
    let pipelined = [
        "BEGIN",
        "UPDATE a SET v = 'piped' WHERE id = 1",
        "COMMIT",
        "BEGIN",
        "DELETE FROM b WHERE id = 2",
        "COMMIT",
    ];
    let while_open = || {
        let arrived = || cluster.psql("live", "SELECT count(*) FROM b") == "49";
        assert!(wait_until(Duration::from_secs(30), arrived));
        assert_eq!(counted(&cluster, "updated", "a"), "0", "nothing is hidden");
        let point = journey.backup("inc");
        assert_eq!(point.dumped(), ["public.a", "public.b"]);
        assert_eq!(
            counted(&cluster, "updated", "a"),
            "0",
            "the pipeline ended early"
        );
    };
    pipeline::run(
        cluster.port(),
        "live",
        &pipelined.map(str::to_owned),
        while_open,
    )
    .unwrap();
    assert_eq!(journey.backup("inc").dumped(), [""; 0]);
    journey.check();
}

#[test]
fn counters_that_are_reset_while_they_are_read_clear_nothing() {
    let cluster = Cluster::builder().at_least(15).start();
    live(&cluster);
    cluster.psql("live", "SELECT pg_stat_reset()");
    let mut journey = Journey::with(&cluster, "live", counting(&cluster, 40.0));
    journey.backup("full"); // all counters stand at zero

    let mut writer = Client::connect(&cluster.url("live"));
    thread::sleep(Duration::from_millis(1_200));
    writer.exec("INSERT INTO noise VALUES (1)"); // reported: the last report is a second ago
    writer.exec("UPDATE a SET v = 'late' WHERE id = 1"); // reported in ten seconds
    // Counters are read before the snapshot, after it, and behind the barrier. There the epoch has
    // been looked at, and the counters have not.
    let args = ["backup", "inc", "--json"];
    let held = journey
        .respaldo()
        .hold_at_step("detector.counters@3", &args);
    assert_eq!(counted(&cluster, "updated", "a"), "1");
    cluster.psql("live", "SELECT pg_stat_reset()");
    assert_eq!(counted(&cluster, "updated", "a"), "0", "as in the full");
    let outcome = held.release();
    let point = journey.remember(&outcome);
    assert!(point.dumped().contains(&"public.a"), "{point:#?}");
    // The counters of the new epoch are a baseline once something else has proven equality.
    for reason in ["xmin_igual", "contadores_iguales"] {
        assert_eq!(journey.backup("inc").reason("public.a"), reason);
    }
    journey.check();
}
