//! Making backups: names, folders, completeness, copies, what the database is told.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::scene::{Scene, notices};

/// Defect 48.
#[test]
fn a_folder_that_is_missing_is_made_and_each_type_gets_a_whole_private_file() {
    let scene = Scene::with_application();
    let image = scene.image();
    for kind in ["daily", "weekly", "monthly", "manual"] {
        let file = scene.backup(kind);
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("backup_{kind}_20")), "{name}");
        assert!(file.starts_with(scene.folder().join(kind)), "{file:?}");
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&file) & 0o777, 0o600);
        assert_eq!(mode(file.parent().unwrap()) & 0o777, 0o700);
        assert_eq!(scene.unfinished(kind), Vec::<String>::new());
    }
    let listed = scene.run(&["list", "--json"]).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 4);
    for key in ["name", "path", "type", "size", "created"] {
        assert!(listed.iter().all(|file| !file[key].is_null()), "{key}");
    }
    assert!(listed.iter().all(|file| file["propietario"] == "propio"));
    // The image tells of rows that the backups themselves changed: ultimo_daily and its siblings.
    let file = scene.backup("manual");
    let now = scene.image();
    assert_ne!(image, now);
    scene.assert_restores(&file, &now);
}

#[test]
fn a_second_that_is_taken_gives_another_name() {
    let scene = Scene::open();
    let manual = scene.folder().join("manual");
    fs::create_dir_all(&manual).unwrap();
    let now = chrono::Utc::now();
    for seconds in 0..60 {
        let at = now + chrono::TimeDelta::seconds(seconds);
        let name = format!("backup_manual_{}.sql", at.format("%Y%m%d_%H%M%S"));
        fs::write(manual.join(name), "somebody else's").unwrap();
    }
    let file = scene.backup("manual");
    assert!(file.to_str().unwrap().ends_with("_2.sql"), "{file:?}");
    scene.assert_restores(&file, &scene.image());
}

#[test]
fn the_database_is_told_of_the_run_where_it_keeps_such_a_table() {
    let scene = Scene::with_application();
    let told = "SELECT ultimo_daily > now() - interval '5 minutes', ultimo_weekly, ultimo_monthly FROM seguridad.backup_config";
    scene.backup("manual");
    assert_eq!(scene.sql(told), "||");
    scene.backup("daily");
    assert_eq!(scene.sql(told), "t||");
    scene.sql(
        "CREATE FUNCTION app.no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'; \
         CREATE TRIGGER no BEFORE UPDATE ON seguridad.backup_config FOR EACH ROW EXECUTE FUNCTION app.no()",
    );
    let outcome = scene.run(&["backup", "weekly", "--json"]);
    outcome.expect_code(3);
    assert_eq!(notices(&outcome.json()), ["ejecucion_no_registrada"]);
    assert_eq!(scene.backups("weekly").len(), 1);
}

#[test]
fn a_copy_is_whole_and_a_copy_that_fails_does_not_fail_the_backup() {
    let scene = Scene::open().config("[legacy]\nsync_dir = \"usb\"\n");
    let usb = scene.respaldo.folder().join("usb");
    let outcome = scene.run(&["backup", "daily", "--json"]);
    outcome.expect_code(3);
    let json = outcome.json();
    assert_eq!(notices(&json), ["sin_copia"]);
    assert_eq!(json["sincronizacion"]["success"], false);
    assert!(
        !usb.exists(),
        "a disk that is not plugged in is not made up"
    );
    fs::create_dir(&usb).unwrap();
    let outcome = scene.run(&["backup", "daily", "--json"]);
    outcome.expect_code(0);
    let sync = &outcome.json()["sincronizacion"];
    assert_eq!(sync["success"], true);
    let file = outcome.json()["archivo"].as_str().unwrap().to_owned();
    let copy = sync["destination"].as_str().unwrap();
    assert_eq!(fs::read(&file).unwrap(), fs::read(copy).unwrap());
    assert_eq!(crate::scene::names(&usb).len(), 1);
}

#[test]
fn the_applications_own_settings_are_honoured_and_never_written() {
    let scene = Scene::open();
    let home = scene.respaldo.folder();
    let (theirs, copies) = (home.join("theirs"), home.join("copies"));
    fs::create_dir(&copies).unwrap();
    fs::create_dir(home.join(".nexoryn")).unwrap();
    let settings = home.join(".nexoryn/backup_settings.json");
    let text = format!(
        "{{\"backup_dir\": {:?}, \"sync_dir\": {:?}}}",
        theirs.display().to_string(),
        copies.display().to_string()
    );
    fs::write(&settings, &text).unwrap();
    let file = scene.backup("manual");
    assert!(file.starts_with(&theirs), "{file:?}");
    assert_eq!(crate::scene::names(&copies).len(), 1);
    assert_eq!(fs::read_to_string(&settings).unwrap(), text);
    let scene = scene.config("[legacy]\ndir = \"ours\"\n");
    let file = scene.backup("manual");
    assert!(
        file.starts_with(scene.respaldo.folder().join("ours")),
        "{file:?}"
    );
    fs::write(&settings, "{ unreadable").unwrap();
    let outcome = scene.run(&["backup", "manual", "--json"]);
    assert!(outcome.json()["sincronizacion"].is_null(), "{outcome:#?}");
}

#[test]
fn each_type_tells_its_last_run_its_next_one_and_whether_one_was_missed() {
    let scene = Scene::open();
    let status = || scene.run(&["status", "--json"]);
    let before = status();
    let kinds = before.expect_code(3).json()["tipos"].clone();
    let missed = |kinds: &serde_json::Value| {
        let all = kinds.as_array().unwrap().iter();
        let missed = all.filter(|kind| kind["pendiente"] == true);
        missed
            .map(|kind| kind["tipo"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(missed(&kinds), ["daily", "weekly", "monthly"]);
    assert!(kinds[0]["ultimo"].is_null() && kinds[0]["next_run"].is_string());
    scene.backup("daily");
    scene.backup("weekly");
    scene.backup("monthly");
    let after = status();
    let told = after.expect_code(0).json();
    assert_eq!(missed(&told["tipos"]), [""; 0]);
    assert!(told["tipos"][0]["ultimo"].is_string(), "{told:#}");
    assert_eq!(
        told["carpeta"],
        scene.folder().to_str().unwrap(),
        "{told:#}"
    );
}
