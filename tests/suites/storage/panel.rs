//! The copy to a second place, as the existing panel sets it.

use serde_json::Value;

use super::vault::Vault;

/// The columns that the existing panel reads, of a backup.
fn cloud_of(vault: &Vault, archive: &str) -> (String, String) {
    let rows = vault.scene.client().rows(&format!(
        "SELECT nube_subido::text, coalesce(nube_proveedor, '') || ' ' || coalesce(nube_url, '')
         FROM seguridad.backup_manifest WHERE archivo_nombre = '{archive}'"
    ));
    let text = |at: usize| rows[0][at].clone().unwrap();
    (text(0), text(1).trim().to_owned())
}

fn set(vault: &Vault, args: &[&str]) -> Value {
    let all: Vec<&str> = ["cloud", "set"].iter().chain(args).copied().collect();
    let mut all = all;
    all.push("--json");
    vault.scene.respaldo.run(&all).json()
}

#[test]
fn while_the_panel_asks_for_a_folder_backups_go_there_and_the_panel_is_told_so() {
    let vault = Vault::open("");
    let before = vault.scene.backup_name("full");
    assert_eq!(cloud_of(&vault, &before), ("false".into(), String::new()));

    let folder = vault.folder("copias");
    let folder = folder.to_str().unwrap();
    let shown = set(&vault, &["--enabled", "true", "--sync-dir", folder]);
    assert_eq!(shown["destinos"], serde_json::json!(["nube"]), "{shown:#}");
    vault.scene.day(1);
    let copied = vault.scene.backup_name("inc");
    let (there, place) = cloud_of(&vault, &copied);
    assert_eq!(there, "true");
    assert!(
        place.starts_with(&format!("LOCAL {folder}/incremental/")),
        "{place}"
    );
    assert_eq!(cloud_of(&vault, &before).0, "false");

    // Filling it tells of the older one, too.
    vault.scene.respaldo.ok(&["sink", "sync", "nube"]);
    assert_eq!(cloud_of(&vault, &before).0, "true");
    assert_eq!(vault.sealed_in("copias"), 2);

    // What is gone from there is told by a rebuild.
    for kind in ["full", "incremental"] {
        std::fs::remove_dir_all(vault.folder("copias").join(kind)).unwrap();
    }
    vault.scene.respaldo.ok(&["catalog", "rebuild"]);
    assert_eq!(cloud_of(&vault, &before), ("false".into(), String::new()));

    set(&vault, &["--enabled", "false"]);
    vault.scene.day(2);
    let off = vault.scene.backup_name("inc");
    assert_eq!(cloud_of(&vault, &off).0, "false");
}

#[test]
fn what_the_existing_application_stored_is_what_counts() {
    let vault = Vault::open("");
    vault.scene.backup("full");
    let folder = vault.folder("suyas");
    vault.scene.client().exec(&format!(
        "INSERT INTO seguridad.config_sistema (clave, valor, tipo, descripcion)
         VALUES ('backup_cloud_config',
                 '{{\"enabled\": true, \"sync_dir\": \"{}\", \"provider\": \"LOCAL\"}}', 'TEXT', '')",
        folder.display()
    ));
    vault.scene.day(1);
    let copied = vault.scene.backup_name("inc");
    assert_eq!(cloud_of(&vault, &copied).0, "true");
}

#[test]
fn a_provider_that_is_not_configured_falls_back_to_the_folder_and_every_backup_says_so() {
    let vault = Vault::open("");
    let folder = vault.folder("copias");
    let folder = folder.to_str().unwrap();
    let shown = set(
        &vault,
        &[
            "--enabled",
            "true",
            "--provider",
            "s3",
            "--sync-dir",
            folder,
        ],
    );
    assert_eq!(shown["provider"], "S3", "{shown:#}");
    assert!(
        shown["aviso"].as_str().unwrap().contains(folder),
        "{shown:#}"
    );
    let backup = vault.scene.respaldo.run(&["backup", "full", "--json"]);
    let backup = backup.expect_code(3).json();
    assert!(backup.to_string().contains("segundo_destino"), "{backup:#}");
    let (there, place) = cloud_of(&vault, backup["nombre"].as_str().unwrap());
    assert_eq!(there, "true");
    assert!(place.starts_with("LOCAL"), "{place}");
}

#[test]
fn one_backup_is_copied_with_all_that_it_is_restored_from_and_its_copy_goes_when_nothing_needs_it()
{
    let vault = Vault::open("");
    let full = vault.scene.backup_name("full");
    vault.scene.day(1);
    let incremental = vault.scene.backup_name("inc");
    vault.scene.day(2);
    let later = vault.scene.backup_name("inc");
    let copies = vault.folder("copias");
    let place = format!("--sync-dir={}", copies.to_str().unwrap());
    let run = |args: &[&str]| {
        vault
            .scene
            .respaldo
            .run(&[&["cloud"], args, &["--json"]].concat())
    };

    // Without a place there is none, and the switch stays off.
    run(&["upload", &full]).expect_code(2);
    let given = run(&["upload", &incremental, &place]);
    let given = given.expect_code(0).json();
    assert_eq!(given["copiados"].as_array().unwrap().len(), 2, "{given:#}");
    assert_eq!(vault.sealed_in("copias"), 2);
    for archive in [&full, &incremental] {
        assert_eq!(cloud_of(&vault, archive).0, "true", "{archive}");
    }
    assert_eq!(cloud_of(&vault, &later).0, "false");
    assert_eq!(run(&["show"]).json()["enabled"], false);
    let again = run(&["upload", &incremental, &place]).json();
    assert_eq!(again["copiados"].as_array().unwrap().len(), 0, "{again:#}");

    let refused = run(&["remove", &full, &place]);
    let refused = refused.expect_code(2).json();
    assert_eq!(refused["error"]["codigo"], "has-dependents", "{refused:#}");
    run(&["remove", &incremental, &place]).expect_code(0);
    run(&["remove", &full, &place]).expect_code(0);
    assert_eq!(vault.sealed_in("copias"), 0);
    for archive in [&full, &incremental] {
        assert_eq!(cloud_of(&vault, archive), ("false".into(), String::new()));
    }
    vault.assert_restores("entera");
    run(&["upload", "999999", &place]).expect_code(15);
}

#[test]
fn the_copy_that_is_the_only_one_left_is_not_removed() {
    let vault = Vault::open("");
    let full = vault.scene.backup_name("full");
    let copies = vault.folder("copias");
    let place = format!("--sync-dir={}", copies.to_str().unwrap());
    let respaldo = &vault.scene.respaldo;
    respaldo.ok(&["cloud", "upload", &full, &place]);
    let repository = respaldo.folder().join("backups_incrementales/full");
    std::fs::remove_dir_all(repository).unwrap();
    let refused = respaldo.run(&["cloud", "remove", &full, &place, "--json"]);
    assert_ne!(refused.code, Some(0), "{refused:#?}");
    assert_eq!(vault.sealed_in("copias"), 1);
}
