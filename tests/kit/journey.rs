//! A database, the backups made of it through the binary, and what it was like at each of them.

use serde_json::Value;

use crate::cluster::ident;
use crate::{Cluster, DbImage, Outcome, Respaldo, Snapshot, diff};

/// A chain of backups with the truth beside it. Nobody may write while a backup is made.
#[derive(Debug)]
pub struct Journey<'c> {
    cluster: &'c Cluster,
    db: String,
    respaldo: Respaldo,
    points: Vec<RestorePoint>,
    provider: Option<String>,
    copies: usize,
}

/// One backup and what the database was like.
#[derive(Debug, Clone)]
pub struct RestorePoint {
    /// Its number in the catalog, or its file name where there is no number.
    pub id: String,
    /// What `backup --json` said.
    pub made: Value,
    /// The database at that moment.
    pub image: DbImage,
}

impl RestorePoint {
    /// FULL, DIFERENCIAL or INCREMENTAL: what was made.
    pub fn kind(&self) -> &str {
        self.made["tipo"].as_str().unwrap()
    }

    /// File name of its archive.
    pub fn archive(&self) -> &str {
        self.made["nombre"].as_str().unwrap()
    }

    /// Names of the tables whose rows it dumped, quoted where needed.
    pub fn dumped(&self) -> Vec<&str> {
        let tables = self.made["tablas"].as_array().unwrap();
        let dumped = tables.iter().filter(|table| table["volcada"] == true);
        dumped.map(|t| t["tabla"].as_str().unwrap()).collect()
    }

    /// The reason code of a table.
    pub fn reason(&self, table: &str) -> &str {
        let tables = self.made["tablas"].as_array().unwrap();
        let found = tables.iter().find(|t| t["tabla"] == table);
        let found = found.unwrap_or_else(|| panic!("no table {table} in {}", self.made));
        found["motivo"].as_str().unwrap()
    }
}

impl<'c> Journey<'c> {
    /// Backups of `db` by the superuser.
    pub fn new(cluster: &'c Cluster, db: &str) -> Self {
        Self::with(cluster, db, Respaldo::new(cluster, db))
    }

    /// Backups of `db` by a driver of its own.
    pub fn with(cluster: &'c Cluster, db: &str, respaldo: Respaldo) -> Self {
        Self {
            cluster,
            db: db.to_owned(),
            respaldo,
            points: Vec::new(),
            provider: None,
            copies: 0,
        }
    }

    /// Restores go into an empty database that is made for `role` beforehand.
    #[must_use]
    pub fn into_databases_provided_for(mut self, role: &str) -> Self {
        self.provider = Some(role.to_owned());
        self
    }

    /// The driver.
    pub fn respaldo(&self) -> &Respaldo {
        &self.respaldo
    }

    /// The server.
    pub fn cluster(&self) -> &'c Cluster {
        self.cluster
    }

    /// Another driver from here on.
    pub fn drive_with(&mut self, respaldo: Respaldo) {
        self.respaldo = respaldo;
    }

    /// The restore points so far.
    pub fn points(&self) -> &[RestorePoint] {
        &self.points
    }

    /// Makes a backup and remembers what the database is like.
    pub fn backup(&mut self, kind: &str) -> RestorePoint {
        let outcome = self.respaldo.run(&["backup", kind, "--json"]);
        self.remember(&outcome)
    }

    /// Takes the outcome of a `backup --json` as the next restore point; the database must still be
    /// as it was backed up.
    pub fn remember(&mut self, outcome: &Outcome) -> RestorePoint {
        assert!(is_done(outcome), "the backup failed: {outcome:#?}");
        let made = outcome.json();
        assert_eq!(made["cobertura"]["completa"], true, "{outcome:#?}");
        let id = match &made["id"] {
            Value::Null => made["nombre"].as_str().unwrap().to_owned(),
            number => number.to_string(),
        };
        let image = self.image_of(&self.db);
        let point = RestorePoint { id, made, image };
        self.points.push(point.clone());
        point
    }

    /// What a database of this cluster is like now, as far as a backup carries it.
    pub fn image_of(&self, db: &str) -> DbImage {
        image(&self.cluster.url(db))
    }

    /// Restores a point into a database that did not exist, and gives what is different there.
    pub fn differences(&mut self, point: &RestorePoint) -> Vec<String> {
        self.copies += 1;
        let copy = format!("{} copy {}", self.db, self.copies);
        self.restore(point, &copy);
        let found = diff(&point.image, &self.image_of(&copy));
        self.cluster.drop_database(&copy);
        found
    }

    /// Restores a point into a new database; panics unless that succeeds.
    pub fn restore(&self, point: &RestorePoint, into: &str) -> Value {
        let mut args = vec!["restore", "--id", &point.id, "--target-db", into, "--json"];
        match &self.provider {
            Some(role) => drop(self.cluster.owned_database(into, role)),
            None => args.push("--create"),
        }
        let outcome = self.respaldo.run(&args);
        assert!(
            is_done(&outcome),
            "restoring {} into {} failed: {outcome:#?}",
            point.archive(),
            ident(into)
        );
        outcome.json()
    }

    /// Restores every point; panics with all differences of all of them.
    pub fn check(&mut self) {
        let mut found = Vec::new();
        for point in self.points.clone() {
            let lines = self.differences(&point);
            let archive = point.archive();
            found.extend(lines.into_iter().map(|line| format!("{archive}: {line}")));
        }
        assert!(
            found.is_empty(),
            "{} differences:\n{}",
            found.len(),
            found.join("\n")
        );
    }

    /// What `show` tells of a point.
    pub fn show(&self, point: &RestorePoint) -> Value {
        self.respaldo.ok(&["show", &point.id, "--json"]).json()
    }

    /// The archive in which the rows of a table lie as of a point.
    pub fn rows_lie_in(&self, point: &RestorePoint, table: &str) -> String {
        let shown = self.show(point);
        let tables = shown["tablas"].as_array().unwrap();
        let found = tables.iter().find(|t| t["tabla"] == table);
        let found = found.unwrap_or_else(|| panic!("no table {table} in {shown:#}"));
        found["datos"]["archivo"].as_str().unwrap().to_owned()
    }
}

/// What a database is like, as far as a backup carries it: materialized views are computed again.
pub fn image(url: &str) -> DbImage {
    Snapshot::of(url).ignore_matview_rows().image()
}

/// Done, maybe with warnings.
pub fn is_done(outcome: &Outcome) -> bool {
    matches!(outcome.code, Some(0 | 3))
}
