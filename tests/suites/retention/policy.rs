//! Where the policy comes from.

use respaldo_tests::Scene;

#[test]
fn a_stored_policy_is_one_row_the_application_would_understand_and_configuration_wins_over_it() {
    let mut scene = Scene::open();
    let shown = |args: &[&str]| scene.respaldo.ok(args).json();
    assert_eq!(shown(&["retention", "show", "--json"])["inc_days"], 7);
    let set = shown(&["retention", "set", "--inc-days", "10", "--json"]);
    assert_eq!(
        (&set["inc_days"], &set["full_months"]),
        (&10.into(), &12.into())
    );
    let stored = scene.client().one(
        "SELECT valor::jsonb ->> 'inc_days' || ' ' || tipo FROM seguridad.config_sistema
          WHERE clave = 'backup_retention'",
    );
    assert_eq!(stored, "10 TEXT");
    let none = scene
        .respaldo
        .run(&["retention", "set", "--inc-days", "0", "--json"]);
    assert_eq!(none.code, Some(2), "{none:#?}");
    assert_eq!(shown(&["retention", "show", "--json"])["inc_days"], 10);
    scene.respaldo = scene.respaldo.env("RESPALDO_RETENTION__INC_DAYS", "3");
    let shown = scene.respaldo.ok(&["retention", "show", "--json"]).json();
    assert_eq!(shown["inc_days"], 3);
}

#[test]
fn a_stored_policy_that_makes_no_sense_removes_nothing() {
    let scene = Scene::open();
    let old = scene.backup_name("full");
    for _ in 0..3 {
        scene.backup_name("full");
    }
    scene
        .repository
        .move_in_time(&old, "2020-01-01T00:00:00+00:00");
    scene.client().exec(
        "INSERT INTO seguridad.config_sistema (clave, valor)
         VALUES ('backup_retention', '{\"full_months\": \"many\"}')",
    );
    let refused = scene.respaldo.run(&["expire", "--json"]);
    assert_eq!(refused.json()["exitoso"], false, "{refused:#?}");
    assert!(refused.stdout.contains("full_months"), "{refused:#?}");
    assert_eq!(scene.repository.sealed().len(), 4);
    scene
        .respaldo
        .ok(&["retention", "set", "--full-months", "6"]);
    scene.respaldo.ok(&["expire"]);
    assert_eq!(scene.repository.sealed().len(), 3);
}
