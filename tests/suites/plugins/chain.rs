//! Strategies of others serve a whole chain, and what comes back is what there was.

use respaldo_tests::plugins::{RustPlugin, c_folder};
use respaldo_tests::{Snapshot, assert_equal, littlebank};
use serde_json::Value;

use super::scene::Scene;

/// Full and incrementals over three days, validated, restored, and equal.
fn serves_a_chain(scene: &Scene) -> Value {
    let full = scene.backup("full");
    let mut points = Vec::new();
    for day in 1..=3 {
        littlebank::day(&scene.url, day);
        let image = Snapshot::take(&scene.cluster.url("live"));
        points.push((scene.backup(if day == 2 { "dif" } else { "inc" }), image));
    }
    scene
        .respaldo
        .ok(&["validate", "--all", "--level", "chain"]);
    for (number, (point, image)) in points.iter().enumerate() {
        let target = format!("copy_{number}");
        let id = point["id"].to_string();
        let restore = ["restore", "--id", &id, "--target-db", &target, "--create"];
        scene.respaldo.ok(&restore);
        assert_equal(image, &Snapshot::take(&scene.cluster.url(&target)));
    }
    full
}

fn sink(scene: &Scene, library: &std::path::Path) {
    let options = format!("{{ dir = \"{}\" }}", scene.store().display());
    let plugin = scene.pinned("fuera", library, &options);
    scene.configure(&format!(
        "[[sink]]\nname = \"nube\"\nuse = \"fuera\"\n\n{plugin}"
    ));
    let full = serves_a_chain(scene);
    let archive = full["archivo"].as_str().unwrap();
    let store = scene.store().display().to_string();
    assert!(archive.starts_with(&store), "{archive}");
    // From that sink alone.
    let listed = scene.respaldo.ok(&["list", "--json"]).json();
    scene
        .cluster
        .psql("live", "TRUNCATE seguridad.backup_manifest CASCADE");
    scene.respaldo.ok(&["catalog", "rebuild"]);
    let again = scene.respaldo.ok(&["list", "--json"]).json();
    let count = |list: &Value| list.as_array().map(Vec::len);
    assert_eq!(count(&listed), count(&again), "{again:#}");
}

#[test]
fn a_sink_in_rust_serves_a_chain() {
    sink(&Scene::open(), &RustPlugin::Folder.library());
}

#[test]
fn a_sink_in_c_serves_a_chain() {
    sink(&Scene::open(), &c_folder());
}

#[test]
fn a_detector_a_dumper_and_a_validator_serve_a_chain_together() {
    three_serve_a_chain("");
}

#[test]
fn trusted_ones_serve_a_chain_in_the_process_itself() {
    three_serve_a_chain("isolation = \"in-process\"\ntrusted = true\n");
}

/// A detector, a dumper and a validator, each with these keys besides.
fn three_serve_a_chain(keys: &str) {
    let scene = Scene::open();
    let plugins = [
        scene.pinned("huellas", &RustPlugin::ContentHash.library(), "{}"),
        scene.pinned("volcador", &RustPlugin::PgDump.library(), "{}"),
        scene.pinned("magia", &RustPlugin::Magic.library(), "{}"),
    ];
    scene.configure(&format!(
        "[detector]\nuse = \"huellas\"\n[dumper]\nuse = \"volcador\"\n[[validator]]\nuse = \"magia\"\n{}",
        plugins.map(|plugin| plugin + keys).concat()
    ));
    let full = serves_a_chain(&scene);
    let archive = full["archivo"].as_str().unwrap();
    let manifest = std::fs::read(format!("{archive}.manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let used = manifest["herramientas"]["complementos"].as_array().unwrap();
    let ids: Vec<&str> = used
        .iter()
        .map(|plugin| plugin["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        ["example.content-hash", "example.magic", "example.pgdump"]
    );
    // A day on which nothing happens dumps nothing.
    let quiet = scene.backup("inc");
    assert_eq!(quiet["tablas_volcadas"], 0, "{quiet:#}");
}
