//! Damage × object × level, and damage × object × restore.

use respaldo_tests::assert_equal;

use super::store::{Damage, Object, Vault, block_of, flip_at};

const LEVELS: [&str; 4] = ["presence", "checksum", "readable", "chain"];

/// The first level that promises to find it. A manifest is read, and its seal checked, before any
/// level looks further; sizes are looked at first, contents later.
fn promised(damage: Damage, object: Object, same_size: bool) -> &'static str {
    match (damage, object) {
        (_, Object::Manifest) => "presence",
        (Damage::Flip, _) => "checksum",
        (Damage::Swapped, _) if same_size => "checksum",
        _ => "presence",
    }
}

fn sizes(a: &std::path::Path, b: &std::path::Path) -> (u64, u64) {
    let size = |path: &std::path::Path| std::fs::metadata(path).unwrap().len();
    (size(a), size(b))
}

#[test]
fn each_damage_is_found_at_the_level_that_promises_it_and_at_all_above() {
    let vault = Vault::fill();
    let run = |args: &[&str]| vault.scene.respaldo.run(args);
    for object in Object::ALL {
        for damage in Damage::ALL {
            let path = vault.path(vault.newest(), object);
            let other = vault.path(&vault.archives[1], object);
            let (own, foreign) = sizes(&path, &other);
            let undo = damage.to(&path, &other);
            let promised = promised(damage, object, own == foreign);
            for level in LEVELS.iter().skip_while(|level| **level != promised) {
                let outcome = run(&["validate", vault.newest(), "--level", level, "--json"]);
                let case = format!("{damage:?} {object:?} at {level}");
                assert_eq!(outcome.code, Some(3), "{case}: {outcome:#?}");
                let json = outcome.json();
                assert_eq!(json["invalidos"], 1, "{case}: {json:#}");
                assert_eq!(json["validaciones"][0]["valido"], false, "{case}: {json:#}");
                let findings = json["validaciones"][0]["hallazgos"].as_array().unwrap();
                assert!(!findings.is_empty(), "{case}: {json:#}");
            }
            let all = run(&["validate", "--all", "--json"]);
            assert_eq!(all.code, Some(3), "{damage:?} {object:?}, all: {all:#?}");
            drop(undo);
        }
    }
    assert_eq!(
        run(&["validate", "--all", "--json"]).code,
        Some(0),
        "undamaged again"
    );
}

#[test]
fn damage_to_what_a_backup_builds_on_is_found_by_its_chain() {
    let vault = Vault::fill();
    for damage in Damage::ALL {
        let path = vault.path(&vault.archives[0], Object::Archive);
        let other = vault.path(&vault.archives[1], Object::Archive);
        let undo = damage.to(&path, &other);
        let args = ["validate", vault.newest(), "--level", "chain", "--json"];
        let outcome = vault.scene.respaldo.run(&args);
        assert_eq!(outcome.code, Some(3), "{damage:?}: {outcome:#?}");
        drop(undo);
    }
}

#[test]
fn the_drill_finds_damage_as_well_and_leaves_no_database() {
    let vault = Vault::fill();
    let path = vault.path(vault.newest(), Object::Archive);
    let drill = ["validate", vault.newest(), "--level", "drill", "--json"];
    let undo = Damage::Truncated.to(&path, &path);
    let outcome = vault.scene.respaldo.run(&drill);
    assert_eq!(outcome.code, Some(3), "{outcome:#?}");
    drop(undo);
    let outcome = vault.scene.respaldo.run(&drill);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(vault.scene.scratch_databases().is_empty());
    assert!(
        !vault
            .scene
            .databases()
            .iter()
            .any(|name| name.contains("drill"))
    );
}

#[test]
fn a_restore_of_what_is_damaged_refuses_before_it_touches_anything() {
    let vault = Vault::fill();
    let scene = &vault.scene;
    let (live, id) = (scene.image(), vault.newest_id());
    let create = [
        "restore",
        "--id",
        &id,
        "--target-db",
        "copy",
        "--create",
        "--json",
    ];
    let replace = ["restore", "--id", &id, "--replace", "--yes", "--json"];
    for object in [Object::Archive, Object::Manifest] {
        for damage in Damage::ALL {
            let path = vault.path(vault.newest(), object);
            let undo = damage.to(&path, &vault.path(&vault.archives[1], object));
            let case = format!("{damage:?} {object:?}");
            let outcome = scene.respaldo.run(&create);
            assert_eq!(outcome.code, Some(14), "{case}: {outcome:#?}");
            outcome.error_code();
            assert!(!scene.exists("copy"), "{case}");
            let outcome = scene.respaldo.run(&replace);
            assert_eq!(outcome.code, Some(14), "{case} in place: {outcome:#?}");
            assert!(scene.has_branch(50), "{case}");
            assert!(scene.scratch_databases().is_empty(), "{case}");
            drop(undo);
        }
    }
    assert_equal(&live, &scene.image());
    assert!(scene.kept_databases().is_empty());
}

#[test]
fn an_empty_target_that_the_role_may_only_fill_stays_empty() {
    let vault = Vault::fill();
    let scene = &vault.scene;
    let url = scene.cluster.owned_database("empty", "dueno_sin_createdb");
    let args = [
        "restore",
        "--id",
        vault.newest(),
        "--target-db",
        "empty",
        "--no-owner",
        "--no-privileges",
        "--json",
        "--target-url",
        &url,
    ];
    let (holder, at) = block_of(&scene.repository.manifest(vault.newest()), "branch");
    assert_eq!(holder, vault.archives[0], "unchanged since the full");
    let undo = flip_at(&vault.path(&holder, Object::Archive), at);
    let outcome = scene.respaldo.run(&args);
    assert_eq!(outcome.code, Some(14), "{outcome:#?}");
    let tables = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                  WHERE nspname !~ '^pg_|information_schema'";
    assert_eq!(scene.cluster.psql("empty", tables), "0");
    drop(undo);
    assert!(scene.respaldo.run(&args).is_done());
}

#[test]
fn lost_readings_cost_a_larger_backup_and_no_restore() {
    let vault = Vault::fill();
    let scene = &vault.scene;
    for damage in Damage::ALL {
        let path = vault.path(vault.newest(), Object::Stats);
        let other = vault.path(&vault.archives[1], Object::Stats);
        let undo = damage.to(&path, &other);
        scene.assert_restores(vault.newest(), &vault.image);
        drop(undo);
    }
    let path = vault.path(vault.newest(), Object::Stats);
    let _undo = Damage::Flip.to(&path, &path);
    let made = scene.respaldo.run(&["backup", "inc", "--json"]);
    assert!(made.is_done(), "{made:#?}");
    scene.assert_restores(made.json()["nombre"].as_str().unwrap(), &scene.image());
}

#[test]
fn a_backup_is_never_built_on_a_damaged_base() {
    for damage in [Damage::Truncated, Damage::Missing, Damage::Emptied] {
        for object in [Object::Archive, Object::Manifest] {
            let vault = Vault::fill();
            let path = vault.path(vault.newest(), object);
            let _undo = damage.to(&path, &path);
            let made = vault.scene.respaldo.run(&["backup", "inc", "--json"]);
            assert!(made.is_done(), "{damage:?} {object:?}: {made:#?}");
            let name = made.json()["nombre"].as_str().unwrap().to_owned();
            vault.scene.assert_restores(&name, &vault.scene.image());
        }
    }
}
