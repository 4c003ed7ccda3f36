//! Schemas of which pg_dump writes definitions alone, told by one pattern instead of a name for each
//! table. The values of their sequences, which the pattern leaves out with the rows, are read and added
//! here: the same entries at the same place as pg_dump would have written.

use std::collections::{BTreeSet, HashMap, HashSet};

use respaldo_archive::{Entry, Offset, Section, Text, Toc};
use respaldo_domain::table::TableName;
use respaldo_engine::ports::{DumpRequest, Fault, FaultKind};

use super::catalog::Relations;
use super::merge::{among, next_id};
use super::sequences::Value;
use super::{faults, plan, sequence_values};

const SEQUENCE_SET: &str = "SEQUENCE SET";

/// The schemas, and where sequences stand.
#[derive(Debug, Default)]
pub(super) struct BareSchemas {
    pub(super) schemas: BTreeSet<String>,
    values: HashMap<TableName, Value>,
}

impl BareSchemas {
    /// Those of this dump; none where the values of sequences cannot be read: each table is then named.
    pub(super) fn of(request: &DumpRequest, relations: &Relations) -> Self {
        let schemas = plan::bare_schemas(request, relations);
        if schemas.is_empty() {
            return Self::default();
        }
        let all = |values| Self { schemas, values };
        sequence_values(request).map(all).unwrap_or_default()
    }

    /// Adds an entry for each sequence that has a definition and may be read.
    pub(super) fn add_values(&self, toc: &mut Toc, relations: &Relations) -> Result<(), Fault> {
        if self.schemas.is_empty() {
            return Ok(());
        }
        let unreadable: HashSet<&TableName> = relations.unreadable_sequences.iter().collect();
        let mut added = Vec::new();
        let mut id = toc.next_dump_id().map_err(faults::of_archive)?;
        for definition in toc.entries.iter().filter(|entry| entry.is("SEQUENCE")) {
            let name = TableName::new(
                text(definition.namespace.as_ref()),
                text(Some(&definition.tag)),
            );
            if !self.schemas.contains(&name.schema) || unreadable.contains(&name) {
                continue;
            }
            let Some(value) = self.values.get(&name) else {
                let what = format!("where sequence {name} stands was not read");
                return Err(Fault::bare(FaultKind::Internal, what));
            };
            added.push(entry(definition, value, id));
            id = next_id(id)?;
        }
        // Definitions come in an order in which each finds what it needs, values by their names.
        added.sort_by(|a, b| (&a.namespace, &a.tag).cmp(&(&b.namespace, &b.tag)));
        let comes_after = |entry: &Entry| entry.section == Section::PostData || entry.is("BLOBS");
        let place = toc.entries.iter().position(comes_after);
        let after = toc.entries.split_off(place.unwrap_or(toc.entries.len()));
        let there = std::mem::take(&mut toc.entries);
        toc.entries = among(there, added, |entry| entry.is(SEQUENCE_SET));
        toc.entries.extend(after);
        Ok(())
    }
}

/// Nothing that is in no schema, or no text, is among the names that were read.
fn text(name: Option<&Text>) -> &str {
    name.and_then(|name| name.as_str()).unwrap_or_default()
}

/// As pg_dump writes it: what it does not say is NULL.
fn entry(definition: &Entry, value: &Value, dump_id: i32) -> Entry {
    let Value {
        quoted,
        last,
        is_called,
    } = value;
    let name = quoted.replace('\'', "''");
    let statement = format!("SELECT pg_catalog.setval('{name}', {last}, {is_called});\n");
    Entry {
        dump_id,
        had_dumper: false,
        table_oid: 0,
        oid: 0,
        desc: Text::from(SEQUENCE_SET),
        section: Section::Data,
        defn: Some(Text::from(statement)),
        drop_stmt: None,
        copy_stmt: None,
        dependencies: vec![definition.dump_id],
        offset: Offset::NoData,
        tablespace: None,
        table_am: None,
        relkind: definition.relkind.map(|_| 0),
        ..definition.clone()
    }
}
