//! A database, and a service that does not wait long.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use respaldo_tests::plugins::c_folder;
use respaldo_tests::respaldo::{Running, wait_until};
use respaldo_tests::{Cluster, Respaldo};
use serde_json::Value;

pub const OWNER: &str = "dueno";
pub const DB: &str = "tienda";
/// Longer than anything here takes on a machine with others at work.
pub const LONG: Duration = Duration::from_mins(2);

/// A supervisor that looks every second.
pub const HASTY: &str = "
[supervisor]
retry_primary_after = 1
health_interval = 1
retry_run_after = 1
stop_within = 30
beat_interval = 1
[panel]
listen = '127.0.0.1:0'
";

pub struct Scene {
    pub cluster: Cluster,
    pub respaldo: Respaldo,
}

impl Scene {
    /// A database with a table of three rows.
    pub fn open() -> Self {
        let cluster = Cluster::start();
        let url = cluster.owned_database(DB, OWNER);
        cluster.psql_as(
            OWNER,
            DB,
            "CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 3) g",
        );
        let respaldo = Respaldo::for_url(&cluster, &url)
            .env("LC_ALL", "C")
            .quiet_hours();
        let scene = Self { cluster, respaldo };
        scene.configure("");
        scene
    }

    /// Another configuration, besides the haste.
    pub fn configure(&self, text: &str) {
        configured(&self.respaldo, text);
    }

    /// Puts a sink of others where an operator would, and gives its file and its SHA-256.
    pub fn install_sink(&self) -> (PathBuf, String) {
        let library = self.respaldo.folder().join("fuera.so");
        put_library(&c_folder(), &library);
        let pin = ["plugin", "pin", library.to_str().unwrap(), "--json"];
        let pinned = self.respaldo.ok(&pin).json();
        (library, pinned["sha256"].as_str().unwrap().to_owned())
    }

    /// Uses that sink alone, provided that its file has this SHA-256; gives the folder of its objects.
    pub fn use_sink(&self, library: &Path, sha256: &str) -> PathBuf {
        let store = self.respaldo.folder().join("store");
        fs::create_dir_all(&store).unwrap();
        self.configure(&format!(
            "[[sink]]\nname = \"nube\"\nuse = \"fuera\"\n[plugins.fuera]\npath = \"{}\"\n\
             sha256 = \"{sha256}\"\noptions = {{ dir = \"{}\" }}\n",
            library.display(),
            store.display()
        ));
        store
    }

    pub fn serve(&self) -> Running {
        self.respaldo.spawn(&["-v", "serve"])
    }

    /// Backups that the engine made.
    pub fn made(&self) -> Vec<String> {
        let listed = self.respaldo.run(&["list", "--json"]);
        let listed: Value = serde_json::from_str(&listed.stdout).unwrap_or_default();
        let entries = listed.as_array().cloned().unwrap_or_default();
        let kind = |entry: &Value| entry["tipo"].as_str().map(str::to_owned);
        entries.iter().filter_map(kind).collect()
    }

    /// Files of the legacy service.
    pub fn dumps(&self) -> usize {
        let of = |kind: &str| {
            let folder = self.respaldo.folder().join("backups").join(kind);
            let files = fs::read_dir(folder).into_iter().flatten().flatten();
            let dumps = files.filter(|file| file.path().extension().is_some_and(|e| e == "sql"));
            dumps.count()
        };
        of("daily") + of("weekly") + of("monthly")
    }

    /// What `status` tells.
    pub fn status(&self) -> Value {
        status(&self.respaldo)
    }

    /// State and reason, as `status` tells them.
    pub fn state(&self) -> (String, String) {
        let status = self.status();
        let word = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
        (word("motor"), word("motivo"))
    }

    /// Waits until the service is in a state, and gives the reason.
    pub fn wait_for_state(&self, state: &str) -> String {
        let mut last = (String::new(), String::new());
        let came = wait_until(LONG, || {
            last = self.state();
            last.0 == state
        });
        assert!(came, "{state} was awaited, it is {last:?}");
        last.1
    }

    pub fn wait_for_backups(&self, count: usize) {
        let came = wait_until(LONG, || self.made().len() >= count);
        assert!(
            came,
            "{count} backups were awaited, there are {:?}",
            self.made()
        );
    }

    pub fn wait_for_dumps(&self, count: usize) {
        let came = wait_until(LONG, || self.dumps() >= count);
        assert!(
            came,
            "{count} dumps were awaited, there are {}",
            self.dumps()
        );
    }
}

/// Puts a file in the place of another, whole, as a package does; nobody else may write it.
pub fn put_library(from: &Path, to: &Path) {
    let draft = to.with_extension("new");
    fs::copy(from, &draft).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o644)).unwrap();
    fs::rename(&draft, to).unwrap();
}

/// Writes a configuration, besides the haste.
pub fn configured(respaldo: &Respaldo, text: &str) {
    let file = respaldo.folder().join("respaldo.toml");
    fs::write(file, format!("{text}\n{HASTY}")).unwrap();
}

fn status(respaldo: &Respaldo) -> Value {
    let status = respaldo.run(&["status", "--json"]);
    serde_json::from_str(&status.stdout).unwrap_or_default()
}

/// The process of a machine's services that leads.
pub fn leader(respaldo: &Respaldo) -> Option<u64> {
    let status = status(respaldo);
    let service = &status["servicio"];
    service["pid"]
        .as_u64()
        .filter(|_| service["lidera"] == true)
}

/// Ends a service as systemd does.
pub fn end(service: Running) {
    service.signal("TERM");
    service.wait(LONG).expect_code(0);
}
