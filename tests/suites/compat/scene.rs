//! A database, its repository, and the ways to look at what came of them.

use std::fs;
use std::path::{Path, PathBuf};

use respaldo_tests::{Client, Cluster, DbImage, Outcome, Respaldo, Snapshot, assert_equal};
use serde_json::Value;

/// The role that owns every database here: it may make databases and is no superuser.
pub const OWNER: &str = "dueno";

/// A database of [`OWNER`] and a driver of the binary with a repository of its own.
pub struct Scene<'c> {
    pub cluster: &'c Cluster,
    pub db: String,
    pub respaldo: Respaldo,
}

/// A backup that was made.
pub struct Made {
    pub id: String,
    pub json: Value,
}

/// A backup together with what the database was when it was made.
pub struct Kept {
    pub made: Made,
    pub image: DbImage,
}

impl<'c> Scene<'c> {
    /// An empty database `tienda`.
    pub fn open(cluster: &'c Cluster) -> Self {
        Self::named(cluster, "tienda")
    }

    /// An empty database of this name.
    pub fn named(cluster: &'c Cluster, db: &str) -> Self {
        let url = cluster.owned_database(db, OWNER);
        Self {
            cluster,
            db: db.to_owned(),
            respaldo: Respaldo::for_url(cluster, &url).quiet_hours(),
        }
    }

    /// The database with the existing application's tables and some business in them.
    pub fn with_application(cluster: &'c Cluster) -> Self {
        let scene = Self::open(cluster);
        respaldo_tests::app_fixture::load(cluster, &scene.db, OWNER);
        respaldo_tests::app_fixture::add_activity(cluster, &scene.db, OWNER);
        scene
    }

    /// Runs a script as the owner; gives its rows.
    pub fn sql(&self, script: &str) -> String {
        self.cluster.psql_as(OWNER, &self.db, script)
    }

    /// A session of the owner.
    pub fn session(&self) -> Client {
        Client::connect(&self.cluster.url_as(OWNER, &self.db))
    }

    /// The database as it is.
    pub fn image(&self) -> DbImage {
        Snapshot::take(&self.cluster.url(&self.db))
    }

    /// Makes a backup that must be without blemish.
    pub fn backup(&self, kind: &str) -> Made {
        Made::of(&self.respaldo.ok(&["backup", kind, "--json"]))
    }

    /// Makes a backup and remembers what the database was.
    pub fn keep(&self, kind: &str) -> Kept {
        let made = self.backup(kind);
        Kept {
            made,
            image: self.image(),
        }
    }

    /// Restores a backup into a new database, which must be what the old one was. Its name.
    pub fn proof(&self, kept: &Kept) -> String {
        let copy = format!("copia_{}", kept.made.id);
        let outcome = self.restore_into(&kept.made, &copy, &["--create"]);
        outcome.expect_code(0);
        assert_equal(&kept.image, &Snapshot::take(&self.cluster.url(&copy)));
        copy
    }

    /// What a query says in the restored copy of a backup, which must be what the database was.
    pub fn restored(&self, kept: &Kept, query: &str) -> String {
        let copy = self.proof(kept);
        let answer = self.cluster.psql_as(OWNER, &copy, query);
        self.cluster.drop_database(&copy);
        answer
    }

    /// Restores a backup into `target`.
    pub fn restore_into(&self, made: &Made, target: &str, options: &[&str]) -> Outcome {
        let mut args = vec!["restore", "--json", "--id", &made.id, "--target-db", target];
        args.extend(options);
        self.respaldo.run(&args)
    }

    /// Restores a backup over the database; it must then be what it was.
    pub fn restore_in_place(&self, kept: &Kept) -> Value {
        let outcome = self.respaldo.ok(&in_place(&kept.made));
        assert_equal(&kept.image, &self.image());
        outcome.json()
    }

    /// Runs a command that must be refused with this exit code and error code. Its JSON.
    pub fn refused(&self, code: i32, error: &str, args: &[&str]) -> Value {
        refused_by(&self.respaldo, code, error, args)
    }

    /// A restore over the database that must be refused and change nothing.
    pub fn refuses_in_place(&self, made: &Made, code: i32, error: &str) {
        let before = self.image();
        self.refused(code, error, &in_place(made));
        assert_equal(&before, &self.image());
        assert_eq!(
            self.databases(),
            [self.db.as_str(), "postgres"],
            "nothing is left beside the database"
        );
    }

    /// Names of the databases there are.
    pub fn databases(&self) -> Vec<String> {
        let query = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY (datname = 'postgres'), datname";
        let names = self.cluster.psql("postgres", query);
        names.lines().map(str::to_owned).collect()
    }

    /// The repository's folder.
    pub fn repository(&self) -> PathBuf {
        self.respaldo.folder().join("backups_incrementales")
    }

    /// Whether `validate` finds the backup whole; its exit code must agree.
    pub fn is_valid(&self, made: &Made) -> bool {
        let outcome = self.respaldo.run(&["validate", &made.id, "--json"]);
        let json = outcome.json();
        let valid = json["validos"] == 1 && json["invalidos"] == 0;
        outcome.expect_code(if valid { 0 } else { 3 });
        valid
    }
}

impl Made {
    /// What a run that made a backup says of it.
    pub fn of(outcome: &Outcome) -> Self {
        let json = outcome.json();
        assert_eq!(json["exitoso"], true, "{outcome:#?}");
        let id = json["id"].as_i64().map(|id| id.to_string());
        Self {
            id: id.unwrap_or_else(|| panic!("the backup is not in the catalog: {json:#}")),
            json,
        }
    }

    /// Its archive.
    pub fn archive(&self) -> PathBuf {
        PathBuf::from(self.json["archivo"].as_str().unwrap())
    }

    /// File name of its archive.
    pub fn name(&self) -> String {
        self.archive()
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Kind that was made.
    pub fn kind(&self) -> &str {
        self.json["tipo"].as_str().unwrap()
    }

    /// Tables whose rows are in its archive, by name.
    pub fn dumped(&self) -> Vec<&str> {
        let tables = self.json["tablas"].as_array().unwrap().iter();
        let dumped = tables.filter(|table| table["volcada"] == true);
        let mut names: Vec<_> = dumped
            .map(|table| table["tabla"].as_str().unwrap())
            .collect();
        names.sort_unstable();
        names
    }
}

/// The arguments that restore a backup over the database.
pub fn in_place(made: &Made) -> [&str; 6] {
    ["restore", "--json", "--id", &made.id, "--replace", "--yes"]
}

/// Runs a command that must be refused with this exit code and error code. Its JSON.
pub fn refused_by(respaldo: &Respaldo, code: i32, error: &str, args: &[&str]) -> Value {
    let outcome = respaldo.run(args);
    outcome.expect_code(code);
    let json = outcome.json();
    assert_eq!(json["exitoso"], false, "{outcome:#?}");
    assert_eq!(json["error"]["codigo"], error, "{outcome:#?}");
    json
}

/// Every file below a folder, by its path within; the engine's own working files aside.
pub fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with(".respaldo") {
                folders.push(path);
            } else if path.is_file() {
                let within = path.strip_prefix(folder).unwrap();
                found.push(within.to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}
