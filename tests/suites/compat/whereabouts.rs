//! Where backups live (defects 1 to 4).

use std::fs;
use std::path::Path;

use respaldo_tests::app_fixture::{self, AppService};
use respaldo_tests::respaldo::{binary, wait_until};
use respaldo_tests::{Cluster, Outcome, Respaldo, Snapshot, assert_equal};
use std::time::Duration;

use crate::scene::{Made, OWNER, Scene, files_below};

/// Defect 1.
#[test]
fn backups_lie_in_the_working_folder_and_outlive_the_program() {
    let cluster = Cluster::start();
    let (unpacked, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let program = unpacked.path().join("respaldo");
    fs::copy(binary(), &program).unwrap();
    let mut scene = Scene::open(&cluster);
    let tmp = temporary.path().to_str().unwrap();
    scene.respaldo = scene.respaldo.program(&program).env("TMPDIR", tmp);
    scene.sql("CREATE TABLE t AS SELECT 1 AS id");
    let full = scene.keep("full");
    drop(unpacked);

    let archive = full.made.archive();
    assert!(archive.is_absolute() && archive.is_file(), "{archive:?}");
    let (archive, folder) = (archive.canonicalize(), scene.repository().canonicalize());
    assert!(archive.unwrap().starts_with(folder.unwrap()));
    assert_eq!(
        files_below(temporary.path()),
        [""; 0],
        "nothing is left in the temporary folder"
    );
    scene.respaldo = scene.respaldo.program(&binary());
    scene.proof(&full);
}

/// Defect 2.
#[test]
fn a_chain_restores_on_a_fresh_server_from_the_folder_alone() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)");
    let full = scene.keep("full");
    scene.sql("INSERT INTO t VALUES (4)");
    let inc = scene.keep("inc");
    cluster.stop();

    let fresh = Cluster::builder().own_identity().start();
    let url = fresh.owned_database("vacia", OWNER);
    let folder = scene.repository();
    let there =
        Respaldo::for_url(&fresh, &url).env("RESPALDO_REPOSITORY__DIR", folder.to_str().unwrap());
    let shown = there.ok(&["show", &inc.made.name(), "--json"]).json();
    assert_eq!(
        shown["base"],
        full.made.name(),
        "the set itself tells its base"
    );
    for (at, image) in [(&full, &full.image), (&inc, &inc.image)] {
        let (name, target) = (at.made.name(), format!("de_{}", at.made.id));
        there.ok(&["restore", "--id", &name, "--target-db", &target, "--create"]);
        assert_equal(image, &Snapshot::take(&fresh.url(&target)));
    }
    there.ok(&["catalog", "rebuild"]);
    let listed = there.ok(&["list", "--json"]).json();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2, "{listed:#?}");
    assert_eq!(listed[0]["backup_base_id"], listed[1]["id"]);
}

/// Defect 3.
#[test]
fn a_full_restored_into_an_empty_database_serves_the_application_at_once() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    let full = scene.keep("full");
    let url = cluster.owned_database("vacia", OWNER);
    scene.restore_into(&full.made, "vacia", &[]).expect_code(0);

    assert_equal(&full.image, &Snapshot::take(&cluster.url("vacia")));
    let mut app = AppService::new(&cluster, &url, scene.respaldo.folder());
    assert_eq!(
        app.newest_completed(None),
        None,
        "its check for missed backups can be asked"
    );
    let views = "SELECT count(*) FROM seguridad.v_backup_resumen, seguridad.v_backup_cadenas";
    assert_eq!(cluster.psql_as(OWNER, "vacia", views), "0");
    let keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid IN
        ('seguridad.backup_chain'::regclass, 'seguridad.backup_validation'::regclass)";
    let expected = scene.sql(keys);
    assert!(expected.parse::<u32>().unwrap() >= 5, "{expected}");
    assert_eq!(cluster.psql_as(OWNER, "vacia", keys), expected);
    app_fixture::try_load(&cluster, "vacia", OWNER).unwrap();
}

/// Defect 4.
#[test]
fn two_machines_on_one_database_register_and_restore_each_for_itself() {
    let cluster = Cluster::start();
    let a = Scene::open(&cluster);
    a.sql("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
    let b = Scene {
        cluster: &cluster,
        db: a.db.clone(),
        respaldo: Respaldo::for_url(&cluster, &cluster.url_as(OWNER, &a.db)),
    };
    let args = ["backup", "full", "--json"];
    let limit = Duration::from_mins(1);
    let (first, second) = (a.respaldo.spawn(&args), b.respaldo.spawn(&args));
    let of_a = made_in_turn(&a.respaldo, first.wait(limit));
    let of_b = made_in_turn(&b.respaldo, second.wait(limit));
    assert_ne!(of_a.name(), of_b.name());
    let rows = "SELECT count(*) FROM seguridad.backup_manifest WHERE estado = 'COMPLETADO'";
    assert_eq!(a.sql(rows), "2");

    a.sql("INSERT INTO t VALUES (2)");
    fs::rename(a.repository(), a.respaldo.folder().join("out_of_reach")).unwrap();
    let inc = b.keep("inc");
    assert_eq!(b.restored(&inc, "SELECT count(*) FROM t"), "2");
    assert!(b.is_valid(&inc.made));

    b.respaldo.ok(&["catalog", "purge-invalid"]);
    let listed = format!(
        "SELECT estado FROM seguridad.backup_manifest WHERE id = {}",
        of_a.id
    );
    assert_eq!(
        a.sql(&listed),
        "COMPLETADO",
        "a purge on B leaves what lies on A"
    );
    fs::rename(a.respaldo.folder().join("out_of_reach"), a.repository()).unwrap();
    assert!(a.is_valid(&of_a) && Path::new(&of_a.archive()).is_file());
}

/// A backup whose first attempt may have met the other machine's run: then it says so, and works
/// as soon as that has ended.
fn made_in_turn(respaldo: &Respaldo, first: Outcome) -> Made {
    let mut outcome = first;
    wait_until(Duration::from_secs(30), || {
        let busy = outcome.code == Some(11);
        if busy {
            assert_eq!(outcome.json()["error"]["codigo"], "lease-held");
            outcome = respaldo.run(&["backup", "full", "--json"]);
        }
        outcome.code != Some(11)
    });
    outcome.expect_code(0);
    Made::of(&outcome)
}
