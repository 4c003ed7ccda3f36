//! Columns of a COPY statement as pg_dump writes it.

/// The columns of `COPY schema.table (a, "b c") FROM stdin;`; `None` when it is something else.
/// A table without columns has no list.
pub(crate) fn of_copy(statement: &str) -> Option<Vec<String>> {
    let (_, rest) = identifier(statement.strip_prefix("COPY ")?)?;
    let (_, rest) = identifier(rest.strip_prefix('.')?)?;
    let rest = rest.trim_start();
    let Some(rest) = rest.strip_prefix('(') else {
        return rest.starts_with("FROM").then(Vec::new);
    };
    let (columns, rest) = list(rest)?;
    rest.starts_with(") FROM").then_some(columns)
}

/// The columns of a primary key, of the definition that pg_dump writes: `ALTER TABLE ONLY s.t ADD CONSTRAINT k PRIMARY
/// KEY (a, b);`. `None` when it is something else.
pub fn of_primary_key(definition: &str) -> Option<Vec<String>> {
    let rest = definition.strip_prefix("ALTER TABLE ")?;
    let rest = rest.strip_prefix("ONLY ").unwrap_or(rest);
    let (_, rest) = identifier(rest)?;
    let (_, rest) = identifier(rest.strip_prefix('.')?)?;
    let (_, rest) = identifier(rest.trim_start().strip_prefix("ADD CONSTRAINT ")?)?;
    let (columns, rest) = list(rest.strip_prefix(" PRIMARY KEY (")?)?;
    rest.starts_with(')').then_some(columns)
}

/// Identifiers with commas between them, and what follows the last.
fn list(mut rest: &str) -> Option<(Vec<String>, &str)> {
    let mut names = Vec::new();
    loop {
        let (name, after) = identifier(rest)?;
        names.push(name);
        match after.strip_prefix(", ") {
            Some(more) => rest = more,
            None => return Some((names, after)),
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

    #[test]
    fn a_primary_key_is_told_from_other_definitions() {
        let key =
            "ALTER TABLE ONLY public.\"a.b\"\n    ADD CONSTRAINT k PRIMARY KEY (id, \"x, y\");\n";
        assert_eq!(of_primary_key(key).unwrap(), ["id", "x, y"]);
        let with_more = "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT k PRIMARY KEY (a) INCLUDE (b);\n";
        assert_eq!(of_primary_key(with_more).unwrap(), ["a"]);
        let unique = "ALTER TABLE ONLY s.t\n    ADD CONSTRAINT k UNIQUE (a);\n";
        assert_eq!(of_primary_key(unique), None);
    }
}
