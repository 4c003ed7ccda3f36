//! Names as patterns of pg_dump that match nothing else, or all of a schema.
//!
//! Inside double quotes everything is literal, so a quoted name is an exact pattern. One pattern
//! per name: for that the server uses an index. An alternation of many names in one pattern is a
//! regular expression tried on every relation - minutes, where these take seconds.

use respaldo_domain::table::{TableName, quote_identifier};

/// Of each argument: its bytes, the end mark and the pointer to it.
const OVERHEAD: usize = 1 + size_of::<usize>();

/// An option with a relation's exact pattern.
pub(super) fn of_relation(option: &str, name: &TableName) -> String {
    let (schema, name) = (quote_identifier(&name.schema), quote_identifier(&name.name));
    format!("--{option}={schema}.{name}")
}

/// An option with the pattern of all relations of a schema.
pub(super) fn of_all_in(option: &str, schema: &str) -> String {
    format!("--{option}={}.*", quote_identifier(schema))
}

/// An option with a schema's exact pattern.
pub(super) fn of_schema(option: &str, schema: &str) -> String {
    format!("--{option}={}", quote_identifier(schema))
}

/// What arguments take of the space the operating system gives.
pub(super) fn space<'a>(arguments: impl IntoIterator<Item = &'a String>) -> usize {
    // Windows counts its own way: every quote gets a backslash.
    let one = |argument: &String| {
        let quotes = if cfg!(windows) {
            argument.matches('"').count() + 2
        } else {
            0
        };
        argument.len() + quotes + OVERHEAD
    };
    arguments.into_iter().map(one).sum()
}
