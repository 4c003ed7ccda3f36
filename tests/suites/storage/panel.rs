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
