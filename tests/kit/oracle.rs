//! An independent image of a whole database, and the differences between two of them.
//!
//! Everything is keyed by name, never by oid, so that a database and its restored copy can be
//! compared. Rows are hashed per table without regard to their order, columns by name; definitions,
//! comments, grants and owners are read from the catalogs by queries of our own (`oracle/*.sql`).
//! The image must be taken as a superuser, in one REPEATABLE READ transaction; sequences are outside
//! of snapshots by nature, so nothing should be writing.

mod attached;
mod canonical;
mod data;
mod queries;

use std::collections::BTreeMap;

use crate::Client;
use crate::cluster::literal;

/// What each section of an image holds, by the name of the object.
type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// The image of one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbImage {
    sections: Sections,
}

/// How an image is to be taken.
#[derive(Debug, Clone)]
pub struct Snapshot {
    url: String,
    ignored_schemas: Vec<String>,
    ignored_tables: Vec<String>,
    at: Option<String>,
    matview_rows: bool,
    operational_data: bool,
    database: bool,
}

impl Snapshot {
    /// The image of everything but the rows of the product's own operational tables.
    pub fn take(url: &str) -> DbImage {
        Self::of(url).image()
    }

    /// Describes an image before taking it.
    pub fn of(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ignored_schemas: Vec::new(),
            ignored_tables: Vec::new(),
            at: None,
            matview_rows: true,
            operational_data: false,
            database: false,
        }
    }

    /// Leaves out these schemas and all that is in them.
    #[must_use]
    pub fn ignore_schemas(mut self, names: &[&str]) -> Self {
        self.ignored_schemas
            .extend(names.iter().map(|&n| n.to_owned()));
        self
    }

    /// Leaves out these tables, each given as `schema.table` without quotes.
    #[must_use]
    pub fn ignore_tables(mut self, names: &[&str]) -> Self {
        self.ignored_tables
            .extend(names.iter().map(|&n| n.to_owned()));
        self
    }

    /// Leaves out the rows of materialized views, which a restore refreshes.
    #[must_use]
    pub fn ignore_matview_rows(mut self) -> Self {
        self.matview_rows = false;
        self
    }

    /// Also compares the rows of the product's own operational tables.
    #[must_use]
    pub fn with_operational_data(mut self) -> Self {
        self.operational_data = true;
        self
    }

    /// Also compares the database's own encoding, locale, settings, comment, grants and owner.
    #[must_use]
    pub fn with_database(mut self) -> Self {
        self.database = true;
        self
    }

    /// Looks at the database as an exported snapshot sees it.
    #[must_use]
    pub fn at_snapshot(mut self, id: &str) -> Self {
        self.at = Some(id.to_owned());
        self
    }

    /// Takes the image.
    pub fn image(&self) -> DbImage {
        let mut client = Client::connect(&self.url);
        client.exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
        if let Some(id) = &self.at {
            client.exec(&format!("SET TRANSACTION SNAPSHOT {}", literal(id)));
        }
        self.image_in(&mut client)
    }

    /// Takes the image as the open transaction of `client` sees the database.
    pub fn image_in(&self, client: &mut Client) -> DbImage {
        client.exec(SETTINGS);
        let superuser = client.one("SELECT pg_catalog.current_setting('is_superuser')");
        assert_eq!(
            superuser, "on",
            "the oracle must see everything: connect as a superuser"
        );
        let mut sections = queries::definitions(client, self);
        sections.extend(data::contents(client, self));
        sections.retain(|_, entries| !entries.is_empty());
        DbImage { sections }
    }

    fn wants(&self, entry: &Entry) -> bool {
        let relation = format!("{}.{}", entry.schema, entry.relation);
        !self.ignored_schemas.contains(&entry.schema) && !self.ignored_tables.contains(&relation)
    }
}

/// One object of an image, with the schema and relation it belongs to ("" when to none).
struct Entry {
    schema: String,
    relation: String,
    key: String,
    value: String,
}

impl Entry {
    fn from_row(row: Vec<Option<String>>) -> Self {
        let mut columns = row.into_iter().map(Option::unwrap_or_default);
        let mut next = || columns.next().expect("schema, relation, key, value");
        Self {
            schema: next(),
            relation: next(),
            key: next(),
            value: next(),
        }
    }
}

/// The same text for the same value, whatever the server, database or role is set to.
const SETTINGS: &str = "
    SET search_path = '';
    SET TimeZone = 'UTC';
    SET DateStyle = 'ISO, YMD';
    SET IntervalStyle = 'postgres';
    SET extra_float_digits = 3;
    SET bytea_output = 'hex';
    SET lc_monetary = 'C';
    SET xmlbinary = 'base64';
    SET quote_all_identifiers = off;
    SET statement_timeout = 0;
    SET lock_timeout = 0;
    SET row_security = off;
    SET jit = off";

impl DbImage {
    /// Names of the sections that hold something.
    pub fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str)
    }

    /// The entries of one section: object name to content.
    pub fn section(&self, name: &str) -> BTreeMap<String, String> {
        self.sections.get(name).cloned().unwrap_or_default()
    }

    /// What `rows` says of a table: `COUNT rows, HASH`.
    pub fn rows_of(&self, table: &str) -> Option<&str> {
        self.sections.get("rows")?.get(table).map(String::as_str)
    }

    /// The image as JSON: section, object, content.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.sections).unwrap()
    }

    /// Reads what [`DbImage::to_json`] wrote.
    pub fn from_json(text: &str) -> Self {
        Self {
            sections: serde_json::from_str(text).expect("the JSON of an image"),
        }
    }
}

/// What differs between two images, one line each; empty when they are equal.
pub fn diff(a: &DbImage, b: &DbImage) -> Vec<String> {
    let none = BTreeMap::new();
    let mut lines = Vec::new();
    let mut names: Vec<_> = a.sections.keys().chain(b.sections.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let left = a.sections.get(name).unwrap_or(&none);
        let right = b.sections.get(name).unwrap_or(&none);
        lines.extend(diff_section(name, left, right));
    }
    lines
}

fn diff_section(
    name: &str,
    left: &BTreeMap<String, String>,
    right: &BTreeMap<String, String>,
) -> Vec<String> {
    let gone = left.iter().filter(|(key, _)| !right.contains_key(*key));
    let new = right.iter().filter(|(key, _)| !left.contains_key(*key));
    let changed = left.iter().filter_map(|(key, l)| {
        let r = right.get(key)?;
        (l != r).then(|| format!("{name} {key}: {} <> {}", shorten(l), shorten(r)))
    });
    gone.map(|(key, value)| format!("{name} {key}: only in the first: {}", shorten(value)))
        .chain(
            new.map(|(key, value)| format!("{name} {key}: only in the second: {}", shorten(value))),
        )
        .chain(changed)
        .collect()
}

fn shorten(text: &str) -> String {
    text.chars().take(700).collect()
}

/// Panics with every difference when two images are not equal.
pub fn assert_equal(a: &DbImage, b: &DbImage) {
    let differences = diff(a, b);
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
}
