//! What the suite's tests have in common.

use chrono::{TimeDelta, Utc};
use respaldo_tests::{Outcome, Scene};
use serde_json::Value;

/// The key the existing application stores its hours under.
pub const KEY: &str = "backup_schedules";

/// A bank whose due times are all half a day away from now, so that none comes while a test runs.
pub fn quiet() -> Scene {
    let mut scene = Scene::open();
    scene.respaldo = scene.respaldo.quiet_hours();
    scene
}

/// Makes the tables of the catalog.
pub fn make_catalog(scene: &Scene) {
    std::fs::create_dir_all(scene.repository.root()).unwrap();
    scene.respaldo.ok(&["catalog", "rebuild"]);
}

/// Runs `schedule` with more words and gives its JSON.
pub fn schedule(scene: &Scene, args: &[&str]) -> Value {
    run(scene, args).json()
}

/// The same as it ended.
pub fn run(scene: &Scene, args: &[&str]) -> Outcome {
    scene
        .respaldo
        .run(&[&["schedule"], args, &["--json"]].concat())
}

/// The stored text as JSON.
pub fn stored(scene: &Scene) -> Value {
    let valor = format!("SELECT valor FROM seguridad.config_sistema WHERE clave = '{KEY}'");
    serde_json::from_str(&scene.client().one(&valor)).unwrap()
}

/// Stores a text as the application's settings window does.
pub fn store(scene: &Scene, text: &str) {
    scene.client().exec(&format!(
        "INSERT INTO seguridad.config_sistema (clave, valor, tipo, descripcion)
         VALUES ('{KEY}', '{text}', 'TEXT', 'Horarios de backups programados')
         ON CONFLICT (clave) DO UPDATE SET valor = excluded.valor"
    ));
}

/// What is overdue: type, and what covers it ("" where nothing does).
pub fn overdue(scene: &Scene) -> Vec<(String, String)> {
    let outcome = run(scene, &["missed"]);
    let pending = outcome.json()["pendientes"].as_array().cloned().unwrap();
    let wanted = if pending.is_empty() { 0 } else { 3 };
    assert_eq!(outcome.code, Some(wanted), "{outcome:#?}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pair = |due: &Value| (text(&due["tipo"]), text(&due["cubierto_por"]));
    pending.iter().map(pair).collect()
}

/// Makes a backup one that was begun so many days ago.
pub fn begun_days_ago(scene: &Scene, archive: &str, days: i64) {
    let manifest = scene.repository.manifest(archive);
    let was = manifest["inicio"].as_str().unwrap().to_owned();
    let at = (Utc::now() - TimeDelta::days(days)).to_rfc3339();
    scene
        .repository
        .reseal(archive, |text| text.replacen(&was, &at, 1));
    scene.client().exec(&format!(
        "UPDATE seguridad.backup_manifest SET fecha_inicio = now() - interval '{days} days'
         WHERE archivo_nombre = '{archive}'"
    ));
}
