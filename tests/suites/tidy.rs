//! Rules of the code that no compiler holds. Each test is one rule and names every offender.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/literals.rs"]
mod literals;
#[path = "tidy/scenarios.rs"]
mod scenarios;
#[path = "tidy/sources.rs"]
mod sources;
#[path = "tidy/words.rs"]
mod words;

use sources::{Source, all_texts, product, rust};

/// Longest file, in lines. Think again at 500.
const MAX_LINES: usize = 600;

fn none(offenders: &[String], rule: &str) {
    assert!(
        offenders.is_empty(),
        "{rule}:\n  {}",
        offenders.join("\n  ")
    );
}

/// Lines of product code that hold one of `words`, as `path:line: word`.
fn lines_with(sources: &[Source], words: &[&str]) -> Vec<String> {
    let found = |source: &Source| {
        let lines: Vec<String> = source
            .product_lines()
            .filter_map(|(number, line)| {
                let word = words.iter().find(|word| line.contains(**word))?;
                Some(format!("{}:{number}: {word}", source.path))
            })
            .collect();
        lines
    };
    sources.iter().flat_map(found).collect()
}

#[test]
fn every_module_says_in_its_first_line_what_it_is() {
    let offenders: Vec<String> = rust()
        .into_iter()
        .filter(|source| !source.path.ends_with("/tests.rs"))
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.path)
        .collect();
    none(&offenders, "modules without a //! head");
}

#[test]
fn no_file_is_longer_than_a_reader_can_keep_in_mind() {
    let offenders: Vec<String> = rust()
        .iter()
        .map(|source| (source.text.lines().count(), &source.path))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, path)| format!("{path}: {lines}"))
        .collect();
    none(&offenders, "files that want to be two");
}

#[test]
fn outside_tests_nothing_panics_on_purpose() {
    let words = [
        ".unwrap()",
        ".expect(\"",
        ".expect(&",
        "panic!(",
        "todo!(",
        "unimplemented!(",
        "dbg!(",
    ];
    let offenders = lines_with(&product(), &words);
    // One exception, with its reason in the code: a machine that refuses to start threads.
    let runtime = "core/postgres/src/runtime.rs:";
    let offenders: Vec<String> = offenders
        .into_iter()
        .filter(|offender| !offender.starts_with(runtime))
        .collect();
    none(&offenders, "panics outside tests");
}

#[test]
fn exceptions_to_lints_give_a_reason_and_end_when_it_does() {
    let offenders = lines_with(&product(), &["#[allow(", "#![allow("]);
    none(&offenders, "use #[expect(..., reason = \"...\")]");
}

#[test]
fn nothing_is_left_for_later_in_the_code() {
    let words: Vec<String> = ["TO", "FIX", "XX"]
        .iter()
        .zip(["DO", "ME", "X"])
        .map(|(a, b)| format!("{a}{b}"))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    none(&lines_with(&rust(), &words), "marks of unfinished work");
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let roots: Vec<String> = ["wo", "fa", "ro", "Us"]
        .iter()
        .zip(["rk", "rm", "ot", "ers"])
        .map(|(a, b)| format!("/{a}{b}/"))
        .collect();
    let names_one = |line: &str| {
        let mut found = roots.iter().filter_map(|root| line.find(root.as_str()));
        found.any(|at| {
            !line[..at]
                .ends_with(|before: char| before.is_alphanumeric() || "./-_}".contains(before))
        })
    };
    let offenders: Vec<String> = all_texts()
        .iter()
        .flat_map(|source| {
            let lines = source
                .text
                .lines()
                .enumerate()
                .filter(|(_, line)| names_one(line));
            lines
                .map(|(at, _)| format!("{}:{}", source.path, at + 1))
                .collect::<Vec<_>>()
        })
        .collect();
    none(&offenders, "absolute paths of a developer's machine");
}

#[test]
fn only_the_program_writes_to_the_terminal() {
    let elsewhere: Vec<Source> = product()
        .into_iter()
        .filter(|source| !source.path.starts_with("core/app/"))
        .collect();
    let offenders = lines_with(
        &elsewhere,
        &["println!(", "eprintln!(", "print!(", "eprint!("],
    );
    none(&offenders, "libraries that print");
}
