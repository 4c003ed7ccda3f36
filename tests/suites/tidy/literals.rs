//! String literals of Rust code: enough of a lexer to tell them from comments, characters and
//! lifetimes.

/// Every string literal with the line it begins on.
pub fn of(text: &str) -> Vec<(usize, String)> {
    let bytes: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        at = match bytes[at] {
            '/' if next_is(&bytes, at, '/') => skip_to(&bytes, at, "\n"),
            '/' if next_is(&bytes, at, '*') => skip_to(&bytes, at, "*/"),
            '\'' => after_quote(&bytes, at),
            'r' if is_raw(&bytes, at) => raw(&bytes, at, &mut found),
            '"' => plain(&bytes, at, &mut found),
            _ => at + 1,
        };
    }
    found
}

fn next_is(text: &[char], at: usize, wanted: char) -> bool {
    text.get(at + 1) == Some(&wanted)
}

fn skip_to(text: &[char], from: usize, end: &str) -> usize {
    let end: Vec<char> = end.chars().collect();
    let found = (from + 1..text.len()).find(|at| text[*at..].starts_with(&end));
    found.map_or(text.len(), |at| at + end.len())
}

/// After a character literal, or after the mark of a lifetime.
fn after_quote(text: &[char], at: usize) -> usize {
    match (text.get(at + 1), text.get(at + 2)) {
        (Some('\\'), _) => skip_to(text, at + 2, "'"),
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

fn is_raw(text: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    let in_word = before.is_some_and(|c| c.is_alphanumeric() && *c != 'b' || *c == '_');
    let hashes = text[at + 1..].iter().take_while(|c| **c == '#').count();
    !in_word && text.get(at + 1 + hashes) == Some(&'"')
}

fn raw(text: &[char], at: usize, found: &mut Vec<(usize, String)>) -> usize {
    let hashes = text[at + 1..].iter().take_while(|c| **c == '#').count();
    let begin = at + 2 + hashes;
    let end = skip_to(text, begin - 1, &format!("\"{}", "#".repeat(hashes)));
    found.push((
        line_of(text, at),
        text[begin..(end - 1 - hashes).max(begin)].iter().collect(),
    ));
    end
}

fn plain(text: &[char], at: usize, found: &mut Vec<(usize, String)>) -> usize {
    let mut end = at + 1;
    while end < text.len() && text[end] != '"' {
        end += if text[end] == '\\' { 2 } else { 1 };
    }
    found.push((
        line_of(text, at),
        text[at + 1..end.min(text.len())].iter().collect(),
    ));
    end + 1
}

fn line_of(text: &[char], at: usize) -> usize {
    text[..at].iter().filter(|c| **c == '\n').count() + 1
}

#[test]
fn literals_are_told_from_everything_else() {
    let text = "// \"no\"\nlet a: &'a str = \"one\"; /* \"no\" */ let c = '\"';\nf(r#\"tw\"o\"#, \"th\\\"ree\", '\\'', \"\")";
    let found = of(text);
    let words: Vec<&str> = found.iter().map(|(_, word)| word.as_str()).collect();
    assert_eq!(words, ["one", "tw\"o", "th\\\"ree", ""]);
    assert_eq!(found[1].0, 3);
}
