//! A dump with several connections that loses one, waits for a lock, or runs out of room ends with
//! a fault and without an archive; the next one is made.

use std::time::Duration;

use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Client, Outcome, Scene};

fn scene() -> Scene {
    let scene = Scene::open();
    let respaldo = scene.respaldo.env("RESPALDO_DUMPER__USE", "parallel");
    let scene = Scene { respaldo, ..scene };
    scene.client().exec(
        "CREATE TABLE bank.a AS SELECT g, repeat(md5(g::text), 30) AS v FROM generate_series(1, 90000) g;
         CREATE TABLE bank.b AS SELECT g, repeat(md5(g::text), 30) AS v FROM generate_series(1, 90000) g",
    );
    scene
}

/// Failed with this exit code, and nothing of it is anywhere.
fn assert_nothing(scene: &Scene, outcome: &Outcome, code: i32) {
    assert_eq!(outcome.code, Some(code), "{outcome:#?}");
    assert_eq!(scene.repository.sealed(), [""; 0], "{outcome:#?}");
    scene.assert_tidy("after the fault");
}

fn next_is_whole(scene: &Scene) {
    let made = scene.backup_name("full");
    scene.assert_restores(&made, &scene.image());
}

const COPYING: &str =
    "SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'";

#[test]
fn a_connection_killed_in_the_middle_of_a_copy_ends_the_dump() {
    let scene = scene();
    let mut running = scene.respaldo.spawn(&["backup", "full", "--json"]);
    let mut client = Client::connect(&scene.cluster.url("postgres"));
    let caught = wait_until(Duration::from_secs(20), || {
        let found = client.column(COPYING);
        let first = found.first().cloned();
        first.is_some_and(|pid| client.one(&format!("SELECT pg_terminate_backend({pid})")) == "t")
            || running.has_ended()
    });
    assert!(caught && !running.has_ended(), "no COPY was seen");
    let outcome = running.wait(Duration::from_mins(1));
    assert_nothing(&scene, &outcome, 12);
    next_is_whole(&scene);
}

#[test]
fn a_server_that_crashes_in_the_middle_of_a_copy_ends_the_dump() {
    let scene = scene();
    let mut running = scene.respaldo.spawn(&["backup", "full", "--json"]);
    let mut client = Client::connect(&scene.cluster.url("postgres"));
    let caught = wait_until(Duration::from_secs(20), || {
        !client.column(COPYING).is_empty() || running.has_ended()
    });
    assert!(caught && !running.has_ended(), "no COPY was seen");
    drop(client);
    scene.cluster.crash();
    let outcome = running.wait(Duration::from_mins(1));
    assert_eq!(outcome.code, Some(12), "{outcome:#?}");
    assert_eq!(scene.repository.sealed(), [""; 0]);
    next_is_whole(&scene);
    scene.assert_tidy("after a crash");
}

#[test]
fn a_table_that_stays_locked_ends_the_dump_and_is_named() {
    let scene = scene();
    let mut client = scene.client();
    client.exec("BEGIN; LOCK TABLE bank.b IN ACCESS EXCLUSIVE MODE");
    let outcome = scene.respaldo.run(&["backup", "full", "--json"]);
    assert_nothing(&scene, &outcome, 12);
    assert_eq!(outcome.error_code(), "lock-timeout", "{outcome:#?}");
    client.exec("ROLLBACK");
    next_is_whole(&scene);
}

#[test]
fn an_interruption_in_the_middle_of_a_dump_is_heard_at_once() {
    let scene = scene();
    let mut running = scene.respaldo.spawn(&["backup", "full", "--json"]);
    let mut client = Client::connect(&scene.cluster.url("postgres"));
    let caught = wait_until(Duration::from_secs(20), || {
        !client.column(COPYING).is_empty() || running.has_ended()
    });
    assert!(caught && !running.has_ended(), "no COPY was seen");
    running.signal("TERM");
    let outcome = running.wait(Duration::from_secs(15));
    assert_nothing(&scene, &outcome, 130);
    next_is_whole(&scene);
}

#[test]
fn a_spool_without_room_ends_the_dump() {
    let scene = scene();
    let script = scene.respaldo.folder().join("limited.sh");
    let binary = respaldo_tests::respaldo::binary();
    let text = format!(
        "#!/bin/sh\ntrap '' XFSZ\nulimit -f 2000\nexec {} \"$@\"\n",
        binary.display()
    );
    std::fs::write(&script, text).unwrap();
    let mut chmod = std::process::Command::new("chmod");
    super::stock::succeed(chmod.arg("755").arg(&script));
    let scene = Scene {
        respaldo: scene.respaldo.program(&script),
        ..scene
    };
    let outcome = scene.respaldo.run(&["backup", "full", "--json"]);
    assert_nothing(&scene, &outcome, 13);
    let scene = Scene {
        respaldo: scene.respaldo.program(&binary),
        ..scene
    };
    next_is_whole(&scene);
}
