//! Readers on other machines: a machine is a configuration with a working folder of its own, and all
//! share a sink.

use std::fs;
use std::path::{Path, PathBuf};

use respaldo_tests::{Repository, Respaldo, Scene, scene};

/// A bank with three fulls in a sink, of which retention leaves the newest two: the others are old.
struct Machines {
    scene: Scene,
    fulls: Vec<String>,
}

impl Machines {
    fn open() -> Self {
        let mut scene = Scene::open();
        let shared = scene.respaldo.folder().join("shared");
        fs::create_dir(&shared).unwrap();
        scene.respaldo = scene.respaldo.config(&on_sink(&shared));
        scene.repository = Repository::at(&shared);
        let fulls: Vec<String> = (0..3).map(|_| scene.backup_name("full")).collect();
        for (n, archive) in fulls[..2].iter().enumerate() {
            let at = format!("2020-01-0{}T00:00:00+00:00", n + 1);
            scene.repository.move_in_time(archive, &at);
        }
        Self { scene, fulls }
    }

    /// Another machine, working on a database of the same server.
    fn another(&self, db: &str) -> Respaldo {
        let url = self.scene.cluster.url_as(scene::OWNER, db);
        let config = on_sink(self.scene.repository.root());
        Respaldo::for_url(&self.scene.cluster, &url).config(&config)
    }

    fn sealed(&self, archive: &str) -> bool {
        let sealed = self.scene.repository.sealed();
        sealed.iter().any(|name| name == archive)
    }

    /// Why the oldest full stays.
    fn kept_for(&self, by: &Respaldo, args: &[&str]) -> String {
        let ruled = by.ok(args).json();
        let kept = ruled["conservados"].as_array().unwrap().iter();
        let mut of_oldest = kept.filter(|kept| kept["archivo"] == self.fulls[0].as_str());
        let reason = of_oldest.next().and_then(|kept| kept["motivo"].as_str());
        reason.unwrap_or_default().to_owned()
    }

    fn holds(&self) -> Vec<PathBuf> {
        let files = self.scene.repository.files().into_iter();
        let holds = files.filter(|key| key.starts_with("holds/"));
        holds.map(|key| self.scene.repository.path(&key)).collect()
    }
}

fn on_sink(folder: &Path) -> String {
    let dir = folder.display();
    format!("[[sink]]\nname = 'shared'\nuse = 'local'\ndir = '{dir}'\n")
}

fn restore(archive: &str) -> [&str; 7] {
    let to = ["--target-db", "copy", "--create", "--json"];
    ["restore", "--id", archive, to[0], to[1], to[2], to[3]]
}

#[test]
fn what_another_machine_reads_stays_until_it_is_done() {
    let mut machines = Machines::open();
    let oldest = machines.fulls[0].clone();
    let other = machines.another(scene::DB);
    let held = other.hold_at_step("restore.load", &restore(&oldest));
    let here = &machines.scene.respaldo;
    for args in [
        &["expire", "--dry-run", "--json"][..],
        &["expire", "--json"],
    ] {
        assert_eq!(machines.kept_for(here, args), "en_uso");
    }
    here.run(&["delete", &oldest, "--json"])
        .expect_error(11, "backup-in-use");
    let automatic = format!(
        "{}[retention]\npurge = 'auto'\n",
        on_sink(machines.scene.repository.root())
    );
    machines.scene.respaldo = machines.scene.respaldo.config(&automatic);
    machines.scene.backup("full");
    assert!(machines.sealed(&oldest));
    assert!(!machines.sealed(&machines.fulls[1]), "nobody reads it");

    let restored = held.release();
    assert!(restored.is_done(), "{restored:#?}");
    assert_eq!(machines.holds(), <[PathBuf; 0]>::default());
    machines.scene.respaldo.ok(&["expire"]);
    assert!(!machines.sealed(&oldest));
    assert_eq!(machines.scene.repository.litter(), <[&str; 0]>::default());
}

#[test]
fn a_killed_reader_keeps_others_from_removing_for_a_bounded_time() {
    let machines = Machines::open();
    let here = &machines.scene.respaldo;
    let other = machines.another(scene::DB);
    other.kill_at_step("restore.load", &restore(&machines.fulls[0]));
    let holds = machines.holds();
    assert_eq!(holds.len(), 1, "{holds:?}");
    assert_eq!(machines.kept_for(here, &["expire", "--json"]), "en_uso");

    // Its time is over.
    let name = holds[0].file_name().unwrap().to_str().unwrap();
    let (_, holder) = name.rsplit_once('_').unwrap();
    let over = format!("until_20200101_000000_{holder}");
    fs::rename(&holds[0], holds[0].with_file_name(over)).unwrap();
    here.ok(&["expire"]);
    assert!(!machines.sealed(&machines.fulls[0]));
    assert_eq!(machines.scene.repository.litter(), <[&str; 0]>::default());
}

#[test]
fn the_machine_of_a_killed_reader_knows_at_once_that_it_is_gone() {
    let machines = Machines::open();
    let here = &machines.scene.respaldo;
    here.kill_at_step("restore.load", &restore(&machines.fulls[0]));
    assert_eq!(machines.holds().len(), 1);
    here.ok(&["expire"]);
    assert!(!machines.sealed(&machines.fulls[0]));
    assert_eq!(machines.scene.repository.litter(), <[&str; 0]>::default());
}

#[test]
fn of_a_reader_and_a_remover_that_meet_one_gives_way() {
    let machines = Machines::open();
    let oldest = &machines.fulls[0];
    let here = &machines.scene.respaldo;
    let other = machines.another(scene::DB);

    // The reader says what it reads when the other has decided and not begun.
    let remover = here.hold_at_step("remove.set", &["expire", "--json"]);
    let reader = other.hold_at_step("restore.load", &restore(oldest));
    let expired = remover.release();
    assert_eq!(expired.code, Some(3), "{expired:#?}");
    assert!(expired.stdout.contains("being read"), "{expired:#?}");
    let restored = reader.release();
    assert!(restored.is_done(), "{restored:#?}");
    machines.scene.cluster.drop_database("copy");
    assert!(machines.sealed(oldest));

    // The reader has read the manifest, which the other then takes away.
    let reader = other.hold_at_step("restore.inspect", &restore(oldest));
    let remover = here.hold_at_step("remove.unsealed", &["expire", "--json"]);
    reader.release().expect_error(14, "object-missing");
    let expired = remover.release();
    assert_eq!(expired.code, Some(0), "{expired:#?}");
    assert!(!machines.scene.exists("copy"));
    assert!(!machines.sealed(oldest));
    assert_eq!(machines.scene.repository.litter(), <[&str; 0]>::default());
}

#[test]
fn the_rest_of_a_half_removed_set_stays_while_somebody_reads_it() {
    let machines = Machines::open();
    let oldest = &machines.fulls[0];
    let here = &machines.scene.respaldo;
    let other = machines.another(scene::DB);
    let reader = other.hold_at_step("restore.load", &restore(oldest));
    // As if it had come between the two looks of the remover.
    let manifest = machines.scene.repository.manifest_key(oldest);
    fs::remove_file(machines.scene.repository.path(&manifest)).unwrap();
    let intent = here
        .folder()
        .join("backups_incrementales/.respaldo/intents");
    let lineage = &machines.scene.repository.manifest(&machines.fulls[2])["origen"]["linaje"];
    let named = serde_json::json!({
        "archive": oldest,
        "system_identifier": lineage["identificador_sistema"].as_str().unwrap().parse::<u64>().unwrap(),
        "database_oid": lineage["oid_base"],
    });
    fs::write(intent.join(format!("{oldest}.json")), named.to_string()).unwrap();

    here.ok(&["expire"]);
    let restored = reader.release();
    assert!(restored.is_done(), "{restored:#?}");
    here.ok(&["expire"]);
    assert_eq!(machines.scene.repository.litter(), <[&str; 0]>::default());
}

#[test]
fn a_sink_that_takes_no_hold_keeps_nobody_from_restoring() {
    let machines = Machines::open();
    // A folder cannot be made there, by root neither.
    let holds = machines.scene.repository.path("holds");
    fs::write(&holds, "in the way").unwrap();
    let other = machines.another(scene::DB);
    let restored = other.run(&restore(&machines.fulls[0]));
    assert!(restored.is_done(), "{restored:#?}");
    assert!(
        restored.stderr.contains("let none of them expire"),
        "{restored:#?}"
    );
    machines.scene.respaldo.ok(&["expire"]);
    assert!(!machines.sealed(&machines.fulls[0]));
}

#[test]
fn the_base_of_a_set_that_is_being_uploaded_stays_whatever_lease_its_remover_holds() {
    let machines = Machines::open();
    let here = &machines.scene.respaldo;
    let base = &machines.fulls[2];
    let held = here.hold_at_step("backup.store", &["backup", "inc", "--json"]);
    let same = machines.another(scene::DB);
    for args in [&["expire", "--json"][..], &["delete", base, "--json"]] {
        same.run(args).expect_error(11, "lease-held");
    }
    machines
        .scene
        .cluster
        .owned_database("second", scene::OWNER);
    let stranger = machines.another("second");
    stranger
        .run(&["delete", base, "--json"])
        .expect_error(11, "backup-in-use");
    let made = held.release();
    assert!(made.is_done(), "{made:#?}");
    assert_eq!(machines.holds(), <[PathBuf; 0]>::default());
}
