//! The package's own tests.

use std::fs;
use std::net::TcpListener;

use respaldo_tests::Respaldo;
use respaldo_tests::app_fixture::AppService;

use super::scene::{DB, OWNER, Scene, package, python, unittest};

#[test]
fn every_file_of_the_package_compiles() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().to_str().unwrap();
    let source = package();
    let python = python(Respaldo::bare())
        .env("PYTHONDONTWRITEBYTECODE", "")
        .env("PYTHONPYCACHEPREFIX", cache);
    let all = ["-W", "error", "-m", "compileall", "-q", "-f"];
    let mut all = all.to_vec();
    let (code, tests) = (source.join("src"), source.join("tests"));
    all.extend([code.to_str().unwrap(), tests.to_str().unwrap()]);
    python.ok(&all);
}

#[test]
fn what_needs_no_server_holds() {
    unittest(&python(Respaldo::bare()), "test_units.py");
}

#[test]
fn every_method_of_the_existing_services_has_its_keys_and_types() {
    // Hours and offsets that are not those of the server.
    let scene = Scene::open().env("TZ", "America/Argentina/Buenos_Aires");
    let day = chrono::NaiveDate::from_ymd_opt(2026, 1, 2).unwrap();
    let elsewhere = scene.python.folder().join("suyo");
    let mut app = AppService::new(&scene.cluster, &scene.url(), &elsewhere);
    let foreign = app.full_backup(day.and_hms_opt(0, 0, 0).unwrap());
    let scene = scene.env("FOREIGN_ID", &foreign.to_string());
    unittest(&scene.python, "test_surface.py");
}

#[test]
fn servers_that_do_not_answer_and_wrong_passwords_are_told_without_the_password() {
    let scene = Scene::open();
    let rules = scene.cluster.data_dir().join("pg_hba.conf");
    let known = fs::read_to_string(&rules).unwrap();
    let asked = format!("host all {OWNER} 127.0.0.1/32 scram-sha-256\n{known}");
    fs::write(&rules, asked).unwrap();
    scene.cluster.psql(
        "postgres",
        &format!("ALTER ROLE {OWNER} PASSWORD 'correcta'; SELECT pg_reload_conf()"),
    );
    let closed = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .unwrap();
    let url = |port| format!("postgresql://{OWNER}:clave-mala-7@127.0.0.1:{port}/{DB}");
    let scene = scene.env("UNREACHABLE", &url(closed.port()));
    let port = scene.cluster.port();
    let scene = scene.env("WRONG_PASSWORD", &url(port));
    unittest(&scene.python, "test_bad_input.py");
}

#[test]
fn a_database_without_any_backup_has_empty_lists_and_a_full_to_make_up() {
    let scene = Scene::open();
    let line = "from respaldo import BackupManager, CloudStorageService\n\
         m = BackupManager(None)\n\
         assert m.list_backups() == [] and m.get_available_restore_points() == []\n\
         assert m.get_backup_stats()['_total']['cantidad'] == 0\n\
         assert m.get_last_backup_time('FULL') is None\n\
         assert m.validate_all_backups()['total'] == 0 and m.purge_invalid_backups() == 0\n\
         assert CloudStorageService(None).list_cloud_backups() == []\n\
         assert not m.restore_from_backup_id(1, 'otra')['exitoso']\n\
         print(m.check_missed_backups())";
    let said = scene.python.ok(&["-c", line]).stdout;
    assert_eq!(said.trim(), "['FULL']");
}
