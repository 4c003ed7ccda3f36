//! What an archive holds, by the list that `pg_restore --list` prints:
//! `215; 1259 16390 TABLE public t owner`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Catalogs by their oid, which never changes.
const PG_CLASS: &str = "1259";
const PG_EXTENSION: &str = "3079";

/// The entries that tell a whole database from a part of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    /// Definitions of tables by oid: "schema name owner".
    tables: BTreeMap<String, String>,
    /// Oids of tables that have rows in it.
    rows: BTreeSet<String>,
    extensions: usize,
    /// Entries of other kinds.
    others: usize,
}

impl Contents {
    pub(crate) fn of_list(list: &str) -> Self {
        let mut contents = Self::default();
        let entries = list.lines().filter(|line| !line.starts_with(';'));
        for line in entries {
            contents.add(line);
        }
        contents
    }

    fn add(&mut self, line: &str) {
        let mut parts = line.splitn(4, ' ');
        let (_, catalog, oid, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(catalog), Some(oid), Some(rest)) = (catalog, oid, rest) else {
            return;
        };
        match (catalog, rest.strip_prefix("TABLE ")) {
            (PG_CLASS, Some(table)) => {
                self.tables.insert(oid.to_owned(), table.to_owned());
            }
            ("0", Some(data)) if data.starts_with("DATA ") => {
                self.rows.insert(oid.to_owned());
            }
            (PG_EXTENSION, _) => self.extensions += 1,
            _ if rest.starts_with("DATABASE ") || rest.starts_with("COMMENT ") => {}
            _ => self.others += 1,
        }
    }

    /// Tables whose rows are in it.
    pub(crate) fn tables_with_rows(&self) -> usize {
        self.rows.len()
    }

    /// Why it is a part for certain, where it is.
    pub(crate) fn is_obviously_partial(&self) -> Option<&'static str> {
        // Tables of an extension have rows here and their definition there.
        if !self.rows.is_empty() && self.tables.is_empty() && self.extensions == 0 {
            return Some(
                "it has rows and no definitions, as an incremental or differential backup",
            );
        }
        if self.rows.is_empty() && self.tables.is_empty() && self.others == 0 {
            return Some("it is empty, as an incremental backup without changes");
        }
        None
    }

    /// Tables that are defined in it and have no rows there, as "schema name owner".
    pub(crate) fn tables_without_rows(&self) -> Vec<&str> {
        let tables = self.tables.iter();
        tables
            .filter(|(oid, _)| !self.rows.contains(*oid))
            .map(|(_, table)| table.as_str())
            .collect()
    }
}

/// The partitioned tables of the definitions that pg_restore prints, as "schema name owner".
pub(crate) fn partitioned(sql: &str) -> HashSet<String> {
    let entries = sql.split("\n-- Name: ").skip(1);
    let partitioned = entries.filter(|entry| entry.contains("\nPARTITION BY "));
    partitioned.filter_map(heading).collect()
}

/// `t; Type: TABLE; Schema: public; Owner: o` as "public t o".
fn heading(entry: &str) -> Option<String> {
    let (rest, owner) = entry.lines().next()?.rsplit_once("; Owner: ")?;
    let (rest, schema) = rest.rsplit_once("; Schema: ")?;
    let (name, _) = rest.rsplit_once("; Type: TABLE")?;
    Some(format!("{schema} {name} {owner}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = ";
; Archive created at 2026-11-24 02:17:46 UTC
;     dbname: tienda
;
3400; 1262 16384 DATABASE - tienda dueno
2; 3079 16385 EXTENSION - pgcrypto 
215; 1259 16390 TABLE public t dueno
216; 1259 16400 TABLE public con espacio dueno
217; 1259 16410 TABLE public partes dueno
218; 0 0 TABLE ATTACH public parte1 dueno
219; 1259 16420 VIEW public v dueno
3380; 0 16390 TABLE DATA public t dueno
3381; 0 16400 TABLE DATA public con espacio dueno
";

    #[test]
    fn tables_without_rows_are_those_that_are_defined_and_not_filled() {
        let contents = Contents::of_list(FULL);
        assert_eq!(contents.tables_without_rows(), ["public partes dueno"]);
        assert_eq!(contents.tables_with_rows(), 2);
        assert_eq!(contents.is_obviously_partial(), None);
    }

    #[test]
    fn incrementals_of_the_existing_system_are_parts() {
        let changed = "3380; 0 16390 TABLE DATA public t dueno\n";
        let unchanged =
            "2; 3079 16385 EXTENSION - pgcrypto \n3385; 0 0 COMMENT - EXTENSION pgcrypto \n";
        for list in [changed, unchanged, ""] {
            assert!(Contents::of_list(list).is_obviously_partial().is_some());
        }
        // Nothing but an extension that keeps rows in a table of its own.
        let extension =
            "2; 3079 1 EXTENSION - postgis \n9; 0 7 TABLE DATA public spatial_ref_sys o\n";
        assert_eq!(Contents::of_list(extension).is_obviously_partial(), None);
    }

    #[test]
    fn partitioned_tables_are_known_by_their_definition() {
        let sql = "--\n-- Name: t; Type: TABLE; Schema: public; Owner: dueno\n--\n\n\
                   CREATE TABLE public.t (\n    id integer\n);\n\n\
                   --\n-- Name: con espacio; Type: TABLE; Schema: s; Owner: dueno\n--\n\n\
                   CREATE TABLE s.\"con espacio\" (\n    id integer\n)\nPARTITION BY RANGE (id);\n";
        assert_eq!(
            partitioned(sql),
            HashSet::from(["s con espacio dueno".to_owned()])
        );
    }
}
