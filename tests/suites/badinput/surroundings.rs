//! Servers, tools and folders that are not as they should be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use respaldo_tests::respaldo::binary;
use respaldo_tests::{Cluster, Respaldo, Scene};

use super::{PASSWORD, assert_decent, assert_refused};

const FULL: [&str; 2] = ["backup", "full"];

#[test]
fn a_server_that_does_not_answer_is_said_to_be_unreachable() {
    let cluster = Cluster::start();
    let nobody = format!("postgresql://me:{PASSWORD}@127.0.0.1:1/db");
    assert_refused(
        &Respaldo::for_url(&cluster, &nobody),
        &FULL,
        12,
        "source-unreachable",
    );
    let unknown = super::with_password(&cluster.url("no such database"), "postgres");
    assert_refused(
        &Respaldo::for_url(&cluster, &unknown),
        &FULL,
        12,
        "source-unreachable",
    );
    let stranger = format!(
        "postgresql://stranger:{PASSWORD}@127.0.0.1:{}/postgres",
        cluster.port()
    );
    let outcome = Respaldo::for_url(&cluster, &stranger).run(&FULL);
    assert_decent(&outcome);
    assert_eq!(outcome.code, Some(12), "{outcome:#?}");
}

#[test]
fn a_target_server_that_does_not_answer_is_said_to_be_unreachable() {
    let scene = Scene::open();
    scene.backup("full");
    let nobody = format!("postgresql://me:{PASSWORD}@127.0.0.1:1/db");
    let args = [
        "restore",
        "--at",
        "latest",
        "--target-url",
        &nobody,
        "--create",
    ];
    assert_refused(&scene.respaldo, &args, 12, "target-unreachable");
}

/// A folder with programs of these names that print a version and do nothing.
fn fake_tools(folder: &Path, names: &[&str], version: &str) {
    fs::create_dir_all(folder).unwrap();
    for name in names {
        let path = folder.join(name);
        fs::write(
            &path,
            format!("#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n"),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

const TOOLS: [&str; 4] = ["pg_dump", "pg_restore", "psql", "pg_dumpall"];

#[test]
fn tools_that_are_too_old_or_incomplete_are_passed_over_for_better_ones() {
    let scene = Scene::open();
    let folder = scene.respaldo.folder().join("tools");
    fake_tools(&folder, &TOOLS, "9.6.24");
    let respaldo = Respaldo::for_url(&scene.cluster, &scene.cluster.url_as("dueno", "bank"))
        .env("PG_BIN_PATH", folder.to_str().unwrap());
    assert!(respaldo.run(&FULL).is_done());
    let empty = scene.respaldo.folder().join("empty");
    fs::create_dir(&empty).unwrap();
    let respaldo = respaldo.env("PG_BIN_PATH", empty.to_str().unwrap());
    assert!(respaldo.run(&FULL).is_done());
}

/// A driver on whose machine PostgreSQL is not installed, whatever this one has: the program runs
/// with an empty folder over the usual ones.
fn without_installed_tools(scene: &Scene) -> Respaldo {
    let script = scene.respaldo.folder().join("elsewhere.sh");
    let binary = binary().display().to_string();
    let text = format!(
        "#!/bin/sh\nexec unshare --map-root-user --mount /bin/sh -c '\
         for d in /usr/lib/postgresql /usr/pgsql-*; do\n\
         [ ! -d \"$d\" ] || mount -t tmpfs none \"$d\" || exit 99\ndone\n\
         exec \"$@\"' sh {binary} \"$@\"\n"
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    Respaldo::for_url(&scene.cluster, &scene.cluster.url_as("dueno", "bank"))
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .program(&script)
}

#[test]
fn without_tools_that_can_read_the_server_nothing_is_begun() {
    let scene = Scene::open();
    // Wrapper scripts of distributions find nothing once the installations are hidden.
    let respaldo = without_installed_tools(&scene);
    assert_refused(&respaldo, &FULL, 12, "tools-missing");
    let folder = scene.respaldo.folder().join("tools");
    fake_tools(&folder, &TOOLS, "9.6.24");
    let respaldo = respaldo.env("PG_BIN_PATH", folder.to_str().unwrap());
    assert_refused(&respaldo, &FULL, 12, "tools-too-old");
    let said = respaldo.run(&FULL).stderr;
    assert!(said.contains("9.6.24"), "{said}");
}

/// A repository nobody may write to: mounted read-only where this process may mount, else by its
/// permissions, which do not stop root.
fn make_read_only(folder: &Path) {
    let mount = |args: &[&str]| {
        let mut command = Command::new("mount");
        command
            .args(args)
            .arg(folder)
            .output()
            .is_ok_and(|out| out.status.success())
    };
    if mount(&["-t", "tmpfs", "-o", "ro", "none"]) {
        return;
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o500)).unwrap();
    assert!(
        fs::write(folder.join("probe"), "").is_err(),
        "nothing here keeps root from writing"
    );
}

#[test]
fn a_repository_that_cannot_be_written_is_said_before_the_dump() {
    let scene = Scene::open();
    let folder = scene.respaldo.folder().join("read_only");
    fs::create_dir(&folder).unwrap();
    make_read_only(&folder);
    let url = super::with_password(&scene.cluster.url_as("dueno", "bank"), "dueno");
    let respaldo = Respaldo::for_url(&scene.cluster, &url)
        .env("RESPALDO_REPOSITORY__DIR", folder.to_str().unwrap());
    assert_refused(&respaldo, &FULL, 13, "sink-denied");
    let _ = Command::new("umount").arg("-l").arg(&folder).output();
    let file = scene.respaldo.folder().join("a_file");
    fs::write(&file, "no folder").unwrap();
    let respaldo = respaldo.env("RESPALDO_REPOSITORY__DIR", file.to_str().unwrap());
    let outcome = respaldo.run(&["backup", "full", "--json"]);
    assert_decent(&outcome);
    assert_eq!(outcome.code, Some(13), "{outcome:#?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "no folder");
}

#[test]
fn a_role_that_cannot_read_everything_is_told_the_grants_and_nothing_is_made() {
    let scene = Scene::open();
    scene
        .cluster
        .psql("bank", "CREATE TABLE bank.secret AS SELECT 1 AS id");
    let respaldo = &scene.respaldo;
    let outcome = respaldo.run(&["backup", "full", "--json"]);
    outcome.expect_error(12, "coverage-incomplete");
    let said = respaldo.run(&FULL).stderr;
    assert!(
        said.contains("GRANT SELECT ON") && said.contains("bank.secret"),
        "{said}"
    );
    assert!(scene.repository.sealed().is_empty());
    let partial = respaldo.run(&["backup", "full", "--allow-partial", "--json"]);
    assert_eq!(partial.code, Some(3), "{partial:#?}");
    assert_eq!(partial.json()["cobertura"]["completa"], false);
}
