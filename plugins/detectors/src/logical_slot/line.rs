//! The lines of test_decoding. Pure.
//!
//! A line names the tables in front, values follow, and those may hold anything: colons, quotes,
//! line breaks. So a line is read from its beginning, by the rules of `quote_identifier`, and
//! only as far as the names go.

use respaldo_domain::table::TableName;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'l> {
    /// A transaction's lines follow.
    Begin(u32),
    /// They are over, and it has committed.
    Commit(u32),
    /// Somebody's message, within a transaction or not.
    Message,
    /// Rows of these tables changed: their names as they stand in the line.
    Change(Vec<&'l str>),
}

/// What the line says; `None` when it is of no known form.
pub(super) fn read(line: &str) -> Option<Line<'_>> {
    if let Some(xid) = line.strip_prefix("BEGIN ") {
        return xid.parse().ok().map(Line::Begin);
    }
    if let Some(xid) = line.strip_prefix("COMMIT ") {
        return xid.parse().ok().map(Line::Commit);
    }
    if line.starts_with("message: transactional: ") {
        return Some(Line::Message);
    }
    let (names, rest) = names(line.strip_prefix("table ")?)?;
    let one = [": INSERT:", ": UPDATE:", ": DELETE:"];
    let of_one = names.len() == 1 && one.iter().any(|action| rest.starts_with(action));
    (of_one || rest.starts_with(": TRUNCATE:")).then_some(Line::Change(names))
}

/// The names at the start, separated by `, `, and what follows them.
fn names(text: &str) -> Option<(Vec<&str>, &str)> {
    let mut names = Vec::new();
    let mut rest = text;
    loop {
        let (_, after) = name(rest)?;
        names.push(&rest[..rest.len() - after.len()]);
        match after.strip_prefix(", ") {
            Some(more) => rest = more,
            None => return Some((names, after)),
        }
    }
}

/// The table of a name that [`read`] gave.
pub(super) fn table(text: &str) -> Option<TableName> {
    let (name, rest) = name(text)?;
    rest.is_empty().then_some(name)
}

fn name(text: &str) -> Option<(TableName, &str)> {
    let (schema, rest) = identifier(text)?;
    let (table, rest) = identifier(rest.strip_prefix('.')?)?;
    Some((TableName::new(schema, table), rest))
}

/// An identifier as `quote_identifier` prints it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let end = text.bytes().position(|b| !plain(b)).unwrap_or(text.len());
        let starts_well = text.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        return (end > 0 && starts_well).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return (!name.is_empty()).then_some((name, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(line: &str) -> Option<Vec<TableName>> {
        match read(line)? {
            Line::Change(names) => names.into_iter().map(table).collect(),
            _ => None,
        }
    }

    #[test]
    fn tables_are_read_whatever_their_names_and_the_values_hold() {
        let one = |schema, name| Some(vec![TableName::new(schema, name)]);
        for (line, expected) in [
            ("table public.t: INSERT: a[integer]:1", one("public", "t")),
            (
                "table public.t: DELETE: (no-tuple-data)",
                one("public", "t"),
            ),
            (
                "table public.t: UPDATE: v[text]:'x'\ntable public.u: INSERT: '",
                one("public", "t"),
            ),
            (
                "table public.\"a: INSERT: b\": UPDATE: v[text]:'y'",
                one("public", "a: INSERT: b"),
            ),
            (
                "table \"S\"\"q\".\"t\nu, v.w\": INSERT: a[integer]:1",
                one("S\"q", "t\nu, v.w"),
            ),
            (
                "table public.\"order\": INSERT: a[integer]:1",
                one("public", "order"),
            ),
            (
                "table \"ñandú\".\"día.1\": INSERT: a[integer]:1",
                one("ñandú", "día.1"),
            ),
        ] {
            assert_eq!(tables(line), expected, "{line}");
        }
    }

    #[test]
    fn a_truncate_names_several() {
        let expected = vec![TableName::new("a", "b"), TableName::new("a", "c, d")];
        let line = "table a.b, a.\"c, d\": TRUNCATE: (no-flags)";
        assert_eq!(tables(line), Some(expected));
    }

    #[test]
    fn transactions_and_messages_are_told_apart() {
        assert_eq!(read("BEGIN 7"), Some(Line::Begin(7)));
        assert_eq!(read("COMMIT 4294967295"), Some(Line::Commit(u32::MAX)));
        let message = "message: transactional: 1 prefix: p, sz: 9 content:table a.b: INSERT:";
        assert_eq!(read(message), Some(Line::Message));
    }

    #[test]
    fn what_is_not_understood_is_nothing() {
        for line in [
            "",
            "BEGIN",
            "BEGIN x",
            "COMMIT 1 (at 2026-11-28)",
            "PREPARE TRANSACTION 'a', txid 7",
            "opening a streamed block for transaction",
            "table t: INSERT: a[integer]:1",
            "table a.b: MERGE: a[integer]:1",
            "table a.b, a.c: INSERT: a[integer]:1",
            "table a.b",
            "table a.\"b: INSERT:",
            "table a.B: INSERT: x",
            "table a.1b: INSERT: x",
            "table a.\"\": INSERT: x",
            "table a.b : INSERT: x",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
