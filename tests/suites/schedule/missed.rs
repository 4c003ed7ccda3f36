//! What is overdue follows from what was made, by us and of this database.

use respaldo_tests::{Client, Cluster, Scene};

use crate::scene::{begun_days_ago, make_catalog, overdue, quiet, run, schedule};

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(kind, by): &(&str, &str)| ((*kind).to_owned(), (*by).to_owned());
    all.iter().map(pair).collect()
}

const EVERYTHING: [(&str, &str); 3] = [
    ("FULL", ""),
    ("DIFERENCIAL", "FULL"),
    ("INCREMENTAL", "FULL"),
];

#[test]
fn a_full_does_for_everything_and_then_it_is_looked_at() {
    let scene = quiet();
    assert_eq!(overdue(&scene), pairs(&EVERYTHING));
    scene.backup("full");
    assert_eq!(overdue(&scene), pairs(&[("VALIDACION", "")]));
    scene.respaldo.ok(&["validate", "--all"]);
    assert_eq!(overdue(&scene), []);
    scene.assert_tidy("after a validation");
}

#[test]
fn a_smaller_backup_does_for_its_kind_and_smaller_ones() {
    for made in ["inc", "dif"] {
        let scene = quiet();
        let full = scene.backup_name("full");
        scene.respaldo.ok(&["validate", "--all"]);
        begun_days_ago(&scene, &full, 40);
        assert_eq!(overdue(&scene), pairs(&EVERYTHING));
        scene.add_branch(100);
        scene.backup(made);
        let left = match made {
            "inc" => pairs(&EVERYTHING[..2]),
            _ => pairs(&EVERYTHING[..1]),
        };
        assert_eq!(overdue(&scene), left, "{made}");
    }
}

#[test]
fn a_full_made_from_the_chain_holds_nothing_new_and_does_for_fulls_alone() {
    let scene = quiet();
    let full = scene.backup_name("full");
    scene.respaldo.ok(&["validate", "--all"]);
    begun_days_ago(&scene, &full, 40);
    scene.respaldo.ok(&["backup", "full", "--from-chain"]);
    let left = pairs(&[("DIFERENCIAL", ""), ("INCREMENTAL", "DIFERENCIAL")]);
    assert_eq!(overdue(&scene), left);
    let without = without_catalog(scene);
    assert_eq!(overdue(&without), left);
}

#[test]
fn rows_of_the_existing_system_and_failed_runs_do_for_none_of_ours() {
    let scene = quiet();
    make_catalog(&scene);
    for (name, state) in [
        ("full_20261101_000000.backup", "COMPLETADO"),
        ("full_x.backup", "FALLIDO"),
    ] {
        scene.client().exec(&format!(
            "INSERT INTO seguridad.backup_manifest
                (tipo_backup, archivo_nombre, archivo_ruta, fecha_inicio, fecha_fin, estado)
             VALUES ('FULL', '{name}', '/x/{name}', now(), now(), '{state}')"
        ));
    }
    assert_eq!(overdue(&scene), pairs(&EVERYTHING));
}

#[test]
fn without_a_catalog_storage_tells_what_was_made_and_the_configuration_when_it_is_due() {
    let scene = without_catalog(quiet());
    assert_eq!(overdue(&scene), pairs(&EVERYTHING));
    let full = scene.backup_name("full");
    scene.respaldo.ok(&["validate", "--all"]);
    assert_eq!(overdue(&scene), []);
    assert_eq!(schedule(&scene, &["show"])["origen"], "configuracion");
    let refused = run(&scene, &["set", "inc", "--hour", "3"]);
    assert_eq!(refused.json()["exitoso"], false, "{refused:#?}");
    // The catalog comes later, and learns of it from storage.
    let _ = std::fs::remove_file(scene.respaldo.folder().join("respaldo.toml"));
    assert_eq!(overdue(&scene), []);
    assert_eq!(scene.repository.sealed(), [full]);
}

#[test]
fn while_the_catalog_does_not_answer_the_schedule_read_last_holds() {
    let elsewhere = Cluster::start();
    elsewhere.new_database("catalog");
    let mut scene = Scene::open();
    let catalog = format!("[catalog]\nurl = \"{}\"\n", elsewhere.url("catalog"));
    scene.respaldo = scene.respaldo.config(&catalog);
    schedule(&scene, &["set", "inc", "--hour", "13", "--minute", "37"]);
    scene.backup("full");
    assert_eq!(overdue(&scene), pairs(&[("VALIDACION", "")]));
    drop(elsewhere);
    let shown = run(&scene, &["show"]);
    assert_eq!(shown.code, Some(3), "{shown:#?}");
    let shown = shown.json();
    assert_eq!(shown["origen"], "recordado", "{shown:#}");
    assert_eq!(shown["INCREMENTAL"]["schedule"], "daily at 13:37");
    assert_eq!(shown["advertencias"][0]["codigo"], "horario_desconocido");
    assert_eq!(overdue(&scene), pairs(&[("VALIDACION", "")]));
}

#[test]
fn backups_of_another_database_in_the_same_catalog_do_for_none_of_this_one() {
    let mut scene = quiet();
    scene.cluster.new_database("catalog");
    let catalog = format!("[catalog]\nurl = \"{}\"\n", scene.cluster.url("catalog"));
    scene.respaldo = scene.respaldo.config(&catalog);
    scene.backup("full");
    scene.cluster.owned_database("other", "dueno");
    let other = scene.cluster.url_as("dueno", "other");
    Client::connect(&other).exec("CREATE TABLE t (id int PRIMARY KEY)");
    scene.respaldo = respaldo_tests::Respaldo::for_url(&scene.cluster, &other)
        .config(&catalog)
        .quiet_hours();
    assert_eq!(overdue(&scene), pairs(&EVERYTHING));
}

#[test]
fn an_edit_makes_nothing_due_that_was_not_before() {
    let scene = quiet();
    scene.backup("full");
    scene.respaldo.ok(&["validate", "--all"]);
    assert_eq!(overdue(&scene), []);
    let now = chrono::Utc::now().format("%H").to_string();
    let hour = ((now.parse::<u32>().unwrap() + 18) % 24).to_string();
    for kind in ["full", "dif", "inc"] {
        schedule(&scene, &["set", kind, "--hour", &hour]);
    }
    assert_eq!(overdue(&scene), []);
}

fn without_catalog(mut scene: Scene) -> Scene {
    scene.respaldo = scene.respaldo.config("[catalog]\nenabled = false\n");
    scene
}
