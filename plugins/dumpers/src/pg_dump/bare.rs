//! Schemas of which pg_dump writes definitions alone, told by one pattern instead of a name for each
//! table. The values of their sequences, which the pattern leaves out with the rows, are read and added
//! here: the same entries at the same place as pg_dump would have written.

use std::collections::{BTreeSet, HashMap, HashSet};

use respaldo_archive::{Entry, Offset, Section, Text, Toc};
use respaldo_domain::table::TableName;
use respaldo_engine::ports::{DumpRequest, Fault, FaultKind};

use super::catalog::Relations;
use super::merge::{among, next_id};
use super::sequences::{Of, Value};
use super::{faults, plan, sequence_values};

const SEQUENCE_SET: &str = "SEQUENCE SET";

/// The schemas, and what their sequences are set to.
#[derive(Debug, Default)]
pub(super) struct BareSchemas {
    pub(super) schemas: BTreeSet<String>,
    values: HashMap<TableName, Value>,
}

impl BareSchemas {
    /// Those of this dump; none where the values of sequences cannot be read: each table is then named.
    pub(super) fn of(request: &DumpRequest, relations: &Relations) -> Self {
        let scope = request.tables.iter().map(|table| &table.name);
        let schemas = plan::bare_schemas(scope, relations);
        if schemas.is_empty() {
            return Self::default();
        }
        match sequence_values(request, Of::Schemas(&schemas)) {
            Some(values) => Self { schemas, values },
            None => Self::default(),
        }
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
            let Some(name) = self.name_of(definition) else {
                continue;
            };
            if unreadable.contains(&name) {
                continue;
            }
            let Some(value) = self.values.get(&name) else {
                let what = format!("sequence {name} was dropped, or may no longer be read");
                return Err(Fault::bare(FaultKind::SnapshotOvertaken, what));
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

    /// The name of what lies in one of the schemas.
    fn name_of(&self, entry: &Entry) -> Option<TableName> {
        let schema = entry.namespace.as_ref().and_then(|name| name.as_str());
        let schema = schema.filter(|schema| self.schemas.contains(*schema))?;
        Some(TableName::new(schema, String::from_utf8_lossy(&entry.tag)))
    }
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
