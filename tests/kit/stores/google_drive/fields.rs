//! The parameter `fields`: what of an answer is wanted.

use serde_json::{Map, Value};

/// What is wanted of an answer; `None` where the text is not understood, or names what is not there
/// (which Google refuses, too).
pub(super) fn select(answer: &Value, fields: &str, known: &[&str]) -> Option<Value> {
    if fields == "*" {
        return Some(answer.clone());
    }
    let mut selected = Map::new();
    for field in split(fields)? {
        let (name, inner) = match field.split_once('(') {
            Some((name, inner)) => (name, Some(inner.strip_suffix(')')?)),
            None => (field, None),
        };
        if !known.contains(&name) {
            return None;
        }
        let Some(value) = answer.get(name) else {
            continue;
        };
        let value = match (inner, value) {
            (None, value) => value.clone(),
            (Some(inner), Value::Array(items)) => {
                let items = items.iter().map(|item| select(item, inner, known));
                Value::Array(items.collect::<Option<_>>()?)
            }
            (Some(inner), value) => select(value, inner, known)?,
        };
        selected.insert(name.to_owned(), value);
    }
    Some(Value::Object(selected))
}

/// The parts between the commas that stand in no parentheses.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut depth, mut begin, mut parts) = (0_usize, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    (depth == 0).then_some(parts)
}
