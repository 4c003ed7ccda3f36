//! Tables as the source's catalog describes them under a snapshot.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Object identifier of a relation or database in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Oid(pub u32);

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Schema and name of a relation, raw as in the catalog. `Display` gives the quoted form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableName {
    /// Schema.
    pub schema: String,
    /// Relation.
    pub name: String,
}

impl TableName {
    /// A name from its two parts, neither quoted.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }

    /// The name for SQL text: both parts always quoted.
    pub fn quoted(&self) -> String {
        format!(
            "{}.{}",
            quote_identifier(&self.schema),
            quote_identifier(&self.name)
        )
    }

    /// Reads `schema.name` as people write it: parts may be double-quoted, an unquoted part is
    /// taken as it stands (upper case is *not* folded, so that what `Display` prints is read back).
    pub fn parse(text: &str) -> Option<Self> {
        let (schema, rest) = take_part(text)?;
        let (name, end) = take_part(rest.strip_prefix('.')?)?;
        (end.is_empty() && !schema.is_empty() && !name.is_empty()).then_some(Self { schema, name })
    }
}

/// One identifier at the start of `text`, and what follows it.
fn take_part(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find('.').unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut part = String::new();
    let mut rest = quoted;
    loop {
        let end = rest.find('"')?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                part.push('"');
                rest = more;
            }
            None => return Some((part, rest)),
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}",
            quoted_if_needed(&self.schema),
            quoted_if_needed(&self.name)
        )
    }
}

/// An identifier for SQL text: always quoted, embedded quotes doubled.
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string literal for SQL text, safe whatever standard_conforming_strings says.
pub fn quote_literal(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "''");
    if text.contains('\\') {
        format!(" E'{escaped}'")
    } else {
        format!("'{escaped}'")
    }
}

fn quoted_if_needed(name: &str) -> String {
    let plain = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if plain && !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() {
        name.to_owned()
    } else {
        quote_identifier(name)
    }
}

/// Relations that can hold rows a dump carries (`pg_class.relkind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// `r`: an ordinary table or a leaf partition.
    Table,
    /// `p`: a partitioned table; its rows are in its leaves.
    Partitioned,
    /// `m`: a materialized view; the dump carries its REFRESH, not its rows.
    MaterializedView,
    /// `f`: a foreign table; its rows are elsewhere.
    Foreign,
}

/// `pg_class.relpersistence` without temporary relations, which no dump holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Persistence {
    /// Logged.
    Permanent,
    /// Emptied by a crash.
    Unlogged,
}

/// Why no signal short of the data itself can clear a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fragility {
    /// A column's type prints the name of another object (regclass, regproc, ...).
    NamesOtherObjects,
    /// Not stored by the heap access method, so no statement about xmin holds.
    ForeignAccessMethod,
}

/// What the catalog says of one relation under the snapshot. Everything a detector compares
/// besides statistics and rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFacts {
    /// `pg_class.oid`: the table's identity within one lineage.
    pub oid: Oid,
    /// Its name under the snapshot.
    pub name: TableName,
    /// What it is.
    pub kind: RelationKind,
    /// Logged or not.
    pub persistence: Persistence,
    /// `pg_class.relfilenode` under the snapshot (0: no storage of its own).
    pub relfilenode: u32,
    /// Size of the main fork in pages as last counted by VACUUM or ANALYZE; a hint only.
    pub pages_hint: u32,
    /// Columns that COPY carries, in the order of the COPY statement (generated ones left out).
    pub columns: Arc<[Column]>,
    /// Hash of everything in pg_attribute that alters what COPY prints or which rows it has:
    /// numbers, names, types, drops, defaults for missing values.
    pub columns_hash: String,
    /// Hash of the types its columns use, recursively: enum labels, attributes, domains, output
    /// functions, extension versions.
    pub types_hash: String,
    /// Set where nothing but the data itself is evidence.
    pub fragility: Option<Fragility>,
    /// `extcondition` of an extension's configuration table; `Some("")` when all rows are dumped.
    /// `None`: not a configuration table.
    pub extension_condition: Option<String>,
    /// Member of an extension and not one of its configuration tables: no dump holds its rows.
    pub extension_member: bool,
    /// Data must be loaded through this partitioned ancestor, because the partition key hashes
    /// values whose hash is not the same in another database.
    pub load_via: Option<TableName>,
    /// This role may read all its rows.
    pub readable: Readability,
}

/// A column that COPY carries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Type as `format_type` spells it under an empty search path.
    pub sql_type: String,
}

impl TableFacts {
    /// Whether a dump carries rows of this relation.
    pub fn has_data(&self) -> bool {
        self.kind == RelationKind::Table && !self.extension_member
    }
}

/// Whether the backup's role sees every row of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readability {
    /// All rows.
    All,
    /// No SELECT privilege (or no USAGE on the schema).
    NoPrivilege,
    /// Row-level security applies to this role.
    RowSecurity,
    /// Unlogged, on a standby: its rows are on the primary alone.
    OnPrimaryOnly,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_name_is_read_back() {
        for (schema, name) in [
            ("public", "t"),
            ("We ird", "a.b"),
            ("s", "say \"hi\""),
            ("s", "Ñ\n"),
        ] {
            let table = TableName::new(schema, name);
            assert_eq!(TableName::parse(&table.to_string()), Some(table));
        }
    }

    #[test]
    fn half_a_name_is_no_name() {
        for text in ["t", "a.", ".b", "a.b.c", "\"a.b"] {
            assert_eq!(TableName::parse(text), None, "{text}");
        }
    }
}
