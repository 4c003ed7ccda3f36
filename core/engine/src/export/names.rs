//! Rows under the name their table has at the restore point. A table may have been renamed, or its
//! name given to another one, since its rows were dumped.

use respaldo_archive::{Entry, Text};
use respaldo_domain::manifest::TableEntry;
use respaldo_domain::table::{TableName, quote_identifier};

/// The entry of a table's rows as it must be now; `None` where it is that already.
pub(crate) fn renamed(entry: &Entry, table: &TableEntry) -> Option<Entry> {
    let now = loaded_into(table);
    let statement = entry.copy_stmt.as_ref().and_then(|text| text.as_str());
    let named = entry.tag == *table.name.name.as_str()
        && entry
            .namespace
            .as_ref()
            .is_some_and(|schema| *schema == *table.name.schema.as_str());
    if named && statement.and_then(copied_into).as_ref() == Some(now) {
        return None;
    }
    Some(Entry {
        tag: Text::from(table.name.name.as_str()),
        namespace: Some(Text::from(table.name.schema.as_str())),
        copy_stmt: Some(Text::from(copy_statement(now, table).as_str())),
        ..entry.clone()
    })
}

/// Rows of some partitions must be loaded through their root.
fn loaded_into(table: &TableEntry) -> &TableName {
    table.load_via.as_ref().unwrap_or(&table.name)
}

fn copy_statement(into: &TableName, table: &TableEntry) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| quote_identifier(&column.name))
        .collect();
    let (schema, name) = (quote_identifier(&into.schema), quote_identifier(&into.name));
    match columns.is_empty() {
        true => format!("COPY {schema}.{name}  FROM stdin;\n"),
        false => format!(
            "COPY {schema}.{name} ({}) FROM stdin;\n",
            columns.join(", ")
        ),
    }
}

/// The table of `COPY schema.table (columns) FROM stdin`.
fn copied_into(statement: &str) -> Option<TableName> {
    let (schema, rest) = identifier(statement.strip_prefix("COPY ")?)?;
    let (name, _) = identifier(rest.strip_prefix('.')?)?;
    Some(TableName { schema, name })
}

/// One identifier, quoted or not, and what follows it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(['.', ' '])?;
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        let Some(more) = after.strip_prefix('"') else {
            return Some((name, after));
        };
        name.push('"');
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_a_copy_statement_is_found_whatever_its_name() {
        for (statement, schema, name) in [
            ("COPY public.t (id, v) FROM stdin;\n", "public", "t"),
            ("COPY public.none  FROM stdin;\n", "public", "none"),
            (
                "COPY \"a.b\".\"say \"\"x\"\" (\" (id) FROM stdin;\n",
                "a.b",
                "say \"x\" (",
            ),
        ] {
            assert_eq!(copied_into(statement), Some(TableName::new(schema, name)));
        }
        assert_eq!(copied_into("SELECT 1"), None);
    }
}
