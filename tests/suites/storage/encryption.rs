//! Encrypted backups: made, kept and thinned out without a key, opened by each recipient's and by no
//! other, readable by the program age alone, and refused where they were tampered with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use respaldo_tests::age::KeyFile;
use respaldo_tests::scene::DB;
use respaldo_tests::{DbImage, assert_equal};
use serde_json::Value;

use super::vault::Vault;

/// A bank whose backups are encrypted for two, with a second sink.
struct Safe {
    vault: Vault,
    ana: KeyFile,
    beto: KeyFile,
    stranger: KeyFile,
}

impl Safe {
    fn open() -> Self {
        let vault = Vault::open("");
        let safe = Self {
            ana: KeyFile::make(vault.scene.respaldo.folder(), "ana.txt"),
            beto: KeyFile::make(vault.scene.respaldo.folder(), "beto.txt"),
            stranger: KeyFile::make(vault.scene.respaldo.folder(), "stranger.txt"),
            vault,
        };
        safe.without_key();
        safe
    }

    fn configure(&self, identity: &str) {
        let (ana, beto) = (&self.ana.recipient, &self.beto.recipient);
        let encryption =
            format!("[encryption]\nrecipients = [\"{ana}\", \"{beto}\"]\n{identity}\n");
        self.vault
            .configure(&(Vault::optional("copia") + &encryption));
    }

    fn without_key(&self) {
        self.configure("");
    }

    fn with_key(&self, key: &KeyFile) {
        let path = key.path.display();
        self.configure(&format!("identity = {{ file = \"{path}\" }}"));
    }

    fn run(&self, args: &[&str]) -> respaldo_tests::Outcome {
        self.vault.scene.respaldo.run(args)
    }

    fn restore(&self, id: &str, target: &str) -> respaldo_tests::Outcome {
        let args = [
            "restore",
            "--id",
            id,
            "--target-db",
            target,
            "--create",
            "--json",
        ];
        self.run(&args)
    }

    fn assert_restores(&self, (id, image): &(String, DbImage), target: &str) {
        self.restore(id, target).expect_code(0);
        assert_equal(image, &self.vault.scene.image_of(target));
        self.vault.scene.cluster.drop_database(target);
    }

    /// What a backup of this kind is called, and the bank as it was.
    fn backup(&self, kind: &str) -> (String, DbImage) {
        let name = self.vault.scene.backup_name(kind);
        (name, self.vault.scene.image())
    }

    /// A kit restores with stock tools, and with the program age and this key where it needs one.
    fn assert_kit_restores(
        &self,
        kit: &Path,
        key: Option<&KeyFile>,
        target: &str,
        image: &DbImage,
    ) {
        let cluster = &self.vault.scene.cluster;
        cluster.owned_database(target, "dueno");
        let mut script = Command::new("/bin/sh");
        script.arg(kit.join("restore.sh"));
        script.arg(cluster.url_as("dueno", target));
        script.env(
            "PATH",
            format!("{}:/usr/bin:/bin", cluster.bin_dir().display()),
        );
        script.env_remove("AGE_IDENTITY");
        if let Some(key) = key {
            let without = script.output().unwrap();
            assert!(!without.status.success(), "{without:?}");
            assert!(holds(&without.stderr, "AGE_IDENTITY"), "{without:?}");
            script.env("AGE_IDENTITY", &key.path);
        }
        let restored = script.output().unwrap();
        assert!(restored.status.success(), "{restored:?}");
        assert_equal(image, &self.vault.scene.image_of(target));
    }

    fn object(&self, sink: &str, key: &str) -> PathBuf {
        self.vault.folder(sink).join(key)
    }

    /// What this machine keeps readable is lost.
    fn forget(&self) {
        fs::remove_dir_all(self.vault.folder("backups_incrementales/.respaldo")).unwrap();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

fn names_a_table(folder: &Path) -> bool {
    let clear = |path: &PathBuf| holds(&fs::read(path).unwrap(), "movement");
    files(folder).iter().any(clear)
}

fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_chain_needs_no_key_until_it_is_restored_and_then_any_recipients() {
    let safe = Safe::open();
    let mut points = Vec::new();
    for (day, kind) in (1..).zip(["full", "inc", "dif", "inc"]) {
        safe.vault.scene.day(day);
        points.push(safe.backup(kind));
    }
    let shown = safe
        .run(&["show", &points[1].0, "--json"])
        .expect_code(0)
        .json();
    assert_eq!(shown["tipo"], "INCREMENTAL", "{shown:#}");
    let dumped = shown["tablas_volcadas"].as_u64().unwrap();
    assert!(
        dumped < shown["tablas_total"].as_u64().unwrap(),
        "{shown:#}"
    );

    // Nothing but headers is readable in either sink, and they name no table.
    let outside = |path: &PathBuf| {
        !path
            .components()
            .any(|part| part.as_os_str() == ".respaldo")
    };
    let sinks = ["backups_incrementales", "copia"].map(|sink| files(&safe.vault.folder(sink)));
    for path in sinks.iter().flatten().filter(|path| outside(path)) {
        let bytes = fs::read(path).unwrap();
        let name = path.display().to_string();
        assert!(
            !holds(&bytes, "movement") && !holds(&bytes, "Rosario"),
            "{name}"
        );
        if !name.ends_with(".manifest.json") {
            assert_eq!(path.extension().unwrap(), "age", "{name}");
            assert!(bytes.starts_with(b"age-encryption.org/v1\n"), "{name}");
        }
    }

    // Everything but looking inside goes without a key.
    let validated = safe.run(&["validate", "--all", "--level", "chain", "--json"]);
    let validated = validated.expect_code(0).json();
    assert_eq!(validated["validos"], 4, "{validated:#}");
    assert!(validated.to_string().contains("sin_clave"), "{validated:#}");
    safe.vault
        .scene
        .cluster
        .psql(DB, "TRUNCATE seguridad.backup_manifest CASCADE");
    safe.run(&["catalog", "rebuild"]).expect_code(0);
    let listed = safe.run(&["list", "--json"]).expect_code(0).json();
    assert_eq!(listed.as_array().unwrap().len(), 4, "{listed:#}");
    let newest = listed[0]["archivo"].as_str().unwrap();
    assert!(newest.ends_with(&points[3].0), "{listed:#}");
    safe.run(&["expire", "--dry-run"]).expect_code(0);
    let examined = safe.run(&["doctor"]).stdout;
    assert!(examined.contains("for recipients: 2"), "{examined}");
    assert!(examined.contains("no key is at hand"), "{examined}");
    safe.restore(&points[3].0, "sin_clave")
        .expect_error(10, "encryption-key");
    assert!(!safe.vault.scene.exists("sin_clave"));

    // On a machine that has nothing but a sink and a key.
    fs::remove_dir_all(safe.vault.folder("backups_incrementales")).unwrap();
    for key in [&safe.ana, &safe.beto] {
        safe.with_key(key);
        for point in &points {
            safe.assert_restores(point, "copia_fiel");
        }
    }
    let validated = safe.run(&["validate", "--all", "--level", "drill", "--json"]);
    let validated = validated.expect_code(0).json();
    assert_eq!(validated["validos"], 4, "{validated:#}");
    assert!(
        !validated.to_string().contains("sin_clave"),
        "{validated:#}"
    );
}

#[test]
fn a_machine_that_lost_what_it_kept_makes_a_full_unless_it_has_a_key() {
    let safe = Safe::open();
    safe.vault.scene.backup("full");
    safe.forget();
    safe.vault.scene.day(1);
    let forced = safe.vault.scene.backup("inc");
    assert_eq!(forced["tipo"], "FULL", "{forced:#}");
    assert_eq!(forced["motivo_full"], "base_cifrada", "{forced:#}");
    safe.forget();
    safe.with_key(&safe.beto);
    safe.vault.scene.day(2);
    let made = safe.vault.scene.backup("inc");
    assert_eq!(made["tipo"], "INCREMENTAL", "{made:#}");
    safe.without_key();
    safe.vault.scene.day(3);
    let made = safe.vault.scene.backup("inc");
    assert_eq!(made["tipo"], "INCREMENTAL", "{made:#}");
    safe.with_key(&safe.ana);
    safe.vault.assert_restores("copia_fiel");
}

#[test]
fn a_wrong_key_and_whatever_was_tampered_with_are_refused_before_the_target_is_touched() {
    let safe = Safe::open();
    let point = safe.backup("full");
    let name = &point.0;
    safe.with_key(&safe.stranger);
    safe.restore(name, "ajena")
        .expect_error(10, "encryption-key");
    safe.configure("identity = { file = \"not-there.txt\" }");
    safe.restore(name, "ajena")
        .expect_error(10, "encryption-key");
    assert!(!safe.vault.scene.exists("ajena"));

    safe.with_key(&safe.ana);
    safe.assert_restores(&point, "copia_fiel");
    let archive = format!("full/{name}");
    let (header, whole) = (
        format!("{archive}.manifest.json"),
        format!("{archive}.manifest.json.age"),
    );
    fs::remove_dir_all(safe.vault.folder("copia")).unwrap();
    fs::create_dir(safe.vault.folder("copia")).unwrap();
    let before = safe.vault.scene.image();
    let databases = safe.vault.scene.databases();
    let refused = |what: &str| {
        let args = ["restore", "--id", name, "--replace", "--yes", "--json"];
        let refused = safe.run(&args);
        assert_eq!(refused.code, Some(14), "{what}: {refused:#?}");
        assert_eq!(safe.vault.scene.databases(), databases, "{what}");
    };
    for key in [&archive, &whole] {
        let path = safe.object("backups_incrementales", key);
        let sound = fs::read(&path).unwrap();
        safe.forget();
        damage(&path);
        refused(&format!("{key} was changed"));
        for length in [0, 100, sound.len() / 2, sound.len() - 1] {
            fs::write(&path, &sound[..length]).unwrap();
            refused(&format!("{key} was cut to {length} bytes"));
        }
        fs::write(&path, sound).unwrap();
    }
    // A header that somebody wrote anew, seal and all.
    let path = safe.object("backups_incrementales", &header);
    let sound = fs::read(&path).unwrap();
    safe.vault
        .scene
        .repository
        .reseal(name, |text| text.replace("\"FULL\"", "\"INCREMENTAL\""));
    safe.forget();
    refused("the header was rewritten");
    fs::write(&path, sound).unwrap();
    safe.assert_restores(&point, "copia_fiel");
    assert_equal(&before, &safe.vault.scene.image());
}

#[test]
fn a_kill_at_any_object_of_an_encrypted_set_leaves_nothing_and_the_next_backup_works() {
    let safe = Safe::open();
    safe.vault.scene.backup("full");
    for (day, step) in (1..).zip([
        "store.put.archive",
        "store.put.stats",
        "store.put.whole_manifest",
        "store.put.manifest",
        "backup.seal",
    ]) {
        safe.vault.scene.day(day);
        safe.vault
            .scene
            .respaldo
            .kill_at_step(step, &["backup", "inc"]);
        safe.vault.scene.wait_for_the_lease();
        // What the killed run left is swept, and that is said.
        let made = safe.run(&["backup", "inc", "--json"]);
        assert!(made.is_done(), "{step}: {made:#?}");
        assert_eq!(made.json()["tipo"], "INCREMENTAL", "{step}");
        safe.vault.scene.assert_tidy(step);
    }
    safe.with_key(&safe.beto);
    safe.vault.assert_restores("copia_fiel");
    safe.run(&["validate", "--all", "--level", "chain"])
        .expect_code(0);
}

#[test]
fn stock_tools_and_the_program_age_read_archives_and_kits() {
    let safe = Safe::open();
    safe.vault.scene.day(1);
    safe.vault.scene.backup("full");
    safe.vault
        .scene
        .client()
        .exec("ALTER TABLE bank.branch RENAME TO office");
    safe.vault.scene.day(2);
    let (inc, image) = safe.backup("inc");
    safe.with_key(&safe.ana);

    let key = format!("incremental/{inc}");
    let plain = safe.vault.folder("plain.backup");
    safe.beto
        .decrypt(&safe.object("backups_incrementales", &key), &plain);
    let tool = safe.vault.scene.cluster.bin_dir().join("pg_restore");
    let listed = Command::new(tool)
        .arg("--list")
        .arg(&plain)
        .output()
        .unwrap();
    assert!(holds(&listed.stdout, "movement"), "{listed:?}");

    for (target, flag) in [("con_age", None), ("en_claro", Some("--decrypted"))] {
        let kit = safe.vault.folder(target);
        let shown = kit.display().to_string();
        let args = ["escape-kit", "--id", &inc, "-o", &shown];
        let args: Vec<&str> = args.into_iter().chain(flag).collect();
        safe.run(&args).expect_code(0);
        assert_eq!(names_a_table(&kit), flag.is_some(), "{target}");
        let key = flag.is_none().then_some(&safe.beto);
        safe.assert_kit_restores(&kit, key, target, &image);
    }
}

#[test]
fn encryption_that_begins_or_ends_within_a_chain_leaves_every_point_restorable() {
    let safe = Safe::open();
    safe.vault.configure("");
    safe.vault.scene.day(1);
    let mut points = vec![safe.backup("full")];
    assert!(points[0].0.ends_with(".backup"), "{}", points[0].0);
    safe.without_key();
    safe.vault.scene.day(2);
    points.push(safe.backup("inc"));
    assert!(points[1].0.ends_with(".backup.age"), "{}", points[1].0);
    let kind = |id: &str| safe.run(&["show", id, "--json"]).json()["tipo"].clone();
    assert_eq!(kind(&points[1].0), "INCREMENTAL");

    // The kit of an encrypted point holds nothing in the clear, be its full older than the encryption.
    safe.with_key(&safe.ana);
    let kit = safe.vault.folder("con_age");
    let shown = kit.display().to_string();
    safe.run(&["escape-kit", "--id", &points[1].0, "-o", &shown])
        .expect_code(0);
    assert!(!names_a_table(&kit));
    safe.assert_kit_restores(&kit, Some(&safe.beto), "con_age", &points[1].1);

    let path = safe.ana.path.display().to_string();
    let key_alone = format!("[encryption]\nidentity = {{ file = \"{path}\" }}\n");
    safe.vault
        .configure(&(Vault::optional("copia") + &key_alone));
    safe.vault.scene.day(3);
    points.push(safe.backup("inc"));
    assert!(points[2].0.ends_with(".backup"), "{}", points[2].0);
    for point in &points {
        safe.assert_restores(point, "copia_fiel");
    }
    safe.run(&["validate", "--all", "--level", "chain"])
        .expect_code(0);
}

#[test]
fn chains_are_joined_exported_compared_and_copied_as_plain_ones_are() {
    let safe = Safe::open();
    safe.vault.scene.day(1);
    let (full, _) = safe.backup("full");
    safe.vault.scene.day(2);
    let (inc, image) = safe.backup("inc");
    safe.run(&["export", "--id", &inc, "-o", "out.dump"])
        .expect_code(10);
    fs::remove_dir_all(safe.vault.folder("copia")).unwrap();
    safe.run(&["sink", "sync", "copia"]).expect_code(0);
    assert_eq!(safe.vault.sealed_in("copia"), 2);
    safe.with_key(&safe.ana);
    safe.run(&["export", "--id", &inc, "-o", "out.dump"])
        .expect_code(0);
    let difference = safe
        .run(&["diff", &full, &inc, "--json"])
        .expect_code(0)
        .json();
    assert!(
        difference.to_string().contains("movement"),
        "{difference:#}"
    );
    let joined = safe
        .run(&["backup", "full", "--from-chain", "--json"])
        .expect_code(0)
        .json();
    let joined = Path::new(joined["archivo"].as_str().unwrap());
    let joined = joined.file_name().unwrap().to_str().unwrap().to_owned();
    assert!(joined.ends_with(".backup.age"), "{joined}");
    safe.assert_restores(&(joined, image), "copia_fiel");
    safe.without_key();
    safe.vault.scene.day(3);
    let made: Value = safe.vault.scene.backup("inc");
    assert_eq!(made["tipo"], "INCREMENTAL", "{made:#}");
    safe.run(&["delete", &full, "--with-dependents"])
        .expect_code(0);
    let named = |path: &PathBuf| path.display().to_string().contains(&full[..26]);
    let left = files(&safe.vault.folder("backups_incrementales"));
    assert!(!left.iter().any(named), "{left:?}");
}
