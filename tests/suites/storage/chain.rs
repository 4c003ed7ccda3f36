//! A whole chain on each kind of sink alone: made, validated, restored on a machine that knows nothing,
//! listed again, thinned out, and equal to what there was.

use std::fs;
use std::time::Duration;

use respaldo_tests::stores::azurite::{self, Azurite};
use respaldo_tests::stores::fake_gcs::FakeGcs;
use respaldo_tests::stores::google_drive::GoogleDrive;
use respaldo_tests::stores::moto::Moto;
use respaldo_tests::stores::rclone::{self, Rclone};
use respaldo_tests::stores::seaweedfs::{self, SeaweedFs};
use respaldo_tests::stores::sshd::Sshd;
use serde_json::{Value, json};

use super::vault::Vault;

/// Longest run of the binary against a server that shares two processors with it.
const LIMIT: Duration = Duration::from_mins(5);

fn serves_a_chain(kind: &str, options: &Value) {
    let mut vault = Vault::open("");
    vault.scene.respaldo = vault.scene.respaldo.limit(LIMIT);
    vault.configure_alone(&Vault::sink_of(kind, options));
    let respaldo = &vault.scene.respaldo;
    respaldo.ok(&["sink", "check", "fuera"]);
    let mut points = Vec::new();
    for (day, backup) in (1..).zip(["full", "inc", "dif", "inc"]) {
        vault.scene.day(day);
        points.push((vault.scene.backup_name(backup), vault.scene.image()));
    }
    respaldo.ok(&["validate", "--all", "--level", "chain"]);
    let stored = vault.sink("fuera");
    assert_eq!(stored["disponible"], true, "{stored:#}");
    assert_eq!(stored["clase"], kind);

    // Another machine, and a catalog that is lost.
    fs::remove_dir_all(vault.folder("backups_incrementales")).unwrap();
    vault.scene.cluster.psql(
        respaldo_tests::scene::DB,
        "TRUNCATE seguridad.backup_manifest CASCADE",
    );
    respaldo.ok(&["catalog", "rebuild"]);
    let listed = respaldo.ok(&["list", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 4, "{listed:#}");
    assert_eq!(listed[0]["nube_subido"], true, "{listed:#}");
    for (number, (name, image)) in points.iter().enumerate() {
        let target = format!("copia_{number}");
        let args = ["restore", "--id", name, "--target-db", &target, "--create"];
        respaldo.ok(&args);
        respaldo_tests::assert_equal(image, &vault.scene.image_of(&target));
    }

    // The chain goes on, and what goes is gone.
    vault.scene.day(5);
    let last = vault.scene.backup_name("inc");
    vault.assert_restores("crecida");
    respaldo.ok(&["delete", &last]);
    respaldo.ok(&["expire"]);
    respaldo.ok(&["validate", "--all", "--level", "chain"]);
    let args = [
        "restore",
        "--at",
        "latest",
        "--target-db",
        "al_final",
        "--create",
    ];
    respaldo.ok(&args);
    let (_, image) = points.last().unwrap();
    respaldo_tests::assert_equal(image, &vault.scene.image_of("al_final"));
}

#[test]
fn s3_on_seaweedfs() {
    let server = SeaweedFs::start();
    serves_a_chain(
        "s3",
        &json!({
            "bucket": "backups",
            "prefix": "of/bank",
            "endpoint": format!("http://127.0.0.1:{}", server.port()),
            "access_key_id": seaweedfs::KEY,
            "secret_access_key": seaweedfs::SECRET,
        }),
    );
}

#[test]
fn s3_on_moto() {
    let server = Moto::start();
    serves_a_chain(
        "s3",
        &json!({
            "bucket": "backups",
            "endpoint": format!("http://127.0.0.1:{}", server.port()),
            "access_key_id": "any",
            "secret_access_key": "any",
        }),
    );
}

#[test]
fn azure_on_azurite() {
    let server = Azurite::start();
    let (port, account) = (server.port(), azurite::ACCOUNT);
    serves_a_chain(
        "azure",
        &json!({
            "account": account,
            "container": "backups",
            "access_key": azurite::KEY,
            "endpoint": format!("http://127.0.0.1:{port}/{account}"),
        }),
    );
}

#[test]
fn gcs_on_its_fake() {
    let server = FakeGcs::start();
    serves_a_chain(
        "gcs",
        &json!({
            "bucket": "backups",
            "anonymous": true,
            "endpoint": format!("http://127.0.0.1:{}", server.port()),
        }),
    );
}

#[test]
fn sftp_on_openssh() {
    let server = Sshd::start();
    serves_a_chain(
        "sftp",
        &json!({
            "host": "127.0.0.1",
            "port": server.port(),
            "user": Sshd::user(),
            "dir": server.data().join("respaldo"),
            "private_key_file": server.key_file(),
            "host_key": server.host_key("host"),
        }),
    );
}

#[test]
fn webdav_on_rclone() {
    let server = Rclone::webdav();
    serves_a_chain(
        "webdav",
        &json!({
            "url": format!("http://127.0.0.1:{}/", server.port()),
            "dir": "respaldo",
            "user": rclone::USER,
            "password": rclone::PASSWORD,
        }),
    );
}

#[test]
fn google_drive_on_its_fake() {
    let server = GoogleDrive::start();
    serves_a_chain(
        "google-drive",
        &json!({
            "folder_id": server.shared_folder(),
            "service_account": server.account_key(),
            "base_url": server.base_url(),
            "token_url": server.token_url(),
        }),
    );
}
