//! The application's database, and Python with the package in the place of its services.

use std::path::{Path, PathBuf};
use std::time::Duration;

use respaldo_tests::respaldo::binary;
use respaldo_tests::{Client, Cluster, DbImage, Outcome, Respaldo, Snapshot, app_fixture};
use serde_json::Value;

/// The role that owns every database here.
pub const OWNER: &str = "dueno";
/// The database.
pub const DB: &str = "tienda";

pub struct Scene {
    pub cluster: Cluster,
    pub python: Respaldo,
}

impl Scene {
    /// The application's tables with some business in them, and nothing of ours.
    pub fn open() -> Self {
        let cluster = Cluster::start();
        let url = cluster.owned_database(DB, OWNER);
        app_fixture::load(&cluster, DB, OWNER);
        app_fixture::add_activity(&cluster, DB, OWNER);
        let python = python(Respaldo::for_url(&cluster, &url));
        Self { cluster, python }
    }

    /// Sets a variable of the environment.
    pub fn env(self, name: &str, value: &str) -> Self {
        Self {
            python: self.python.env(name, value),
            ..self
        }
    }

    pub fn url(&self) -> String {
        self.cluster.url_as(OWNER, DB)
    }

    /// Runs a script as the owner; gives its rows.
    pub fn sql(&self, script: &str) -> String {
        self.cluster.psql_as(OWNER, DB, script)
    }

    /// A session of the owner.
    pub fn session(&self) -> Client {
        Client::connect(&self.url())
    }

    /// A database as it is.
    pub fn image(&self, db: &str) -> DbImage {
        Snapshot::take(&self.cluster.url(db))
    }

    /// Runs a program of the application to a good end; what it printed.
    pub fn program(&self, name: &str, arguments: &[&str]) -> Value {
        let file = package().join("tests/programs").join(name);
        let mut all = vec![file.to_str().unwrap()];
        all.extend(arguments);
        self.python.ok(&all).json()
    }

    /// Makes a backup as a line of Python; its number and the moment at which it began.
    pub fn backup(&self, kind: &str) -> (String, String) {
        let line = format!(
            "from respaldo.backup_incremental_service import BackupIncrementalService as Service\n\
             service = Service(None)\n\
             path = service.create_backup({kind:?})\n\
             [made] = [row for row in service.list_backups() if row['archivo'] == path]\n\
             print(made['id'], made['fecha_inicio'].isoformat())"
        );
        let said = self.python.ok(&["-c", &line]).stdout;
        let (id, began_at) = said.trim().split_once(' ').unwrap();
        (id.to_owned(), began_at.to_owned())
    }

    /// Names of the databases that were set aside for a restored one.
    pub fn set_aside(&self, db: &str) -> Vec<String> {
        let names = self.cluster.psql(
            "postgres",
            &format!("SELECT datname FROM pg_database WHERE datname LIKE '{db}_before_restore_%' ORDER BY 1"),
        );
        names.lines().map(str::to_owned).collect()
    }
}

/// The package's folder.
pub fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../legacy/python")
}

/// Runs Python instead of the binary, which it finds.
pub fn python(driver: Respaldo) -> Respaldo {
    let (source, binary) = (package().join("src"), binary());
    driver
        .program(Path::new("python3"))
        .env("PYTHONPATH", source.to_str().unwrap())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUTF8", "1")
        .env("RESPALDO_BIN", binary.to_str().unwrap())
        .limit(Duration::from_mins(4))
}

/// Runs a file of the package's own tests, all of which must pass.
pub fn unittest(driver: &Respaldo, file: &str) -> Outcome {
    let tests = package().join("tests");
    let path = tests.join(file);
    let outcome = driver.run(&["-W", "error", path.to_str().unwrap()]);
    outcome.expect_code(0);
    assert!(outcome.stderr.contains("\nOK"), "{outcome:#?}");
    outcome
}
