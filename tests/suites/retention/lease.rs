//! Who holds the lease of a database says so in a row, and nobody needs the row.

use respaldo_tests::{Client, Scene};

/// What a row says; the first run of all makes the table and leaves none.
const ROW: &str = "SELECT coalesce((SELECT estado || ' ' || coalesce(titular, '-') \
     FROM seguridad.respaldo_lease), 'LIBRE -')";

fn row(client: &mut Client) -> String {
    client.one(ROW)
}

#[test]
fn a_run_names_itself_in_the_row_and_whoever_comes_second_is_told() {
    let scene = Scene::open();
    scene.backup("full");
    assert_eq!(row(&mut scene.client()), "LIBRE -");
    let mut held = scene
        .respaldo
        .hold_at_step("backup.store", &["backup", "inc", "--json"]);
    let said = row(&mut scene.client());
    let pid = held.running().pid();
    assert!(said.starts_with("RESPALDANDO "), "{said}");
    assert!(said.contains(&format!(":{pid}/")), "{said}");
    let run = "SELECT ejecucion::text FROM seguridad.respaldo_lease";
    let run = scene.client().one(run);
    for args in [&["backup", "inc", "--json"][..], &["expire", "--json"]] {
        let refused = scene.respaldo.run(args);
        refused.expect_error(11, "lease-held");
        assert!(refused.stdout.contains(&run), "{run}: {refused:#?}");
        assert!(refused.stdout.contains(&format!(":{pid}/")), "{refused:#?}");
    }
    assert!(held.release().is_done());
    assert_eq!(row(&mut scene.client()), "LIBRE -");
}

#[test]
fn a_restore_in_place_marks_the_row() {
    let scene = Scene::open();
    let archive = scene.backup_name("full");
    let args = ["restore", "--id", &archive, "--replace", "--yes", "--json"];
    let held = scene.respaldo.hold_at_step("restore.load", &args);
    let said = row(&mut scene.client());
    assert!(said.starts_with("RESTAURANDO "), "{said}");
    scene
        .respaldo
        .run(&["backup", "inc", "--json"])
        .expect_error(11, "lease-held");
    let restored = held.release();
    assert!(restored.is_done(), "{restored:#?}");
    assert_eq!(row(&mut scene.client()), "LIBRE -");
}

#[test]
fn a_row_that_a_dead_run_left_or_that_cannot_be_written_hinders_nobody() {
    let scene = Scene::open();
    scene.backup("full");
    scene
        .respaldo
        .kill_at_step("backup.store", &["backup", "inc"]);
    scene.wait_for_the_lease();
    assert!(row(&mut scene.client()).starts_with("RESPALDANDO "));
    // It sweeps what the dead run left, and says so.
    let next = scene.respaldo.run(&["backup", "inc", "--json"]);
    assert!(next.is_done(), "{next:#?}");
    assert_eq!(row(&mut scene.client()), "LIBRE -");
    scene.client().exec(
        "DROP TABLE seguridad.respaldo_lease; \
         CREATE VIEW seguridad.respaldo_lease AS SELECT 'nonsense' AS titular",
    );
    let held = scene
        .respaldo
        .hold_at_step("backup.store", &["backup", "inc", "--json"]);
    scene
        .respaldo
        .run(&["backup", "inc", "--json"])
        .expect_error(11, "lease-held");
    assert!(held.release().is_done());
}
