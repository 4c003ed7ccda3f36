//! Two spellings of one expression that a dump and restore turn into each other.
//!
//! `x IN ('a', 'b')` over a varchar column is stored as `(ARRAY['a'::character varying, ...])::text[]`;
//! what pg_dump prints of it is parsed into `ARRAY[('a'::character varying)::text, ...]`, which then
//! stays. Both mean the same, so the oracle knows only the second.

const OPEN: &str = "(ARRAY[";
const CLOSE: &str = "])::text[]";
const TYPE: &str = "::character varying";

/// `definition` with the second spelling everywhere.
pub(super) fn canonical(definition: &str) -> String {
    let mut pieces = definition.split(OPEN);
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |done, piece| match literals(piece) {
        Some((literals, rest)) => {
            let cast: Vec<_> = literals
                .iter()
                .map(|l| format!("({l}{TYPE})::text"))
                .collect();
            format!("{done}ARRAY[{}]{rest}", cast.join(", "))
        }
        None => format!("{done}{OPEN}{piece}"),
    })
}

/// The literals before the closing bracket, and what comes behind it; `None` when there is anything else.
fn literals(text: &str) -> Option<(Vec<&str>, &str)> {
    let (mut found, mut rest) = (Vec::new(), text);
    loop {
        let end = literal_end(rest)?;
        found.push(&rest[..end]);
        rest = rest[end..].strip_prefix(TYPE)?;
        if let Some(behind) = rest.strip_prefix(CLOSE) {
            return Some((found, behind));
        }
        rest = rest.strip_prefix(", ")?;
    }
}

/// Where the quoted literal at the start of `text` ends; doubled quotes belong to it.
fn literal_end(text: &str) -> Option<usize> {
    let mut at = text.strip_prefix('\'').map(|_| 1)?;
    loop {
        at += text[at..].find('\'')? + 1;
        if !text[at..].starts_with('\'') {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn both_spellings_of_a_list_become_one() {
        let second =
            "ARRAY[('it''s, x'::character varying)::text, (''::character varying)::text] z";
        assert_eq!(
            canonical("(ARRAY['it''s, x'::character varying, ''::character varying])::text[] z"),
            second
        );
        assert_eq!(canonical(second), second);
    }

    #[test]
    fn any_other_array_stays_as_it_is() {
        for text in [
            "(ARRAY[1, 2])::text[]",
            "(ARRAY['a'::character varying, b])::text[]",
            "(ARRAY['a",
        ] {
            assert_eq!(canonical(text), text);
        }
    }
}
