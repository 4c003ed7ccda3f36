//! The parameter `q`: terms joined by `and`.

use super::state::Entry;

/// A search.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Query(Vec<Term>);

#[derive(Debug, PartialEq, Eq)]
enum Term {
    Parent(String),
    Name(String),
    NameBegins(String),
    Trashed(bool),
    Type(String),
    OtherType(String),
    Property(String, String),
}

impl Query {
    /// `None` where it is not understood.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mut terms, mut rest) = (Vec::new(), text.trim());
        while !rest.is_empty() {
            let (term, after) = term(rest)?;
            terms.push(term);
            rest = match after.trim_start() {
                "" => "",
                after => after.strip_prefix("and ")?.trim_start(),
            };
        }
        Some(Self(terms))
    }

    /// Folders in which it searches.
    pub(super) fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|term| match term {
            Term::Parent(id) => Some(id.as_str()),
            _ => None,
        })
    }

    /// Whether a file is found; by name only where the index of names has it.
    pub(super) fn finds(&self, entry: &Entry, names_lag: bool) -> bool {
        self.0.iter().all(|term| match term {
            Term::Parent(id) => entry.parent == *id,
            Term::Name(name) => !names_lag && entry.name.eq_ignore_ascii_case(name),
            Term::NameBegins(name) => !names_lag && entry.name.starts_with(name),
            Term::Trashed(trashed) => entry.trashed == *trashed,
            Term::Type(mime) => entry.mime_type == *mime,
            Term::OtherType(mime) => entry.mime_type != *mime,
            Term::Property(name, value) => entry.properties.get(name) == Some(value),
        })
    }
}

type MakeTerm = fn(String) -> Term;

fn term(text: &str) -> Option<(Term, &str)> {
    if text.starts_with('\'') {
        let (id, rest) = quoted(text)?;
        return Some((
            Term::Parent(id),
            rest.trim_start().strip_prefix("in parents")?,
        ));
    }
    if let Some(rest) = text.strip_prefix("trashed") {
        let rest = operator(rest, "=")?;
        return match rest.strip_prefix("true") {
            Some(rest) => Some((Term::Trashed(true), rest)),
            None => Some((Term::Trashed(false), rest.strip_prefix("false")?)),
        };
    }
    if let Some(rest) = text.strip_prefix("appProperties") {
        let rest = operator(operator(rest, "has")?, "{")?;
        let (name, rest) = quoted(operator(rest.strip_prefix("key")?, "=")?)?;
        let rest = operator(rest, "and")?.strip_prefix("value")?;
        let (value, rest) = quoted(operator(rest, "=")?)?;
        return Some((Term::Property(name, value), operator(rest, "}")?));
    }
    let fields: [(&str, &str, MakeTerm); 4] = [
        ("name", "=", Term::Name),
        ("name", "contains", Term::NameBegins),
        ("mimeType", "=", Term::Type),
        ("mimeType", "!=", Term::OtherType),
    ];
    fields.into_iter().find_map(|(field, sign, make)| {
        let (value, rest) = quoted(operator(text.strip_prefix(field)?, sign)?)?;
        Some((make(value), rest))
    })
}

fn operator<'a>(text: &'a str, sign: &str) -> Option<&'a str> {
    Some(text.trim_start().strip_prefix(sign)?.trim_start())
}

/// A text in single quotes, in which a backslash takes its meaning from what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.strip_prefix('\'')?.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Some((value, &text[at + 2..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[test]
fn terms_are_understood_and_nonsense_is_not() {
    let text = r"'f1' in parents and trashed = false and name='it\'s and' and mimeType != 'a/b' and appProperties has { key='k' and value='v' }";
    let expected = [
        Term::Parent("f1".into()),
        Term::Trashed(false),
        Term::Name("it's and".into()),
        Term::OtherType("a/b".into()),
        Term::Property("k".into(), "v".into()),
    ];
    assert_eq!(Query::parse(text), Some(Query(expected.into())));
    for bad in [
        "name",
        "name = x",
        "size > 3",
        "name = 'a' or name = 'b'",
        "trashed = maybe",
    ] {
        assert_eq!(Query::parse(bad), None, "{bad}");
    }
}
