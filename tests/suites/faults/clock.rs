//! The clock moved back: the newest backup seems to come from the future. History goes by the
//! order of backups, not by the clock.

use std::fs;
use std::process::Command;

use respaldo_tests::{Repository, Scene};

const SEAL: &str = "\"sello\":\"";

/// Moves every time of a manifest on by a thousand years and seals it again.
fn send_to_the_future(repository: &Repository, archive: &str) {
    let path = repository.path(&repository.manifest_key(archive));
    let text = fs::read_to_string(&path).unwrap();
    let (content, _) = text.split_once(SEAL).unwrap();
    let content = content
        .replace(":\"20", ":\"30")
        .replace(": \"20", ": \"30");
    let seal = sha256(&content);
    fs::write(&path, format!("{content}{SEAL}{seal}\"\n}}\n")).unwrap();
    // A cache; the first backup of a repository leaves none.
    let _ = fs::remove_file(repository.path(".respaldo/index.json"));
}

fn sha256(text: &str) -> String {
    let out = respaldo_tests::cluster::feed(&mut Command::new("sha256sum"), text.as_bytes());
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_clock_that_moved_back_is_said_and_history_goes_on_in_order() {
    let scene = Scene::open();
    let first = scene.backup_name("full");
    send_to_the_future(&scene.repository, &first);
    let manifest = scene.repository.manifest(&first);
    assert!(
        manifest["instantanea"].as_str().unwrap().starts_with("30"),
        "{manifest:#}"
    );
    scene.day(1);
    let outcome = scene.respaldo.run(&["backup", "inc", "--json"]);
    assert_eq!(outcome.code, Some(3), "{outcome:#?}");
    let json = outcome.json();
    let warnings = json["avisos"].to_string();
    assert!(warnings.contains("reloj_atrasado"), "{warnings}");
    assert_eq!(json["tipo"], "INCREMENTAL", "{json:#}");
    let second = json["nombre"].as_str().unwrap().to_owned();
    let latest = [
        "restore",
        "--at",
        "latest",
        "--target-db",
        "copy",
        "--create",
        "--json",
    ];
    let restored = scene.respaldo.run(&latest);
    assert!(restored.is_done(), "{restored:#?}");
    respaldo_tests::assert_equal(&scene.image(), &scene.image_of("copy"));
    let valid = scene.respaldo.run(&["validate", &second, "--json"]);
    assert_eq!(valid.code, Some(0), "{valid:#?}");
}
