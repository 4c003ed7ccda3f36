//! Programs as the existing application writes them.

use respaldo_tests::assert_equal;
use serde_json::json;

use super::scene::{DB, Scene};

/// A day's business.
const WORK: &str = "INSERT INTO app.documento_detalle (id_documento, nro_linea, id_articulo, cantidad, precio_unitario) \
     SELECT id, 90, (SELECT min(id) FROM app.articulo), 1, 10 FROM app.documento; \
     UPDATE app.documento SET observaciones = 'visto';";
/// Another one's.
const MISTAKE: &str =
    "DELETE FROM app.pago; UPDATE app.articulo SET costo = 0; CREATE TABLE app.nueva (id int);";

#[test]
fn the_applications_start_makes_up_what_was_missed_once_and_shows_its_figures() {
    let scene = Scene::open().env("TZ", "America/Argentina/Buenos_Aires");
    let told = scene.program("scheduler_startup.py", &[]);
    // One full does for the differential and the incremental that were missed as well.
    assert_eq!(told["perdidos"], json!({"FULL": true}), "{told:#}");
    let said = json!([["FULL", "running", 1, 1], ["FULL", "completed", 1, 1]]);
    assert_eq!(told["avance"], said, "{told:#}");
    assert_eq!(told["otra_vez"], json!({}), "{told:#}");
    assert_eq!(told["trabajo"]["exitoso"], true, "{told:#}");
    assert_eq!(told["validos"], "2/2", "{told:#}");
    assert_eq!(told["total"], 2, "{told:#}");
    let again = scene.program("scheduler_startup.py", &[]);
    assert_eq!(again["perdidos"], json!({}), "{again:#}");
    assert_eq!(again["avance"], json!([]), "{again:#}");
    assert_eq!(again["total"], 3, "{again:#}");
}

#[test]
fn the_buttons_of_the_applications_window_do_what_they_say() {
    let scene = Scene::open();
    let copies = scene.python.folder().join("copias");
    let told = scene.program("panel.py", &[copies.to_str().unwrap(), "copia"]);
    let toasts = told["avisos"].as_array().unwrap();
    assert_eq!(toasts.len(), 3);
    for (toast, kind) in toasts.iter().zip(["FULL", "DIFERENCIAL", "INCREMENTAL"]) {
        assert!(toast.as_str().unwrap().starts_with(kind), "{told:#}");
    }
    assert_eq!(told["celdas"][0][0], "INCREMENTAL", "{told:#}");
    assert_eq!(told["celdas"][2][3], "COMPLETADO", "{told:#}");
    assert_eq!(told["filtrados"], json!(["DIFERENCIAL"]), "{told:#}");
    let hours = json!({
        "FULL": {"day": 31, "hour": 4, "minute": 0},
        "DIFERENCIAL": {"weekday": 5, "hour": 22, "minute": 30},
        "INCREMENTAL": {"hour": 13, "minute": 0},
    });
    assert_eq!(told["horarios"], hours, "{told:#}");
    assert_eq!(told["valido"], true, "{told:#}");
    let stored = "SELECT valor FROM seguridad.config_sistema WHERE clave = 'backup_cloud_config'";
    assert!(scene.sql(stored).contains("\"enabled\": false"));
    assert_eq!(told["subido"]["exitoso"], true, "{told:#}");
    let cloud = told["en_la_nube"].as_array().unwrap();
    assert!(cloud.contains(&json!("FULL")) && cloud.contains(&json!("INCREMENTAL")));
    assert_eq!(told["restaurado"]["exitoso"], true, "{told:#}");
    assert_eq!(told["restaurado"]["dialogo"][0][0], "FULL", "{told:#}");
    let rows_aside = ["seguridad.config_sistema", "seguridad.backup_manifest"];
    // The window stored its hours and its folder before the restore, and after the backup.
    let before = respaldo_tests::Snapshot::of(&scene.cluster.url("copia"))
        .ignore_tables(&rows_aside)
        .image();
    let now = respaldo_tests::Snapshot::of(&scene.cluster.url(DB))
        .ignore_tables(&rows_aside)
        .image();
    assert_equal(&now, &before);
    assert_eq!(told["eliminar_base"]["exitoso"], false, "{told:#}");
    assert!(
        !told["eliminar_base"]["dependientes"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(told["eliminar"]["exitoso"], true, "{told:#}");
    assert_eq!(told["quedan"], json!(["DIFERENCIAL", "FULL"]), "{told:#}");
}

#[test]
fn a_script_brings_back_one_backup_aside_and_a_date_in_place() {
    let scene = Scene::open();
    let (full, _) = scene.backup("FULL");
    let at_full = scene.image(DB);
    scene.sql(WORK);
    let (_, began_at) = scene.backup("INCREMENTAL");
    let at_incremental = scene.image(DB);
    scene.sql(MISTAKE);
    let at_mistake = scene.image(DB);

    // The application's other windows hold connections meanwhile.
    let _pool = [scene.session(), scene.session()];
    let told = scene.program("restore_script.py", &[&full, &began_at]);

    assert_eq!(told["vista"]["existe"], true, "{told:#}");
    assert_eq!(told["vista"]["cantidad_backups"], 2, "{told:#}");
    assert_eq!(told["nada"]["existe"], false, "{told:#}");
    assert_eq!(told["desconocido"]["exitoso"], false, "{told:#}");
    assert_eq!(told["aparte"]["exitoso"], true, "{told:#}");
    assert_equal(&at_full, &scene.image("other_db"));
    assert_eq!(told["otra_vez"]["exitoso"], true, "{told:#}");
    assert_eq!(scene.set_aside("other_db").len(), 1, "{told:#}");

    assert_eq!(told["en_su_lugar"]["exitoso"], true, "{told:#}");
    assert_equal(&at_incremental, &scene.image(DB));
    let kept = scene.set_aside(DB);
    let [kept] = kept.as_slice() else {
        panic!("{kept:?} {told:#}");
    };
    assert_equal(&at_mistake, &scene.image(kept));
    let words = told["en_su_lugar"]["mensaje"].as_str().unwrap();
    assert!(words.contains(kept.as_str()), "{words}");
    // What was made is still known where it was restored.
    assert_eq!(told["lista"].as_array().unwrap().len(), 2, "{told:#}");
    assert_eq!(told["perdidos"], json!([]), "{told:#}");
}
