//! The files of the pages, as the rules see them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Longest file of the pages, in lines.
const MAX_LINES: usize = 400;

/// The folder of the pages.
fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    root.join("core/panel/web")
}

/// The files with an ending, by their path in the folder.
pub fn files(ending: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    walk(&folder(), "", ending, &mut found);
    assert!(!found.is_empty(), "no {ending} in {}", folder().display());
    found
}

fn walk(folder: &Path, prefix: &str, ending: &str, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), &format!("{path}/"), ending, found);
        } else if path.ends_with(ending) {
            found.insert(path, fs::read_to_string(entry.path()).unwrap());
        }
    }
}

/// The words of a language.
pub fn words(language: &str) -> BTreeMap<String, String> {
    let path = folder().join(format!("messages/{language}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// String literals of JavaScript, with the line of each. Templates come in the pieces between their holes.
pub fn literals(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut line = 1;
    // Depth of braces at which a hole of a template ends.
    let mut holes: Vec<usize> = Vec::new();
    let mut depth = 0;
    let mut before = '\n';
    while let Some(next) = rest.chars().next() {
        let skipped = match next {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            // An expression between slashes stands where a value would; a division stands after one.
            '/' if "(,=:[!&|?{;\n".contains(before) => after(rest, "/"),
            '\'' | '"' => {
                let end = after(rest, &next.to_string());
                found.push((line, rest[1..end - 1].to_owned()));
                end
            }
            '`' => template(rest, 1, line, &mut found, &mut holes, depth),
            '}' if holes.last() == Some(&depth) => {
                holes.pop();
                template(rest, 1, line, &mut found, &mut holes, depth)
            }
            '{' => {
                depth += 1;
                1
            }
            '}' => {
                depth -= 1;
                1
            }
            other => other.len_utf8(),
        };
        line += rest[..skipped].matches('\n').count();
        if !next.is_whitespace() {
            before = next;
        }
        rest = &rest[skipped..];
    }
    found
}

/// A piece of a template from its opening to its end or its next hole; gives the length.
fn template(
    text: &str,
    from: usize,
    line: usize,
    found: &mut Vec<(usize, String)>,
    holes: &mut Vec<usize>,
    depth: usize,
) -> usize {
    let (hole, end) = (
        text[from..].find("${"),
        text[from..].find('`').unwrap_or(text.len() - from),
    );
    if let Some(hole) = hole.filter(|hole| *hole < end) {
        found.push((line, text[from..from + hole].to_owned()));
        holes.push(depth);
        return from + hole + 2;
    }
    found.push((line, text[from..from + end].to_owned()));
    from + end + 1
}

/// The length of a literal that begins with `mark`, both marks included.
fn after(text: &str, mark: &str) -> usize {
    let mut at = 1;
    while at < text.len() && !text[at..].starts_with(mark) {
        at += if text[at..].starts_with('\\') {
            2
        } else {
            text[at..].chars().next().map_or(1, char::len_utf8)
        };
    }
    (at + 1).min(text.len())
}

/// Names of files, each with what is wrong in it.
pub fn none(offenders: &BTreeSet<String>, rule: &str) {
    let list: Vec<&str> = offenders.iter().map(String::as_str).collect();
    assert!(offenders.is_empty(), "{rule}:\n  {}", list.join("\n  "));
}

#[test]
fn literals_are_told_from_everything_else() {
    let text = "// 'no'\nlet a = 'one' + `two ${b ? 'three' : `${x}`} four`; /* \"no\" */ c(/'no'/g, \"fi\\\"ve\");";
    let found: Vec<String> = literals(text).into_iter().map(|(_, word)| word).collect();
    assert_eq!(found, ["one", "two ", "three", "", "", " four", "fi\\\"ve"]);
}

#[test]
fn every_file_says_what_it_is_and_is_no_longer_than_a_reader_can_keep_in_mind() {
    let mut offenders = BTreeSet::new();
    for (ending, head) in [(".js", "// "), (".css", "/* "), (".svg", "<!-- ")] {
        for (path, text) in files(ending) {
            if !text.starts_with(head) {
                offenders.insert(format!("{path} has no head"));
            }
            if text.lines().count() > MAX_LINES {
                offenders.insert(format!("{path} has more than {MAX_LINES} lines"));
            }
        }
    }
    none(&offenders, "files of the pages");
}

#[test]
fn nothing_makes_markup_of_text_and_nothing_is_styled_in_place() {
    let words = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "DOMParser",
        "createContextualFragment",
        "eval(",
        "new Function",
        ".style.",
        "setAttribute('style'",
        "cssText",
        "http://",
        "https://",
    ];
    let mut offenders = BTreeSet::new();
    for (path, text) in files(".js") {
        let lines = text.lines().enumerate();
        let words_of = |line: &str| words.iter().find(|word| line.contains(**word)).copied();
        // The name of a language of drawings is no address.
        let lines = lines.filter(|(_, line)| !line.contains("www.w3.org"));
        offenders.extend(
            lines.filter_map(|(at, line)| Some(format!("{path}:{}: {}", at + 1, words_of(line)?))),
        );
    }
    let page = &files(".html")["index.html"];
    for word in ["style=", "onclick", "onload", "<style", "http:", "https:"] {
        if page.contains(word) {
            offenders.insert(format!("index.html: {word}"));
        }
    }
    none(&offenders, "dangerous ways");
}
