//! The words of the pages: in both languages, each used, and no word of the code beside them.

use std::collections::BTreeSet;

use super::sources::{files, literals, none, words};

/// Groups of words whose code the wire has: `term('state', code)`.
fn groups(text: &str) -> impl Iterator<Item = String> {
    text.split("term('")
        .skip(1)
        .filter_map(|rest| Some(format!("{}.", rest.split('\'').next()?)))
}

/// Whether the code asks for a text by this key.
fn is_asked_for(text: &str, key: &str) -> bool {
    let call = format!("t('{key}'");
    let mut calls = text.match_indices(&call);
    calls.any(|(at, _)| {
        !text[..at].ends_with(|before: char| before.is_alphanumeric() || before == '.')
    })
}

/// Without the form of a number.
fn stem(key: &str) -> &str {
    key.strip_suffix(".one")
        .or_else(|| key.strip_suffix(".other"))
        .unwrap_or(key)
}

fn holes(text: &str) -> BTreeSet<&str> {
    let parts = text.split('{').skip(1);
    parts.filter_map(|part| part.split('}').next()).collect()
}

#[test]
fn both_languages_have_the_same_words_with_the_same_holes() {
    let (english, spanish) = (words("en"), words("es"));
    let mut offenders = BTreeSet::new();
    for (key, text) in &english {
        let other = spanish.get(key);
        if other.is_none_or(|other| holes(text) != holes(other)) {
            offenders.insert(format!("{key}: {text} | {other:?}"));
        }
    }
    let missing = spanish.keys().filter(|key| !english.contains_key(*key));
    offenders.extend(missing.map(|key| format!("{key} is missing in English")));
    let half = english
        .keys()
        .filter(|key| key.strip_suffix(".one").is_some());
    let half = half.filter(|key| !english.contains_key(&format!("{}.other", stem(key))));
    offenders.extend(half.map(|key| format!("{key} has no form for many")));
    none(&offenders, "words");
}

#[test]
fn every_word_is_used_and_every_word_used_is_there() {
    let known = words("en");
    let stems: BTreeSet<&str> = known.keys().map(|key| stem(key)).collect();
    let mut used = BTreeSet::new();
    let mut prefixes = BTreeSet::new();
    let mut missing = BTreeSet::new();
    for (path, text) in files(".js") {
        prefixes.extend(groups(&text));
        for (line, literal) in literals(&text) {
            // A key stands alone, or a template begins with all of it but its last part: `level.${code}`.
            if stems.contains(literal.as_str()) || known.contains_key(&literal) {
                used.insert(literal);
            } else if literal.ends_with('.') && known.keys().any(|key| key.starts_with(&literal)) {
                prefixes.insert(literal);
            } else if is_asked_for(&text, &literal) {
                missing.insert(format!("{path}:{line}: {literal}"));
            }
        }
    }
    none(&missing, "words that are used and not there");
    let is_used = |key: &str| {
        used.contains(key)
            || used.contains(stem(key))
            || prefixes.iter().any(|prefix| key.starts_with(prefix))
    };
    let unused: BTreeSet<String> = known.keys().filter(|key| !is_used(key)).cloned().collect();
    none(&unused, "words that nobody uses");
}

/// Keys of keyboards, headers, units and names of programs: the same in every language.
const NO_WORDS: [&str; 14] = [
    "Escape",
    "Accept",
    "Accept-Language",
    "Content-Type",
    "Retry-After",
    "X-CSRF-Token",
    "Idempotency-Key",
    "AbortError",
    "B",
    "KB",
    "MB",
    "GB",
    "TB",
    "UTC",
];

/// Whether a text is for people: words with a blank between them, or one that begins as a sentence does.
fn is_for_people(text: &str) -> bool {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let is_word = |part: &&str| {
        part.chars().count() > 1
            && part
                .chars()
                .all(|c| c.is_alphabetic() || ".,:;?!…".contains(c))
    };
    let sentence = parts
        .windows(2)
        .any(|pair| is_word(&pair[0]) && is_word(&pair[1]));
    let mut letters = text.chars();
    let named = letters.next().is_some_and(char::is_uppercase)
        && letters.next().is_some_and(char::is_lowercase);
    sentence || named
}

#[test]
fn no_text_for_people_stands_in_the_code() {
    let mut offenders = BTreeSet::new();
    for (path, text) in files(".js") {
        for (line, literal) in literals(&text) {
            if is_for_people(&literal) && !NO_WORDS.contains(&literal.as_str()) {
                offenders.insert(format!("{path}:{line}: {literal}"));
            }
        }
    }
    let page = &files(".html")["index.html"];
    let body = page.split("<body>").nth(1).unwrap();
    let shown: String = body
        .split('>')
        .filter_map(|part| part.split('<').next())
        .collect();
    if !shown.trim().is_empty() {
        offenders.insert(format!("index.html: {}", shown.trim()));
    }
    none(&offenders, "texts that want to be in messages/");
}

#[test]
fn a_text_for_people_is_known_when_it_is_seen() {
    for text in ["Delete the backup", "try again", "Save"] {
        assert!(is_for_people(text), "{text}");
    }
    for text in [
        "FULL",
        "backups",
        "M0 0L",
        "page.overview",
        "aria-label",
        "status",
    ] {
        assert!(!is_for_people(text), "{text}");
    }
}
