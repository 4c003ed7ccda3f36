//! Tools that are gone: hidden from the service, and from other commands, by a file system of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use respaldo_tests::respaldo::{Running, binary};

use super::scene::{Scene, end};

/// Where Debian's packages put the tools.
const USUAL: &str = "/usr/lib/postgresql";

/// Runs the binary; everything but a full backup with empty folders in the stead of those that have tools.
const WRAPPER: &str = r#"#!/bin/sh
case "$*" in
*"backup full"*) ;;
*)
    exec unshare --mount -- sh -c '
        for place in $HIDDEN; do mount -t tmpfs none "$place" || exit 9; done
        exec env PATH=/nowhere "$0" "$@"' "$BINARY" "$@" ;;
esac
exec "$BINARY" "$@"
"#;

/// A scene whose services and commands find no tools, and the places where they are hidden.
fn without_tools() -> (Scene, Vec<String>) {
    let mut scene = Scene::open();
    let bin = scene.cluster.bin_dir().to_owned();
    let usual = Path::new(USUAL);
    let places = [usual, &bin].into_iter().filter(|place| place.exists());
    let mut places: Vec<String> = places.map(|place| place.display().to_string()).collect();
    if bin.starts_with(usual) {
        places.truncate(1);
    }
    let wrapper = scene.respaldo.folder().join("without-tools");
    fs::write(&wrapper, WRAPPER).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let program = scene.respaldo.program(&wrapper);
    let binary = binary().display().to_string();
    let program = program.env("BINARY", &binary);
    scene.respaldo = program.env("HIDDEN", &places.join(" "));
    (scene, places)
}

fn uncover(service: &Running, places: &[String]) {
    for place in places.iter().rev() {
        let pid = service.pid().to_string();
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["--target", &pid, "--mount", "umount", place]);
        assert!(nsenter.status().unwrap().success(), "{place}");
    }
}

#[test]
fn without_tools_backups_stop_and_go_on_by_themselves_once_they_are_back() {
    let (scene, places) = without_tools();
    let service = scene.serve();
    let reason = scene.wait_for_state("DETENIDO");
    assert!(reason.contains("pg_dump"), "{reason}");
    assert_eq!((scene.dumps(), scene.made().len()), (0, 0));
    uncover(&service, &places);
    scene.wait_for_state("PROFESIONAL");
    scene.wait_for_backups(1);
    end(service);
}

#[test]
fn stored_backups_are_listed_shown_and_exported_without_tools() {
    let (scene, _) = without_tools();
    let respaldo = &scene.respaldo;
    let made = respaldo.ok(&["backup", "full", "--json"]).json();
    let name = made["nombre"].as_str().unwrap();
    let listed = respaldo.ok(&["list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed:#}");
    respaldo.ok(&["show", name, "--json"]);
    respaldo.ok(&["export", "--id", name, "-o", "out.dump"]);
    respaldo.ok(&["escape-kit", "--id", name, "-o", "kit"]);
    assert!(respaldo.folder().join("out.dump").exists());
    let refused = respaldo.run(&["backup", "inc", "--json"]);
    refused.expect_error(12, "tools-missing");
}
