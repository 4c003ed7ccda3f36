//! The clock moved back: the newest backup seems to come from the future. History goes by the
//! order of backups, not by the clock.

use respaldo_tests::{Repository, Scene};

/// Moves every time of a manifest on by a thousand years and seals it again.
fn send_to_the_future(repository: &Repository, archive: &str) {
    // Years with what follows them: hashes may begin so, too.
    let year = |text: String, year: u32| {
        text.replace(&format!("\"{year}-"), &format!("\"{}-", year + 1000))
    };
    repository.reseal(archive, |text| (2020..2100).fold(text.to_owned(), year));
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
