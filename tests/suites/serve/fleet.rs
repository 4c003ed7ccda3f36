//! Several databases under one supervisor.

use std::fs;

use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Cluster, Respaldo};
use serde_json::Value;

use super::scene::{HASTY, LONG, OWNER, end};

struct Fleet {
    cluster: Cluster,
    respaldo: Respaldo,
}

impl Fleet {
    fn open() -> Self {
        let cluster = Cluster::start();
        for name in ["ventas", "caja"] {
            cluster.owned_database(name, OWNER);
            cluster.psql_as(OWNER, name, "CREATE TABLE t AS SELECT 1 AS id");
        }
        let url = cluster.url_as(OWNER, "postgres");
        let respaldo = Respaldo::for_url(&cluster, &url)
            .env("LC_ALL", "C")
            .quiet_hours();
        Self { cluster, respaldo }
    }

    fn configure(&self, databases: &[(&str, &str)]) {
        let section = |(name, more): &(&str, &str)| {
            let url = self.cluster.url_as(OWNER, name);
            format!("[[databases]]\nname = \"{name}\"\ndatabase.url = \"{url}\"\n{more}\n")
        };
        let sections: String = databases.iter().map(section).collect();
        let text = format!("{HASTY}{sections}");
        fs::write(self.respaldo.folder().join("respaldo.toml"), text).unwrap();
    }

    /// State and number of backups of each.
    fn states(&self) -> Vec<(String, String)> {
        let status = self.respaldo.run(&["status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).unwrap_or_default();
        let all = status["bases"].as_array().cloned().unwrap_or_default();
        let word = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
        all.iter()
            .filter(|one| one["servicio"].is_object())
            .map(|one| (word(one, "nombre"), word(one, "motor")))
            .collect()
    }

    fn made(&self, name: &str) -> usize {
        let listed = self.respaldo.run(&["--database", name, "list", "--json"]);
        let listed: Value = serde_json::from_str(&listed.stdout).unwrap_or_default();
        listed.as_array().map_or(0, Vec::len)
    }

    fn wait_for(&self, states: &[(&str, &str)]) {
        let wanted: Vec<(String, String)> = states
            .iter()
            .map(|(name, state)| ((*name).to_owned(), (*state).to_owned()))
            .collect();
        let came = wait_until(LONG, || self.states() == wanted);
        assert!(came, "{:?}", self.states());
    }
}

#[test]
fn each_database_is_backed_up_and_one_that_breaks_breaks_no_other() {
    let fleet = Fleet::open();
    fleet.configure(&[("ventas", ""), ("caja", "detector.use = \"crystal-ball\"")]);
    let service = fleet.respaldo.spawn(&["-v", "serve"]);
    fleet.wait_for(&[("ventas", "PROFESIONAL"), ("caja", "LEGACY")]);
    assert!(wait_until(LONG, || fleet.made("ventas") == 1));
    let dumps = fleet.respaldo.folder().join("backups/caja/monthly");
    assert!(wait_until(LONG, || dumps.exists()));
    fleet.configure(&[("ventas", ""), ("caja", "")]);
    fleet.wait_for(&[("ventas", "PROFESIONAL"), ("caja", "PROFESIONAL")]);
    assert!(wait_until(LONG, || fleet.made("caja") == 1));
    let folder = fleet.respaldo.folder().join("backups_incrementales");
    assert!(folder.join("ventas/full").exists() && folder.join("caja/full").exists());
    end(service);
}

#[test]
fn a_thread_that_panics_is_replaced_and_the_others_go_on() {
    let fleet = Fleet::open();
    fleet.configure(&[("ventas", ""), ("caja", "")]);
    let panics = "backup.dump@1=panic";
    let service = fleet.respaldo.spawn_with_fault(panics, &["-v", "serve"]);
    for name in ["ventas", "caja"] {
        assert!(wait_until(LONG, || fleet.made(name) == 1), "{name}");
    }
    fleet.wait_for(&[("ventas", "PROFESIONAL"), ("caja", "PROFESIONAL")]);
    service.signal("TERM");
    let ended = service.wait(LONG);
    ended.expect_code(0);
    assert!(ended.stderr.contains("its thread panicked"), "{ended:?}");
}

#[test]
fn a_database_that_is_configured_later_is_looked_after_and_one_that_is_taken_out_is_not() {
    let fleet = Fleet::open();
    fleet.configure(&[("ventas", "")]);
    let service = fleet.respaldo.spawn(&["-v", "serve"]);
    fleet.wait_for(&[("ventas", "PROFESIONAL")]);
    fleet.configure(&[("caja", "")]);
    fleet.wait_for(&[("caja", "PROFESIONAL")]);
    assert!(wait_until(LONG, || fleet.made("caja") == 1));
    end(service);
}

#[test]
fn a_command_for_one_of_several_databases_must_say_which() {
    let fleet = Fleet::open();
    fleet.configure(&[("ventas", ""), ("caja", "")]);
    let unsaid = fleet.respaldo.run(&["backup", "full"]);
    unsaid.expect_code(10);
    assert!(
        unsaid.stderr.contains("--database: ventas, caja"),
        "{unsaid:?}"
    );
    fleet.respaldo.ok(&["--database", "caja", "backup", "full"]);
    assert_eq!((fleet.made("ventas"), fleet.made("caja")), (0, 1));
}
