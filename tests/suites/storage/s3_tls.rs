//! S3 over TLS, on SeaweedFS with an authority of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use respaldo_engine::ports::{Context, FaultKind};
use respaldo_tests::stores::seaweedfs::SeaweedFs;
use serde_json::json;

use super::s3::sink_with;
use super::stores::{Generated, MB, TWO_PARTS, ensure_equal, fault_of, key};

#[test]
fn an_authority_of_ones_own_is_trusted_where_its_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    make_certificates(folder.path());
    let mut server = SeaweedFs::start_tls(folder.path());
    let (port, cx) = (server.port(), Context::quiet());
    let with = |checksum: &str| {
        sink_with(
            port,
            &json!({
                "endpoint": format!("https://127.0.0.1:{port}"),
                "ca_file": folder.path().join("ca.pem"),
                "checksum": checksum,
            }),
        )
    };
    let first = with("sha256");
    server.wait_until(|| {
        first
            .put(&key("ready"), &mut Generated::new(1, 1), &cx)
            .is_ok()
    });
    for (checksum, size_bytes) in [("sha256", MB), ("none", MB), ("none", TWO_PARTS)] {
        let key = key(&format!("full/{checksum}-{size_bytes}"));
        let source = Generated::new(size_bytes, 1);
        with(checksum).put(&key, &mut source.clone(), &cx).unwrap();
        ensure_equal(&*with(checksum), &key, &source);
    }
    let endpoint = json!({ "endpoint": format!("https://127.0.0.1:{port}") });
    fault_of(
        sink_with(port, &endpoint).probe(&cx),
        FaultKind::Unavailable,
    );
}

/// An authority, and a certificate of it for this machine.
fn make_certificates(folder: &Path) {
    fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1").unwrap();
    for command in [
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=store -keyout key.pem -out request.pem",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
         -extfile names -out cert.pem",
    ] {
        let made = Command::new("openssl")
            .args(command.split_whitespace())
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
    }
}
