//! What else keeps definitions from being taken over: history, tools, settings, damage.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Client, Respaldo};

use super::open;
use super::stage::ALWAYS;

#[test]
fn small_databases_have_their_definitions_written_by_pg_dump_each_time() {
    let mut stage = open("dueno");
    let url = stage.cluster.url_as("dueno", "live");
    stage.respaldo = Respaldo::for_url(&stage.cluster, &url).config(crate::NO_CATALOG);
    stage.backup("full");
    let made = stage.backup("inc");
    assert_eq!(made.manifest["indice"], serde_json::Value::Null);
    stage.assert_is_of_now(&made, "below the limit");
}

#[test]
fn a_full_writes_definitions_of_its_own() {
    let stage = open("dueno");
    stage.backup("full");
    assert!(stage.backup("dif").took_over());
    assert!(!stage.backup("full").took_over());
}

#[test]
fn a_crash_or_a_restart_has_them_written_anew() {
    let stage = open("dueno");
    stage.backup("full");
    for happens in [
        respaldo_tests::Cluster::crash,
        respaldo_tests::Cluster::restart,
    ] {
        assert!(stage.backup("inc").took_over());
        happens(&stage.cluster);
        let made = stage.backup("inc");
        assert!(!made.took_over());
        stage.assert_is_of_now(&made, "after a restart");
    }
}

#[test]
fn a_setting_of_the_server_that_changes_their_text_has_them_written_anew() {
    let stage = open("dueno");
    stage.backup("full");
    for value in ["on", "off"] {
        stage.cluster.psql(
            "live",
            &format!("ALTER SYSTEM SET quote_all_identifiers = {value}; SELECT pg_reload_conf()"),
        );
        let is_set = || stage.cluster.psql("live", "SHOW quote_all_identifiers") == value;
        assert!(wait_until(Duration::from_secs(10), is_set));
        let made = stage.backup("inc");
        assert!(!made.took_over(), "{value}");
        stage.assert_is_of_now(&made, value);
        assert!(stage.backup("inc").took_over());
    }
}

#[test]
fn an_index_that_became_valid_after_a_backup_is_in_the_next() {
    let stage = open("dueno");
    stage.backup("full");
    let mut holder = Client::connect(&stage.cluster.url("live"));
    holder.exec("BEGIN; UPDATE public.t SET a = 'held' WHERE id = 1");
    std::thread::scope(|scope| {
        let building = scope.spawn(|| {
            stage
                .cluster
                .psql("live", "CREATE INDEX CONCURRENTLY slow ON public.t (a)");
        });
        let begun = "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('public.slow')";
        let is_begun = || stage.cluster.psql("live", begun) == "1";
        assert!(wait_until(Duration::from_secs(20), is_begun));
        stage.assert_is_of_now(&stage.backup("inc"), "while it is built");
        holder.exec("COMMIT");
        building.join().unwrap();
    });
    let made = stage.backup("inc");
    assert!(!made.took_over());
    stage.assert_is_of_now(&made, "once it is valid");
}

#[test]
fn large_objects_are_dumped_beside_definitions_and_not_taken_over_with_them() {
    let stage = open("postgres");
    stage.backup("full");
    stage.cluster.psql(
        "live",
        "SELECT lo_from_bytea(4242, 'large'); COMMENT ON LARGE OBJECT 4242 IS 'a large object';
         GRANT SELECT ON LARGE OBJECT 4242 TO reads",
    );
    assert!(!stage.backup("inc").took_over());
    let made = stage.backup("inc");
    assert!(made.took_over());
    stage.assert_is_of_now(&made, "without large objects");
}

/// Folder with the tools of the installation, of which pg_dump calls itself another build.
fn another_build(tools: &Path, folder: &Path) {
    for tool in ["pg_restore", "psql", "pg_dumpall"] {
        symlink(tools.join(tool), folder.join(tool)).unwrap();
    }
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = --version ]; then\n\
         {0} --version | sed 's/$/ (another build)/'\nelse\nexec {0} \"$@\"\nfi\n",
        tools.join("pg_dump").display()
    );
    let path = folder.join("pg_dump");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn another_build_of_pg_dump_writes_its_own() {
    let mut stage = open("dueno");
    let folder = tempfile::tempdir().unwrap();
    another_build(stage.cluster.bin_dir(), folder.path());
    stage.backup("full");
    assert!(stage.backup("inc").took_over());
    let tools = folder.path().to_str().unwrap();
    stage.respaldo = stage.respaldo.env("RESPALDO_DATABASE__PG_BIN_PATH", tools);
    assert!(!stage.backup("inc").took_over());
    assert!(stage.backup("inc").took_over());
}

/// Changes one byte in the middle of a table of contents.
fn damage(archive: &Path, contents_bytes: u64) {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(archive)
        .unwrap();
    let at = SeekFrom::Start(contents_bytes / 2);
    let mut byte = [0];
    file.seek(at).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(at).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
}

#[test]
fn damaged_definitions_are_not_taken_over() {
    let stage = open("dueno");
    stage.backup("full");
    let inc = stage.backup("inc");
    assert!(inc.took_over());
    damage(
        &inc.archive,
        inc.manifest["indice"]["bytes"].as_u64().unwrap(),
    );
    let made = stage.backup("inc");
    assert!(!made.took_over());
    stage.assert_is_of_now(&made, "with a damaged base");
    let restore = [
        "restore",
        "--at",
        "latest",
        "--target-db",
        "copy",
        "--create",
        "--json",
    ];
    let superuser = Respaldo::new(&stage.cluster, "live")
        .env(
            "RESPALDO_REPOSITORY__DIR",
            inc.archive
                .parent()
                .unwrap()
                .parent()
                .unwrap()
                .to_str()
                .unwrap(),
        )
        .env(ALWAYS.0, ALWAYS.1);
    assert!(superuser.run(&restore).is_done());
}

#[test]
fn a_differential_takes_over_what_the_newest_backup_has() {
    let stage = open("dueno");
    stage.backup("full");
    stage
        .cluster
        .psql("live", "COMMENT ON TABLE public.t IS 'since the full'");
    let inc = stage.backup("inc");
    assert!(!inc.took_over());
    let dif = stage.backup("dif");
    assert!(dif.took_over());
    assert_eq!(dif.manifest["indice"]["tomado_de"], inc.manifest["archivo"]);
    assert_eq!(
        dif.manifest["indice"]["clave"],
        inc.manifest["indice"]["clave"]
    );
    stage.assert_is_of_now(&dif, "a differential");
}
