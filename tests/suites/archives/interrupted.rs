//! Killed, failed or stopped at any step: nothing that looks whole is left, and the next try works.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use respaldo_tests::{Outcome, Scene};

fn chain() -> (Scene, String) {
    let scene = Scene::open();
    scene.backup("full");
    scene.day(1);
    let newest = scene.backup_name("inc");
    (scene, newest)
}

/// What is written, and what is there when it is done.
fn outputs(scene: &Scene, newest: &str) -> [(Vec<String>, std::path::PathBuf); 2] {
    let folder = scene.respaldo.folder();
    let of = |command: &str, name: &str| {
        let path = folder.join(name);
        let args = [command, "--id", newest, "-o", path.to_str().unwrap()];
        (args.map(str::to_owned).to_vec(), path)
    };
    [of("export", "out.dump"), of("escape-kit", "kit")]
}

fn remove(path: &Path) {
    let _ = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
}

/// The steps a command passes, each by its name.
fn steps(scene: &Scene, args: &[&str]) -> BTreeSet<String> {
    scene.respaldo.trace_steps(args).into_iter().collect()
}

#[test]
fn an_export_or_a_kit_that_ends_early_has_no_name_and_the_next_one_is_whole() {
    let (scene, newest) = chain();
    for (args, path) in outputs(&scene, &newest) {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let names = steps(&scene, &args);
        let own = ["export.publish", "kit.publish"];
        assert!(own.iter().any(|step| names.contains(*step)), "{names:?}");
        for name in &names {
            remove(&path);
            scene.respaldo.kill_at_step(name, &args);
            assert!(!path.exists(), "killed at {name}: {args:?}");
            let failed = scene
                .respaldo
                .run_with_fault(&format!("{name}=fail"), &args);
            // A step may be one that need not succeed; then everything is there.
            assert_eq!(path.exists(), failed.code == Some(0), "{name}: {failed:#?}");
        }
        remove(&path);
        scene.respaldo.ok(&args);
        assert!(path.exists());
    }
}

#[test]
fn an_existing_file_is_as_it_was_until_the_new_one_is_whole() {
    let (scene, newest) = chain();
    let path = scene.respaldo.folder().join("out.dump");
    fs::write(&path, "mine").unwrap();
    let text = path.to_str().unwrap();
    let args = ["export", "--id", &newest, "-o", text, "--json"];
    scene.respaldo.run(&args).expect_error(2, "output-exists");
    let forced = ["export", "--id", &newest, "-o", text, "--force", "--json"];
    for step in ["export.block", "export.publish"] {
        scene.respaldo.kill_at_step(step, &forced);
        assert_eq!(fs::read(&path).unwrap(), b"mine", "{step}");
    }
    scene.respaldo.ok(&forced);
    assert!(fs::read(&path).unwrap().starts_with(b"PGDMP"));
}

#[test]
fn a_signal_stops_an_export_and_removes_what_it_wrote() {
    let (scene, newest) = chain();
    let folder = scene.respaldo.folder().join("place");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("out.dump");
    let args = ["export", "--id", &newest, "-o", path.to_str().unwrap()];
    let mut held = scene.respaldo.hold_at_step("export.block", &args);
    held.running().signal("TERM");
    let outcome = held.release();
    assert_eq!(outcome.code, Some(130), "{outcome:#?}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_full_from_the_chain_that_ends_early_is_not_there_and_leaves_no_litter() {
    let (scene, newest) = chain();
    let image = scene.image();
    let args = ["backup", "full", "--from-chain", "--json"];
    let names = steps(&scene, &args);
    assert!(names.contains("consolidate.manifest"), "{names:?}");
    for (n, name) in names.iter().enumerate() {
        let before = scene.repository.sealed();
        scene.respaldo.kill_at_step(name, &args);
        whole_or_nothing(&scene, &before, None, name);
        scene.wait_for_the_lease();
        let before = scene.repository.sealed();
        let failed = scene
            .respaldo
            .run_with_fault(&format!("{name}=fail"), &args);
        whole_or_nothing(&scene, &before, Some(&failed), name);
        scene.add_branch(700 + n);
        let next = scene.respaldo.run(&["backup", "inc", "--json"]);
        assert!(next.is_done(), "{name}: {next:#?}");
        scene.assert_tidy(name);
    }
    scene.assert_restores(&newest, &image);
    scene.respaldo.ok(&args);
    let all = scene.respaldo.ok(&["validate", "--all", "--json"]).json();
    assert_eq!(all["invalidos"], 0, "{all:#}");
}

/// A set more is sealed and validates, or none is.
fn whole_or_nothing(scene: &Scene, before: &[String], outcome: Option<&Outcome>, when: &str) {
    let after = scene.repository.sealed();
    let made: Vec<_> = after.iter().filter(|name| !before.contains(name)).collect();
    if let Some(outcome) = outcome {
        assert_eq!(
            made.len(),
            usize::from(outcome.is_done()),
            "{when}: {outcome:#?}"
        );
    }
    for name in made {
        let valid = scene
            .respaldo
            .run(&["validate", name, "--level", "chain", "--json"]);
        assert_eq!(valid.code, Some(0), "{when}: {valid:#?}");
    }
}
