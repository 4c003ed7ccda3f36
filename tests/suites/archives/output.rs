//! Where output goes, and what is refused.

use std::fs;
use std::process::Stdio;

use respaldo_tests::Scene;

fn scene() -> Scene {
    let scene = Scene::open();
    scene.backup("full");
    scene
}

#[test]
fn standard_output_carries_the_archive_alone() {
    let scene = scene();
    let json = scene
        .respaldo
        .run(&["export", "--at", "latest", "-o", "-", "--json"]);
    json.expect_error(2, "usage");
    let mut command = scene
        .respaldo
        .command(&["export", "--at", "latest", "-o", "-", "-v"]);
    let out = command.output().unwrap();
    assert!(out.status.success());
    assert!(out.stdout.starts_with(b"PGDMP"));
    let path = scene.respaldo.folder().join("out.dump");
    scene
        .respaldo
        .ok(&["export", "--at", "latest", "-o", path.to_str().unwrap()]);
    assert!(fs::read(&path).unwrap() == out.stdout);
}

#[test]
fn a_reader_that_goes_away_ends_the_export_with_an_error() {
    let scene = scene();
    scene.client().exec(
        "CREATE TABLE bank.noise AS SELECT md5(g::text || random()) AS v FROM generate_series(1, 60000) g",
    );
    scene.backup("full");
    let mut command = scene
        .respaldo
        .command(&["export", "--at", "latest", "-o", "-"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!(
        out.status.code(),
        Some(13),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
}

#[test]
fn what_cannot_be_written_or_must_not_be_is_said_in_both_languages() {
    let scene = scene();
    let folder = scene.respaldo.folder();
    let missing = folder.join("no/such/out.dump");
    let missing = missing.to_str().unwrap();
    let export = |path: &str| {
        scene
            .respaldo
            .run(&["export", "--at", "latest", "-o", path, "--force", "--json"])
    };
    export(missing).expect_error(13, "output-failed");
    export("/dev/null").expect_error(2, "output-exists");
    export(folder.to_str().unwrap()).expect_error(2, "output-exists");
    let full = folder.join("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), "mine").unwrap();
    let kit = ["escape-kit", "--at", "latest", "-o", full.to_str().unwrap()];
    for (lang, word) in [("en", "there already"), ("es", "ya existe")] {
        let said = scene.respaldo.run(&[&kit[..], &["--lang", lang]].concat());
        assert_eq!(said.code, Some(2), "{said:#?}");
        assert!(said.stderr.contains(word), "{said:#?}");
    }
    assert_eq!(fs::read(full.join("mine")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1);
}

#[test]
fn a_disk_without_room_leaves_no_file() {
    let scene = scene();
    let small = scene.respaldo.folder().join("small");
    fs::create_dir(&small).unwrap();
    let path = small.join("out.dump");
    let script = scene.respaldo.folder().join("limited.sh");
    let binary = respaldo_tests::respaldo::binary();
    let text = format!(
        "trap '' XFSZ\nulimit -f 8\nexec {} \"$@\"\n",
        binary.display()
    );
    fs::write(&script, text).unwrap();
    let args = [
        "export",
        "--at",
        "latest",
        "-o",
        path.to_str().unwrap(),
        "--json",
    ];
    let command = scene.respaldo.command(&args);
    let mut shell = std::process::Command::new("sh");
    shell.env_clear().current_dir(scene.respaldo.folder());
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap());
    }
    let out = shell.arg(&script).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout);
    assert_eq!(out.status.code(), Some(13), "{said}");
    assert!(said.contains("output-failed"), "{said}");
    assert_eq!(fs::read_dir(&small).unwrap().count(), 0);
}

#[test]
fn a_kit_explains_itself_in_both_languages_and_its_sums_are_right() {
    let scene = scene();
    let kit = scene.respaldo.folder().join("kit");
    let made = scene
        .respaldo
        .ok(&[
            "escape-kit",
            "--at",
            "latest",
            "-o",
            kit.to_str().unwrap(),
            "--json",
        ])
        .json();
    let guide = fs::read_to_string(kit.join("RESTORE.md")).unwrap();
    assert!(
        guide.contains("# Restoring bank without respaldo")
            && guide.contains("# Restaurar bank sin respaldo")
    );
    let script = fs::read_to_string(kit.join("restore.sh")).unwrap();
    assert!(!guide.contains('{'), "{guide}");
    for (at, _) in script.match_indices('@') {
        assert!(
            script[at..].starts_with("@\""),
            "a blank was not filled in: {script}"
        );
    }
    let sums = fs::read_to_string(kit.join("SHA256SUMS")).unwrap();
    assert_eq!(
        sums.lines().count(),
        made["archivos"].as_array().unwrap().len()
    );
    let mut check = std::process::Command::new("sha256sum");
    check
        .args(["-c", "--strict", "SHA256SUMS"])
        .current_dir(&kit);
    super::stock::succeed(&mut check);
    assert!(sums.contains("roles.sql"), "{sums}");
    // Every file but the sums is in them.
    assert_eq!(super::stock::files(&kit).len(), sums.lines().count() + 1);
}
