//! Definitions taken over from an older backup: they are those that pg_dump would write, or they
//! are not taken over.

#[path = "definitions/changes.rs"]
mod changes;
#[path = "definitions/circumstances.rs"]
mod circumstances;
#[path = "definitions/stage.rs"]
mod stage;

use respaldo_tests::{Client, Cluster, Journey, Respaldo, schema};

use changes::{BEFORE, CHANGES, NO_CHANGES};
use stage::{ALWAYS, Stage};

/// The stage before the first backup.
fn open(role: &str) -> Stage {
    Stage::new(Cluster::start(), role, BEFORE)
}

/// After each statement that changes definitions they are written; now and then a backup more finds
/// no change and takes them over. Both are what pg_dump writes.
fn play(role: &str, dumper: &str) {
    let mut stage = open(role);
    stage.respaldo = stage.respaldo.env("RESPALDO_DUMPER__USE", dumper);
    stage.backup("full");
    assert!(stage.backup("inc").took_over());
    for (n, statement) in CHANGES.iter().enumerate() {
        stage.cluster.psql("live", statement);
        let made = stage.backup("inc");
        assert!(!made.took_over(), "{statement}");
        stage.assert_is_of_now(&made, statement);
        if n % 4 == 3 {
            let next = stage.backup("inc");
            assert!(next.took_over(), "{statement}");
            stage.assert_is_of_now(&next, statement);
        }
    }
}

#[test]
fn after_any_change_of_definitions_a_superuser_has_them_written_anew() {
    play("postgres", "pg-dump");
}

#[test]
fn after_any_change_of_definitions_an_ordinary_role_has_them_written_anew() {
    play("dueno", "parallel");
}

#[test]
fn what_changes_no_definition_leaves_them_to_be_taken_over_with_values_of_now() {
    for dumper in ["pg-dump", "parallel"] {
        let mut stage = open("dueno");
        stage.respaldo = stage.respaldo.env("RESPALDO_DUMPER__USE", dumper);
        stage.backup("full");
        for statement in NO_CHANGES {
            stage.cluster.psql("live", statement);
            let made = stage.backup("inc");
            assert!(made.took_over(), "{dumper}: {statement}");
            stage.assert_is_of_now(&made, statement);
        }
    }
}

#[test]
fn a_database_of_every_kind_of_object_comes_back_from_definitions_taken_over() {
    for dumper in ["pg-dump", "parallel"] {
        let cluster = Cluster::start();
        cluster.owned_database("live", "dueno");
        schema::load(&cluster, "live", "dueno");
        let driver = Respaldo::new(&cluster, "live").env(ALWAYS.0, ALWAYS.1);
        let driver = driver.env("RESPALDO_DUMPER__USE", dumper);
        let mut journey = Journey::with(&cluster, "live", driver);
        journey.backup("full");
        let nothing = journey.backup("inc");
        let mut client = Client::connect(&cluster.url("live"));
        client.exec("CREATE TABLE public.late AS SELECT g AS id FROM generate_series(1, 9) g");
        journey.backup("inc");
        client.exec("INSERT INTO public.late VALUES (10)");
        let rows = journey.backup("inc");
        for point in [&nothing, &rows] {
            let contents = &journey.show(point)["indice"];
            assert!(contents["tomado_de"].is_string(), "{dumper}: {contents}");
        }
        assert!(rows.dumped().contains(&"public.late"), "{rows:#?}");
        journey.check();
    }
}
