//! Columns of a COPY statement as pg_dump writes it.

/// The columns of `COPY schema.table (a, "b c") FROM stdin;`; `None` when it is something else.
/// A table without columns has no list.
pub(crate) fn of_copy(statement: &str) -> Option<Vec<String>> {
    let (_, rest) = identifier(statement.strip_prefix("COPY ")?)?;
    let (_, rest) = identifier(rest.strip_prefix('.')?)?;
    let rest = rest.trim_start();
    let Some(mut rest) = rest.strip_prefix('(') else {
        return rest.starts_with("FROM").then(Vec::new);
    };
    let mut columns = Vec::new();
    loop {
        let (column, after) = identifier(rest)?;
        columns.push(column);
        match after.strip_prefix(", ") {
            Some(more) => rest = more,
            None => return after.starts_with(") FROM").then_some(columns),
        }
    }
}

/// One identifier, quoted or not, and what follows it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text
            .find(|c: char| ".,() ".contains(c))
            .filter(|&end| end > 0)?;
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        let Some(more) = rest.strip_prefix('"') else {
            return Some((name, rest));
        };
        name.push('"');
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_whatever_their_names() {
        let columns = |text| of_copy(text).unwrap();
        assert_eq!(columns("COPY public.t (id, v) FROM stdin;\n"), ["id", "v"]);
        let weird = "COPY \"a.(b\".\"say \"\"x\"\"\" (\"a, b\", \"c) FROM\", d$) FROM stdin;\n";
        assert_eq!(columns(weird), ["a, b", "c) FROM", "d$"]);
        assert!(columns("COPY public.none  FROM stdin;\n").is_empty());
        assert_eq!(of_copy("SELECT 1"), None);
    }
}
