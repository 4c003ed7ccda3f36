//! A database, the folder of its legacy backups, and ways to look at both.

use std::fs;
use std::path::{Path, PathBuf};

use respaldo_tests::app_fixture::{self, AppService};
use respaldo_tests::{Client, Cluster, DbImage, Outcome, Respaldo, Snapshot, assert_equal};
use serde_json::Value;

/// The role that owns every database here.
pub const OWNER: &str = "dueno";
/// The database.
pub const DB: &str = "tienda";

pub struct Scene {
    pub cluster: Cluster,
    pub respaldo: Respaldo,
}

impl Scene {
    /// A database with one table of three rows.
    pub fn open() -> Self {
        let scene = Self::empty();
        scene.sql("CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, 3) g");
        scene
    }

    pub fn empty() -> Self {
        let cluster = Cluster::start();
        let url = cluster.owned_database(DB, OWNER);
        let respaldo = Respaldo::for_url(&cluster, &url).quiet_hours();
        Self { cluster, respaldo }
    }

    /// A database with the existing application's tables and some business in them.
    pub fn with_application() -> Self {
        let scene = Self::empty();
        app_fixture::load(&scene.cluster, DB, OWNER);
        app_fixture::add_activity(&scene.cluster, DB, OWNER);
        scene
    }

    /// The same scene with `respaldo.toml`.
    pub fn config(self, text: &str) -> Self {
        Self {
            respaldo: self.respaldo.config(text),
            ..self
        }
    }

    pub fn url(&self) -> String {
        self.cluster.url_as(OWNER, DB)
    }

    pub fn sql(&self, script: &str) -> String {
        self.cluster.psql_as(OWNER, DB, script)
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.url())
    }

    pub fn image(&self) -> DbImage {
        Snapshot::take(&self.cluster.url(DB))
    }

    /// The existing application's services, at work in the same folder.
    pub fn app(&self) -> AppService {
        AppService::new(&self.cluster, &self.url(), self.respaldo.folder())
    }

    pub fn run(&self, args: &[&str]) -> Outcome {
        let args: Vec<&str> = ["legacy"].iter().chain(args).copied().collect();
        self.respaldo.run(&args)
    }

    /// Makes a backup without a warning; its file.
    pub fn backup(&self, kind: &str) -> PathBuf {
        let outcome = self.run(&["backup", kind, "--json"]);
        outcome.expect_code(0);
        let json = outcome.json();
        assert_eq!(json["exitoso"], true, "{outcome:#?}");
        assert_eq!(json["avisos"], serde_json::json!([]), "{outcome:#?}");
        PathBuf::from(json["archivo"].as_str().unwrap())
    }

    /// Restores into a new database, which must then be what the image tells.
    pub fn assert_restores(&self, file: &Path, image: &DbImage) {
        let file = file.to_str().unwrap();
        let restored = [
            "restore",
            file,
            "--target-db",
            "copia",
            "--create",
            "--json",
        ];
        self.run(&restored).expect_code(0);
        assert_equal(image, &Snapshot::take(&self.cluster.url("copia")));
        self.cluster.drop_database("copia");
    }

    /// The folder where nothing else is configured.
    pub fn folder(&self) -> PathBuf {
        self.respaldo.folder().join("backups")
    }

    /// Names of the files of a type that look like backups, in order.
    pub fn backups(&self, kind: &str) -> Vec<String> {
        let all = names(&self.folder().join(kind)).into_iter();
        all.filter(|name| !name.starts_with('.')).collect()
    }

    /// Files of a type that nobody takes for a backup.
    pub fn unfinished(&self, kind: &str) -> Vec<String> {
        let all = names(&self.folder().join(kind)).into_iter();
        all.filter(|name| name.starts_with('.')).collect()
    }

    /// Databases that are not templates.
    pub fn databases(&self) -> Vec<String> {
        let all = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1";
        let names = self.cluster.psql("postgres", all);
        names.lines().map(str::to_owned).collect()
    }

    /// A command that must be refused and change neither databases nor files.
    pub fn refused(&self, exit: i32, code: &str, args: &[&str]) {
        let (image, databases) = (self.image(), self.databases());
        let args: Vec<&str> = args.iter().chain(&["--json"]).copied().collect();
        self.run(&args).expect_error(exit, code);
        assert_equal(&image, &self.image());
        assert_eq!(databases, self.databases());
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Codes of the warnings of a result.
pub fn notices(json: &Value) -> Vec<&str> {
    let notices = json["avisos"].as_array().unwrap().iter();
    notices
        .map(|notice| notice["codigo"].as_str().unwrap())
        .collect()
}
