//! The list of change detection's scenarios in tests/README.md is whole, and names real tests.

use crate::none;
use crate::sources::{Source, all_texts};

/// How many scenarios there are.
const SCENARIOS: usize = 80;

/// The table whose lines all detectors play.
const PLAYED: &str = "plugins/detectors/tests/suite/scenarios.rs";

/// The numbered lines of the list: number and the column that names the tests.
fn listed(readme: &str) -> Vec<(usize, &str)> {
    readme
        .lines()
        .filter_map(|line| {
            let mut columns = line.trim_matches('|').split(" | ");
            let number = columns.next()?.trim().parse().ok()?;
            Some((number, columns.last()?))
        })
        .collect()
}

/// Whatever stands between two marks.
fn between(text: &str, mark: char) -> Vec<&str> {
    text.split(mark).skip(1).step_by(2).collect()
}

/// Whether the module that `path` names (`suite::module::test`) has that test.
fn is_test(sources: &[Source], path: &str) -> bool {
    let Some((module, test)) = path.rsplit_once("::") else {
        return false;
    };
    let file = format!("/{}.rs", module.rsplit("::").next().unwrap_or(module));
    let head = format!("fn {test}(");
    let mut files = sources.iter().filter(|source| source.path.ends_with(&file));
    files.any(|source| source.text.contains(&head))
}

#[test]
fn each_scenario_of_change_detection_has_a_test_that_exists() {
    let sources = all_texts();
    let text_of = |path: &str| {
        let found = sources.iter().find(|source| source.path == path);
        found.map(|source| source.text.as_str()).unwrap()
    };
    let listed = listed(text_of("tests/README.md"));
    let numbers: Vec<usize> = listed.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=SCENARIOS).collect::<Vec<_>>());
    let played = text_of(PLAYED);
    let mut offenders = Vec::new();
    for (number, tests) in listed {
        let (paths, lines) = (between(tests, '`'), between(tests, '"'));
        let nowhere = paths.iter().filter(|path| !is_test(&sources, path));
        let unplayed = lines
            .iter()
            .filter(|line| !played.contains(&format!("\"{line}\"")));
        offenders.extend(
            nowhere
                .chain(unplayed)
                .map(|name| format!("{number}: {name}")),
        );
        if paths.is_empty() && lines.is_empty() {
            offenders.push(format!("{number}: no test"));
        }
    }
    none(
        &offenders,
        "scenarios in tests/README.md whose test is not there",
    );
}
