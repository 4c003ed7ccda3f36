//! Runs that fail, are stopped or killed leave nothing that looks like a backup.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use respaldo_tests::respaldo::{Running, binary, wait_until};
use respaldo_tests::{Client, Respaldo};

use crate::scene::{DB, Scene, notices};

/// A backup that waits for a table somebody holds, and whoever holds it.
fn held(scene: &Scene, kind: &str) -> (Running, Client) {
    let mut holder = scene.client();
    holder.exec("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    let running = scene.respaldo.spawn(&["legacy", "backup", kind, "--json"]);
    let mut watcher = Client::connect(&scene.cluster.url("postgres"));
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    let waiting = wait_until(Duration::from_mins(1), || watcher.one(waits) != "0");
    assert!(waiting, "the dump does not wait for the table");
    (running, holder)
}

#[test]
fn a_run_that_is_killed_leaves_nothing_that_looks_whole_and_the_next_clears_up() {
    let scene = Scene::open();
    let (running, mut holder) = held(&scene, "daily");
    assert_eq!(scene.unfinished("daily").len(), 1);
    running.kill();
    assert_eq!(scene.backups("daily"), Vec::<String>::new());
    let listed = scene.run(&["list", "--json"]).json();
    assert_eq!(listed, serde_json::json!([]));
    holder.exec("ROLLBACK");
    let outcome = scene.run(&["backup", "daily", "--json"]);
    outcome.expect_code(3);
    assert_eq!(notices(&outcome.json()), ["limpieza"]);
    assert_eq!(scene.backups("daily").len(), 1);
    assert_eq!(scene.unfinished("daily"), Vec::<String>::new());
    scene.backup("daily");
}

#[test]
fn one_run_at_a_time_and_a_stopped_one_leaves_nothing() {
    let scene = Scene::open();
    let (running, holder) = held(&scene, "weekly");
    let second = scene.run(&["backup", "manual", "--json"]);
    second.expect_error(11, "legacy-busy");
    running.signal("TERM");
    let outcome = running.wait(Duration::from_mins(1));
    outcome.expect_error(130, "interrupted");
    assert_eq!(scene.backups("weekly"), Vec::<String>::new());
    assert_eq!(scene.unfinished("weekly"), Vec::<String>::new());
    drop(holder);
    scene.backup("weekly");
}

#[test]
fn a_dump_that_fails_leaves_nothing() {
    let scene = Scene::open();
    let url = scene.cluster.url_as("dueno_sin_createdb", DB);
    let stranger = Respaldo::for_url(&scene.cluster, &url);
    let outcome = stranger.run(&["legacy", "backup", "daily", "--json"]);
    outcome.expect_error(12, "dump-failed");
    let folder = stranger.folder().join("backups/daily");
    assert_eq!(crate::scene::names(&folder), Vec::<String>::new());
}

#[test]
fn a_folder_that_cannot_be_used_and_a_server_that_is_away_are_told_apart() {
    let scene = Scene::open();
    fs::write(scene.folder(), "a file").unwrap();
    let outcome = scene.run(&["backup", "daily", "--json"]);
    outcome.expect_error(13, "output-failed");
    fs::remove_file(scene.folder()).unwrap();
    scene.cluster.stop();
    let outcome = scene.run(&["backup", "daily", "--json"]);
    outcome.expect_error(12, "source-unreachable");
    let listed = scene.run(&["list", "--json"]);
    listed.expect_code(0);
    scene.cluster.start_again();
    scene.backup("daily");
}

#[test]
fn without_room_there_is_no_file_and_with_room_again_there_is() {
    let scene = Scene::open();
    scene.sql("INSERT INTO t SELECT g, md5(g::text) || md5(g::text || 'x') FROM generate_series(4, 20000) g");
    let script = scene.respaldo.folder().join("limited");
    let text = format!(
        "#!/bin/bash\nulimit -f 64\ntrap '' XFSZ\nexec {} \"$@\"\n",
        binary().display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let Scene { cluster, respaldo } = scene;
    let scene = Scene {
        cluster,
        respaldo: respaldo.program(&script),
    };
    let outcome = scene.run(&["backup", "daily", "--json"]);
    outcome.expect_error(12, "dump-failed");
    assert_eq!(scene.backups("daily"), Vec::<String>::new());
    assert_eq!(scene.unfinished("daily"), Vec::<String>::new());
    let Scene { cluster, respaldo } = scene;
    let scene = Scene {
        cluster,
        respaldo: respaldo.program(&binary()),
    };
    scene.assert_restores(&scene.backup("daily"), &scene.image());
}
