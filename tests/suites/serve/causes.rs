//! What keeps the engine from starting does not keep backups from being made, and it comes back by itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::scene::{DB, OWNER, Scene, end};

/// Breaks the engine, sees the legacy service make its backups, mends it, and sees the engine come back.
fn replaced(scene: &Scene, word: &str, mend: impl FnOnce()) {
    let service = scene.serve();
    let reason = scene.wait_for_state("LEGACY");
    assert!(reason.contains(word), "{word:?} is not said: {reason}");
    scene.respaldo.run(&["status"]).expect_code(3);
    scene.wait_for_dumps(3);
    mend();
    scene.wait_for_state("PROFESIONAL");
    scene.wait_for_backups(1);
    end(service);
}

#[test]
fn a_detector_that_does_not_exist() {
    let scene = Scene::open();
    scene.configure("[detector]\nuse = \"crystal-ball\"");
    replaced(&scene, "crystal-ball", || scene.configure(""));
}

#[test]
fn a_section_of_the_engine_that_cannot_be_read() {
    let scene = Scene::open();
    scene.configure("[retention]\nfull_months = \"many\"");
    replaced(&scene, "full_months", || scene.configure(""));
}

#[test]
fn a_repository_that_is_no_folder() {
    let scene = Scene::open();
    let repository = scene.respaldo.folder().join("backups_incrementales");
    fs::write(&repository, "a file").unwrap();
    replaced(&scene, "repository", || {
        fs::remove_file(&repository).unwrap();
    });
}

#[test]
fn a_catalog_on_a_server_that_is_not_there() {
    let scene = Scene::open();
    scene.configure("[catalog]\nurl = \"postgresql://nobody@127.0.0.1:1/none\"");
    replaced(&scene, "catalog", || scene.configure(""));
}

#[test]
fn catalog_tables_that_are_something_else() {
    let scene = Scene::open();
    let sql = |script: &str| scene.cluster.psql_as(OWNER, DB, script);
    sql("CREATE SCHEMA seguridad; CREATE VIEW seguridad.backup_manifest AS SELECT 1 AS id");
    replaced(&scene, "catalog", || {
        sql("DROP VIEW seguridad.backup_manifest");
    });
}

#[test]
fn where_nothing_can_be_dumped_backups_stop_and_the_first_possible_one_is_made() {
    let scene = Scene::open();
    let folder = |name: &str| scene.respaldo.folder().join(name);
    fs::write(folder("backups_incrementales"), "a file").unwrap();
    fs::create_dir(folder("backups")).unwrap();
    let kinds = ["daily", "weekly", "monthly"].map(|kind| folder("backups").join(kind));
    for kind in &kinds {
        fs::write(kind, "a file").unwrap();
    }
    let service = scene.serve();
    scene.wait_for_state("DETENIDO");
    assert_eq!((scene.dumps(), scene.made().len()), (0, 0));
    for kind in &kinds {
        fs::remove_file(kind).unwrap();
    }
    scene.wait_for_dumps(3);
    scene.wait_for_state("LEGACY");
    fs::remove_file(folder("backups_incrementales")).unwrap();
    scene.wait_for_state("PROFESIONAL");
    scene.wait_for_backups(1);
    end(service);
}

#[test]
fn a_server_that_is_away_and_comes_back() {
    let scene = Scene::open();
    scene.cluster.stop();
    let service = scene.serve();
    scene.wait_for_state("DETENIDO");
    scene.cluster.start_again();
    scene.wait_for_state("PROFESIONAL");
    scene.wait_for_backups(1);
    end(service);
}

#[test]
fn a_backup_by_hand_falls_back_where_that_is_asked_for() {
    let scene = Scene::open();
    scene.configure("[detector]\nuse = \"crystal-ball\"");
    scene.respaldo.run(&["backup", "inc"]).expect_code(10);
    assert_eq!(scene.dumps(), 0);
    let made = scene
        .respaldo
        .run(&["backup", "inc", "--fallback", "--json"]);
    made.expect_code(3);
    let made = made.json();
    assert_eq!(
        (&made["exitoso"], &made["motor"]),
        (&true.into(), &"LEGACY".into())
    );
    assert!(
        made["motivo"].as_str().unwrap().contains("crystal-ball"),
        "{made}"
    );
    assert_eq!(scene.dumps(), 1);
    scene.configure("");
    scene.respaldo.ok(&["backup", "inc", "--fallback"]);
    assert_eq!(scene.made(), ["FULL"]);
}

#[test]
fn a_damaged_record_of_who_leads_hinders_nobody() {
    let scene = Scene::open();
    let sql = |script: &str| scene.cluster.psql_as(OWNER, DB, script);
    sql(
        "CREATE SCHEMA seguridad; CREATE VIEW seguridad.respaldo_leader AS SELECT 'nonsense' AS token",
    );
    let service = scene.serve();
    scene.wait_for_backups(1);
    scene.wait_for_state("PROFESIONAL");
    end(service);
}

#[test]
fn a_running_engine_that_breaks_is_replaced_and_what_is_due_is_made() {
    let scene = Scene::open();
    let service = scene.serve();
    scene.wait_for_state("PROFESIONAL");
    scene.wait_for_backups(1);
    scene.configure("[detector]\nuse = \"crystal-ball\"");
    let reason = scene.wait_for_state("LEGACY");
    assert!(reason.contains("crystal-ball"), "{reason}");
    scene.wait_for_dumps(3);

    // Nothing is due, and nothing could be made: that is told before the next hour comes.
    scene.cluster.stop();
    scene.wait_for_state("DETENIDO");
    scene.cluster.start_again();
    scene.wait_for_state("LEGACY");
    assert_eq!(scene.dumps(), 3);
    scene.configure("");
    scene.wait_for_state("PROFESIONAL");
    end(service);
}

#[test]
fn a_configuration_that_becomes_unreadable_while_it_runs() {
    let scene = Scene::open();
    let service = scene.serve();
    scene.wait_for_backups(1);
    fs::write(scene.respaldo.folder().join("respaldo.toml"), "[[[").unwrap();
    scene.wait_for_dumps(3);
    scene.configure("");
    scene.wait_for_state("PROFESIONAL");
    end(service);
}

/// A file system with little room.
struct Small(PathBuf);

impl Small {
    fn at(folder: &Path) -> Self {
        fs::create_dir(folder).unwrap();
        let small = Self(folder.to_owned());
        small.mount("size=256k");
        small
    }

    fn mount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "none"]);
        let done = mount.arg(&self.0).status().unwrap();
        assert!(done.success(), "no tmpfs may be mounted here");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_is_full_stops_backups_until_it_has_room() {
    let scene = Scene::open();
    let small = Small::at(&scene.respaldo.folder().join("backups"));
    scene.configure("[detector]\nuse = \"crystal-ball\"");
    let service = scene.serve();
    let reason = scene.wait_for_state("DETENIDO");
    assert!(reason.contains("backups"), "{reason}");
    small.mount("remount,size=64m");
    scene.wait_for_dumps(3);
    scene.wait_for_state("LEGACY");
    scene.configure("");
    scene.wait_for_state("PROFESIONAL");
    end(service);
}

#[test]
fn a_plugin_whose_file_is_not_the_one_that_was_allowed() {
    let scene = Scene::open();
    let (library, sha256) = scene.install_sink();
    scene.use_sink(&library, &"0".repeat(64));
    replaced(&scene, "fuera", || {
        scene.use_sink(&library, &sha256);
    });
}
