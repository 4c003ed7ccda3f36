//! Several sinks: what one did not take it is given later, and any of them alone restores.

use std::fs;

use serde_json::json;

use super::vault::Vault;

#[test]
fn a_sink_that_was_down_is_given_what_it_is_owed_by_the_next_backup_it_takes() {
    let vault = Vault::open(&Vault::optional("copia"));
    vault.block("copia");
    let owing = vault.scene.respaldo.run(&["backup", "full", "--json"]);
    let backup = owing.expect_code(3).json();
    assert_eq!(backup["destinos"][1]["estado"], "PENDIENTE", "{backup:#}");
    vault.scene.day(1);
    vault.scene.respaldo.run(&["backup", "inc"]).expect_code(3);
    let sink = vault.sink("copia");
    assert_eq!(sink["pendientes"], 2, "{sink:#}");
    assert_eq!(sink["disponible"], false, "{sink:#}");
    assert!(sink["motivo_pendiente"].is_string(), "{sink:#}");
    let status = vault.scene.respaldo.run(&["status", "--json"]);
    let status = status.expect_code(3).json();
    let owed = &status["destinos_pendientes"][0];
    assert_eq!(owed["nombre"], "copia", "{status:#}");
    assert_eq!(owed["pendientes"], 2, "{status:#}");

    vault.free("copia");
    vault.scene.day(2);
    vault.scene.respaldo.ok(&["backup", "inc"]);
    assert_eq!(vault.sink("copia")["pendientes"], 0);
    let status = vault.scene.respaldo.ok(&["status", "--json"]).json();
    assert!(status["destinos_pendientes"].is_null(), "{status:#}");
    assert_eq!(vault.sealed_in("copia"), 3);

    // From that sink alone.
    fs::remove_dir_all(vault.folder("backups_incrementales")).unwrap();
    vault.configure_alone("[[sink]]\nname = \"copia\"\nuse = \"local\"\ndir = \"copia\"\n");
    vault
        .scene
        .respaldo
        .ok(&["validate", "--all", "--level", "chain"]);
    vault.assert_restores("again");
}

#[test]
fn a_new_sink_is_filled_and_a_killed_filling_goes_on_where_it_was() {
    let vault = Vault::open("");
    for day in 1..=3 {
        vault.scene.day(day);
        vault.scene.backup(if day == 1 { "full" } else { "inc" });
    }
    vault.configure(&Vault::optional("nuevo"));
    let respaldo = &vault.scene.respaldo;
    for step in ["sync.object", "sync.object@3", "sync.manifest@2"] {
        respaldo.kill_at_step(step, &["sink", "sync", "nuevo"]);
    }
    assert!(vault.sealed_in("nuevo") < 3);
    let filled = respaldo.ok(&["sink", "sync", "nuevo", "--json"]).json();
    assert_eq!(filled["exitoso"], true, "{filled:#}");
    assert_eq!(vault.sealed_in("nuevo"), 3);
    let nothing = respaldo.ok(&["sink", "sync", "nuevo", "--json"]).json();
    assert_eq!(nothing["copiados"], json!([]), "{nothing:#}");

    fs::remove_dir_all(vault.folder("backups_incrementales")).unwrap();
    vault.configure_alone("[[sink]]\nname = \"nuevo\"\nuse = \"local\"\ndir = \"nuevo\"\n");
    vault.assert_restores("again");
}

#[test]
fn a_corrupt_copy_is_never_the_one_that_is_copied() {
    let vault = Vault::open(&Vault::optional("sano"));
    let archive = vault.scene.backup_name("full");
    let damaged = vault.folder("backups_incrementales/full").join(&archive);
    let mut bytes = fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&damaged, bytes).unwrap();

    vault.configure(&(Vault::optional("sano") + &Vault::optional("nuevo")));
    vault.scene.respaldo.ok(&["sink", "sync", "nuevo"]);
    let (sound, copied) = (vault.folder("sano/full"), vault.folder("nuevo/full"));
    let read = |folder: std::path::PathBuf| fs::read(folder.join(&archive)).unwrap();
    assert!(read(sound) == read(copied), "the damaged copy was copied");

    // Where no sound one is left nothing is copied, and that is said.
    vault.configure(&Vault::optional("otro"));
    let failed = vault
        .scene
        .respaldo
        .run(&["sink", "sync", "otro", "--json"]);
    let failed = failed.expect_code(3).json();
    assert_eq!(
        failed["fallidos"][0]["archivo"],
        json!(archive),
        "{failed:#}"
    );
    assert_eq!(vault.sealed_in("otro"), 0);
}

#[test]
fn a_restore_takes_each_object_from_a_sink_whose_copy_is_sound() {
    let vault = Vault::open(&Vault::optional("copia"));
    let full = vault.scene.backup_name("full");
    vault.scene.day(1);
    let inc = vault.scene.backup_name("inc");
    let whole = |folder: &str, name: &str| {
        let kind = if name.starts_with("full") {
            "full"
        } else {
            "incremental"
        };
        vault.folder(folder).join(kind).join(name)
    };
    // The full in one place, the incremental in the other.
    damage(&whole("backups_incrementales", &full));
    damage(&whole("copia", &inc));
    let args = [
        "restore",
        "--at",
        "latest",
        "--target-db",
        "sound",
        "--create",
        "--json",
    ];
    let restored = vault.scene.respaldo.run(&args);
    let restored = restored.expect_code(3).json();
    assert!(
        restored.to_string().contains("copia_danada"),
        "{restored:#}"
    );
    respaldo_tests::assert_equal(&vault.scene.image(), &vault.scene.image_of("sound"));

    // Cut short in the one, and gone from the other: nothing is made.
    fs::write(whole("backups_incrementales", &full), "short").unwrap();
    fs::remove_file(whole("copia", &full)).unwrap();
    let args = [
        "restore",
        "--at",
        "latest",
        "--target-db",
        "none",
        "--create",
    ];
    vault.scene.respaldo.run(&args).expect_code(14);
    assert!(!vault.scene.exists("none"));
}

/// Rows are in the archive as they are. One place is damaged at a time, in the copy that is read first: the server refuses a
/// row, of a table that is loaded in one statement or in a transaction; or takes it, and only its hash tells.
#[test]
fn a_restore_takes_rows_from_the_sound_copy_when_the_server_has_met_those_of_the_damaged_one() {
    let vault = Vault::open(&(Vault::optional("copia") + "[dumper]\nlevel = 0\n"));
    vault.scene.client().exec(
        "CREATE TABLE bank.few AS SELECT 10000 + n AS n, 'few' AS what FROM generate_series(1, 100) n;
         CREATE TABLE bank.spans AS SELECT 20000 + n AS n, n * interval '1 s' AS span, md5(n::text) AS mark FROM generate_series(1, 5000) n;
         CREATE TABLE bank.marks AS SELECT 30000 + n AS n, repeat('a', 20) || (40000 + n) AS mark FROM generate_series(1, 5000) n",
    );
    let archive = vault
        .folder("backups_incrementales/full")
        .join(vault.scene.backup_name("full"));
    let sound = fs::read(&archive).unwrap();
    let restore = [
        "restore",
        "--at",
        "latest",
        "--target-db",
        "sound",
        "--create",
        "--json",
    ];
    for (row, letter, damaged) in [
        ("\n10050\t", 1, b'x'),
        ("\n24711\t", 1, b'x'),
        ("a44711\n", 0, b'b'),
    ] {
        let mut bytes = sound.clone();
        let at = bytes
            .windows(row.len())
            .position(|some| some == row.as_bytes())
            .unwrap();
        bytes[at + letter] = damaged;
        fs::write(&archive, bytes).unwrap();
        let restored = vault.scene.respaldo.run(&restore).expect_code(3).json();
        assert!(
            restored.to_string().contains("copia_danada"),
            "{row:?}: {restored:#}"
        );
        respaldo_tests::assert_equal(&vault.scene.image(), &vault.scene.image_of("sound"));
        vault.scene.cluster.drop_database("sound");
    }
}

/// Damages all of a file but its first bytes.
fn damage(path: &std::path::Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes.iter_mut().skip(100).for_each(|byte| *byte ^= 1);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_sink_is_examined_and_left_as_it_was() {
    let vault = Vault::open(&Vault::optional("copia"));
    vault.scene.backup("full");
    let before = respaldo_tests::Repository::at(&vault.folder("copia")).files();
    let checked = vault
        .scene
        .respaldo
        .ok(&["sink", "check", "copia", "--json"]);
    let checked = checked.json();
    assert_eq!(checked["exitoso"], true, "{checked:#}");
    assert!(checked["comprobaciones"].as_array().unwrap().len() > 10);
    let after = respaldo_tests::Repository::at(&vault.folder("copia")).files();
    assert_eq!(before, after);
    // A doctor who is asked to does it with all of them, and tells of each.
    let told = |args: &[&str]| {
        let record = vault.scene.respaldo.run(args).json();
        let checks = record["comprobaciones"].as_array().unwrap().clone();
        let of_sinks = checks
            .into_iter()
            .filter(|check| check["nombre"] == "destinos");
        of_sinks
            .map(|check| check["mensaje"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&["doctor", "--json"]).len(), 2);
    let closely = told(&["doctor", "--sinks", "--json", "--lang", "en"]);
    let kept = closely.iter().filter(|told| told.contains("keeps all"));
    assert_eq!((closely.len(), kept.count()), (4, 2), "{closely:#?}");
    let after = respaldo_tests::Repository::at(&vault.folder("copia")).files();
    assert_eq!(before, after);
    let unknown = vault.scene.respaldo.run(&["sink", "check", "nadie"]);
    unknown.expect_code(2);
    vault.block("copia");
    vault
        .scene
        .respaldo
        .run(&["sink", "check", "copia"])
        .expect_code(13);
}

#[test]
fn options_that_make_no_sense_are_told_before_anything_is_done() {
    let vault = Vault::open("");
    for (text, told) in [
        (
            "[[sink]]\nname = \"x\"\nuse = \"cinta\"\nrequired = false\n",
            "cinta",
        ),
        (
            "[[sink]]\nname = \"x\"\nuse = \"local\"\ndir = \"y\"\nbucket = \"z\"\n",
            "sink.bucket",
        ),
        (
            "[[sink]]\nname = \"x\"\nuse = \"local\"\ndir = \"y\"\nmax_rate = \"fast\"\n",
            "sink.max_rate",
        ),
        (
            "[[sink]]\nname = \"x\"\nuse = \"local\"\ndir = \"y\"\nfollows_panel = true\n",
            "required = false",
        ),
    ] {
        vault.configure(text);
        let refused = vault.scene.respaldo.run(&["backup", "full"]);
        refused.expect_code(10);
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
}

#[test]
fn wrapped_sinks_serve_a_chain() {
    let wrapped = Vault::optional("copia")
        + "tries = 3\nmax_rate = \"200MiB\"\nmax_parallel = 2\nverify = true\n";
    let vault = Vault::open(&wrapped);
    vault.scene.backup("full");
    vault.scene.day(1);
    vault.scene.backup("inc");
    assert_eq!(vault.sealed_in("copia"), 2);
    fs::remove_dir_all(vault.folder("backups_incrementales")).unwrap();
    vault.assert_restores("again");
}
