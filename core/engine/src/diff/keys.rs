//! The primary key of a table, out of the definitions of its backup.

use respaldo_archive::Toc;
use respaldo_domain::manifest::Manifest;
use respaldo_domain::table::TableName;

use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind};

/// Names of its columns, in the order of the key; `None` where it has none.
pub(super) fn primary_key(
    parts: &Parts,
    manifest: &Manifest,
    table: &TableName,
    cx: &Context,
) -> Result<Option<Vec<String>>, Fault> {
    let archive = manifest.definitions_in();
    let mut stream = parts.store.open_inside(&archive.key(), None, cx)?;
    let (toc, _) = Toc::read(&mut stream)
        .map_err(|e| Fault::new(FaultKind::Corrupt, format!("{archive} cannot be read"), e))?;
    let is_schema = |text: Option<&str>| text == Some(table.schema.as_str());
    let of_table = toc.entries.iter().filter(|entry| {
        let namespace = entry.namespace.as_ref().and_then(|text| text.as_str());
        let tag = entry.tag.as_str().unwrap_or_default();
        // The tag is the table's name, a space and the constraint's.
        let constraint = tag.strip_prefix(table.name.as_str());
        entry.is("CONSTRAINT")
            && is_schema(namespace)
            && constraint.is_some_and(|rest| rest.starts_with(' '))
    });
    let mut definitions = of_table.filter_map(|entry| entry.defn.as_ref()?.as_str());
    Ok(definitions.find_map(respaldo_archive::of_primary_key))
}
