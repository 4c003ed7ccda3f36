//! What a server's log says of our sessions.

use respaldo_tests::{Client, Cluster, Respaldo, schema};

/// The alarms of whoever runs the server must not go off every night: a session that ends inside a
/// transaction without a word is complained of in its log.
#[test]
fn no_session_leaves_without_a_word() {
    let cluster = Cluster::start();
    for dumper in ["parallel", "pg-dump"] {
        live_through(&cluster, dumper);
    }
    let log = cluster.log();
    let complaints = log
        .lines()
        .filter(|line| line.contains("client connection"));
    assert_eq!(complaints.collect::<Vec<_>>(), Vec::<&str>::new());
}

fn live_through(cluster: &Cluster, dumper: &str) {
    let db = dumper.replace('-', "_");
    let mut client = Client::connect(&cluster.new_database(&db));
    schema::load(cluster, &db, "postgres");
    let respaldo = Respaldo::new(cluster, &db).env("RESPALDO_DUMPER__USE", dumper);
    // Tools older than the server are warned of.
    let done = |args: &[&str]| {
        let outcome = respaldo.run(args);
        assert!(outcome.is_done(), "{outcome:#?}");
    };
    client.exec("CREATE TABLE days (day date)");
    for kind in ["full", "inc", "dif"] {
        client.exec("INSERT INTO days VALUES (now())");
        done(&["backup", kind]);
    }
    done(&["validate", "--all", "--level", "drill"]);
    let again = format!("{db}_again");
    done(&[
        "restore",
        "--at",
        "latest",
        "--target-db",
        &again,
        "--create",
        "--yes",
    ]);
    done(&["doctor"]);
}
