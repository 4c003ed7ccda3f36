//! The little bank on a cluster of its own, with a driver that connects as its owner, and what
//! must be true of server and repository between runs.

use std::time::Duration;

use serde_json::Value;

use crate::respaldo::wait_until;
use crate::{Client, Cluster, DbImage, Outcome, Repository, Respaldo, Snapshot, littlebank};

/// Name of the database.
pub const DB: &str = "bank";

/// Role that owns it: not a superuser.
pub const OWNER: &str = "dueno";

/// A bank, its driver and its repository.
#[derive(Debug)]
pub struct Scene {
    /// The server.
    pub cluster: Cluster,
    /// Calls the binary as the owner.
    pub respaldo: Respaldo,
    /// Where backups go.
    pub repository: Repository,
}

impl Scene {
    /// A bank as on day 0, without backups.
    pub fn open() -> Self {
        Self::on(Cluster::start())
    }

    /// The same on a cluster of the test's choosing.
    pub fn on(cluster: Cluster) -> Self {
        let url = littlebank::open(&cluster, DB);
        let respaldo = Respaldo::for_url(&cluster, &url);
        let repository = Repository::of(&respaldo);
        Self {
            cluster,
            respaldo,
            repository,
        }
    }

    /// Lets a day pass at the bank.
    pub fn day(&self, n: u32) {
        littlebank::day(&self.cluster.url_as(OWNER, DB), n);
    }

    /// Adds a branch: the smallest change there is.
    pub fn add_branch(&self, id: usize) {
        let insert = format!("INSERT INTO bank.branch VALUES ({id}, 'branch {id}')");
        self.client().exec(&insert);
    }

    /// Whether the bank has a branch.
    pub fn has_branch(&self, id: usize) -> bool {
        let find = format!("SELECT count(*) FROM bank.branch WHERE id = {id}");
        self.client().one(&find) == "1"
    }

    /// A session of the owner.
    pub fn client(&self) -> Client {
        Client::connect(&self.cluster.url_as(OWNER, DB))
    }

    /// Makes a backup without any warning, and gives its JSON.
    pub fn backup(&self, kind: &str) -> Value {
        self.respaldo.ok(&["backup", kind, "--json"]).json()
    }

    /// Makes a backup and gives the name of its archive.
    pub fn backup_name(&self, kind: &str) -> String {
        self.backup(kind)["nombre"].as_str().unwrap().to_owned()
    }

    /// The bank as it is.
    pub fn image(&self) -> DbImage {
        self.image_of(DB)
    }

    /// Another database as it is.
    pub fn image_of(&self, db: &str) -> DbImage {
        Snapshot::take(&self.cluster.url(db))
    }

    /// Whether a database exists.
    pub fn exists(&self, db: &str) -> bool {
        self.databases().iter().any(|name| name == db)
    }

    /// Names of all databases.
    pub fn databases(&self) -> Vec<String> {
        let names = "SELECT datname FROM pg_database ORDER BY 1";
        Client::connect(&self.cluster.url("postgres")).column(names)
    }

    /// Databases a restore was building.
    pub fn scratch_databases(&self) -> Vec<String> {
        self.databases()
            .into_iter()
            .filter(|name| name.contains("_respaldo_"))
            .collect()
    }

    /// Databases kept by a restore in place.
    pub fn kept_databases(&self) -> Vec<String> {
        self.databases()
            .into_iter()
            .filter(|name| name.contains("_before_restore_"))
            .collect()
    }

    /// Rows of the catalog that say a run is going on.
    pub fn unfinished_rows(&self) -> Vec<String> {
        self.client().column(
            "SELECT archivo_nombre FROM seguridad.backup_manifest
             WHERE estado IN ('EN_PROGRESO', 'PENDIENTE', 'VALIDANDO')",
        )
    }

    /// Waits until the server has noticed that a killed run is gone.
    pub fn wait_for_the_lease(&self) {
        let mut client = Client::connect(&self.cluster.url("postgres"));
        let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                    AND classid = x'72657370'::int::oid";
        let free = wait_until(Duration::from_secs(10), || client.one(held) == "0");
        assert!(free, "the lease of a dead run is still held");
    }

    /// Panics unless nothing of a dead or failed run is left anywhere.
    pub fn assert_tidy(&self, when: &str) {
        let litter = self.repository.litter();
        assert!(
            litter.is_empty(),
            "{when}: litter in the repository: {litter:?}"
        );
        let rows = self.unfinished_rows();
        assert!(
            rows.is_empty(),
            "{when}: the catalog says these still run: {rows:?}"
        );
        let scratch = self.scratch_databases();
        assert!(
            scratch.is_empty(),
            "{when}: scratch databases are left: {scratch:?}"
        );
    }

    /// Restores a backup into a new database, compares it with an image and drops it.
    pub fn assert_restores(&self, archive: &str, expected: &DbImage) {
        let copy = "restored_copy";
        let args = [
            "restore",
            "--id",
            archive,
            "--target-db",
            copy,
            "--create",
            "--json",
        ];
        let outcome = self.respaldo.run(&args);
        assert!(outcome.is_done(), "restoring {archive}: {outcome:#?}");
        crate::assert_equal(expected, &self.image_of(copy));
        self.cluster.drop_database(copy);
    }
}

impl Outcome {
    /// Whether it did what was asked, with or without warnings.
    pub fn is_done(&self) -> bool {
        matches!(self.code, Some(0 | 3))
    }

    /// The stable code of the error it reported as JSON; panics unless the report is complete.
    pub fn error_code(&self) -> String {
        let json = self.json();
        assert_eq!(json["exitoso"], false, "{self:#?}");
        assert!(json["mensaje"].is_string(), "{self:#?}");
        let error = &json["error"];
        assert!(
            error["sugerencia"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{self:#?}"
        );
        error["codigo"]
            .as_str()
            .unwrap_or_else(|| panic!("{self:#?}"))
            .to_owned()
    }

    /// Panics unless it failed with this exit code and this stable code, said properly.
    pub fn expect_error(&self, exit: i32, code: &str) -> &Self {
        assert_eq!(
            (self.code, self.error_code().as_str()),
            (Some(exit), code),
            "{self:#?}"
        );
        self
    }
}
