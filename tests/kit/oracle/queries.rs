//! Definitions of every object, comments, grants and owners, by the queries in `*.sql`.
//!
//! A section of those files starts with a line `-- section: NAME`, or `-- section: NAME (15+)` when
//! the server must be that new. Its query gives schema, relation, key and value. Two words are
//! replaced: `@user_schema(COLUMN)` and `@ours(CATALOG, OID)`, which keep system objects and the
//! members of extensions out.

use super::canonical::canonical;
use super::{Entry, Sections, Snapshot, attached};
use crate::Client;

const FILES: [&str; 4] = [
    include_str!("relations.sql"),
    include_str!("routines_and_types.sql"),
    include_str!("others.sql"),
    include_str!("attached.sql"),
];

/// Reads every section of definitions.
pub(super) fn definitions(client: &mut Client, wanted: &Snapshot) -> Sections {
    let version: u32 = client.one("SHOW server_version_num").parse().unwrap();
    let mut sections = Sections::new();
    for section in FILES.into_iter().flat_map(sections_of) {
        let skipped = section.min_major > version / 10_000
            || (section.name == "database" && !wanted.database);
        if skipped {
            continue;
        }
        let rows = client
            .try_rows(&section.sql)
            .unwrap_or_else(|e| panic!("section {} of the oracle: {e}", section.name));
        let entries = rows
            .into_iter()
            .map(Entry::from_row)
            .filter(|e| wanted.wants(e));
        let section_of_image = sections.entry(section.name).or_default();
        section_of_image.extend(entries.map(|e| (e.key, canonical(&e.value))));
    }
    for (name, rows) in [
        ("owner", attached::owners(client)),
        ("grants", attached::grants(client)),
    ] {
        let entries = rows
            .into_iter()
            .map(Entry::from_row)
            .filter(|e| wanted.wants(e));
        sections.insert(name.into(), entries.map(|e| (e.key, e.value)).collect());
    }
    sections
}

struct Section {
    name: String,
    min_major: u32,
    sql: String,
}

fn sections_of(file: &str) -> impl Iterator<Item = Section> {
    file.split("-- section: ").skip(1).map(|text| {
        let (head, body) = text
            .split_once('\n')
            .expect("a query below the section's name");
        let (name, min_major) = match head.split_once(" (") {
            Some((name, rest)) => (name, rest.trim_end_matches("+)").parse().unwrap()),
            None => (head, 0),
        };
        Section {
            name: name.to_owned(),
            min_major,
            sql: expand(body.trim().trim_end_matches(';')),
        }
    })
}

/// Replaces the two words that the files may use.
fn expand(sql: &str) -> String {
    let sql = replace_calls(sql, "@user_schema(", |column| {
        format!(
            "({column} NOT IN ('pg_catalog', 'information_schema') \
             AND {column} NOT LIKE 'pg\\_toast%' AND {column} NOT LIKE 'pg\\_temp%')"
        )
    });
    replace_calls(&sql, "@ours(", |arguments| {
        let (catalog, oid) = arguments.split_once(", ").expect("@ours(CATALOG, OID)");
        format!(
            "({oid} >= 16384 AND NOT EXISTS (SELECT FROM pg_depend ext WHERE ext.deptype = 'e' \
             AND ext.classid = '{catalog}'::regclass AND ext.objid = {oid}))"
        )
    })
}

fn replace_calls(sql: &str, word: &str, with: impl Fn(&str) -> String) -> String {
    let mut pieces = sql.split(word);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (arguments, rest) = piece.split_once(')').expect("a closing parenthesis");
        out.push_str(&with(arguments));
        out.push_str(rest);
    }
    out
}
