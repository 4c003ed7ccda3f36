//! Which crate may know which: the arrows of ARCHITECTURE.md.

use std::collections::BTreeMap;
use std::fs;

use super::none;
use super::sources::{product, root};

/// Each crate of ours, its folder, and the crates of ours that it may depend on. Tests of a crate
/// may use more.
const LAYERS: &[(&str, &str, &[&str])] = &[
    ("domain", "core/domain", &[]),
    ("contract", "core/contract", &["domain"]),
    ("archive", "core/archive", &["domain"]),
    ("postgres", "core/postgres", &["domain"]),
    ("engine", "core/engine", &["domain", "archive", "postgres"]),
    ("encryption", "core/encryption", &["engine"]),
    (
        "catalog",
        "core/catalog",
        &["engine", "contract", "domain", "postgres"],
    ),
    // It tells what it is given.
    ("panel", "core/panel", &[]),
    (
        "plugin-host",
        "core/plugin_host",
        &["sdk", "engine", "domain", "postgres"],
    ),
    // What works when the engine does not must not need what the engine needs.
    ("legacy", "legacy", &["postgres"]),
    ("detectors", "plugins/detectors", STRATEGY),
    ("dumpers", "plugins/dumpers", STRATEGY),
    ("notifiers", "plugins/notifiers", STRATEGY),
    // Built by others, without the rest.
    ("sdk", "plugins/sdk", &[]),
    ("sinks", "plugins/sinks", STRATEGY),
    ("validators", "plugins/validators", STRATEGY),
];

const STRATEGY: &[&str] = &["engine", "postgres", "archive", "domain"];

/// The one crate that may know all others.
const APP: &str = "core/app";

/// Crates that no program of ours holds, beside the one that may know all.
const OUTSIDE: [&str; 3] = [APP, "tests", "tests/bench"];

const PLUGINS: [&str; 5] = ["detectors", "dumpers", "notifiers", "sinks", "validators"];

/// Sections of a manifest with the lines of each.
fn sections(folder: &str) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut section = String::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        match line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(name) => name.clone_into(&mut section),
            None => all
                .entry(section.clone())
                .or_default()
                .push(line.to_owned()),
        }
    }
    all
}

fn is_dependencies(section: &str) -> bool {
    section == "dependencies" || section.ends_with(".dependencies")
}

/// Crates of ours that a crate depends on outside its tests.
fn dependencies(folder: &str) -> Vec<String> {
    let sections = sections(folder);
    let lines = sections
        .iter()
        .filter(|(name, _)| is_dependencies(name))
        .flat_map(|(_, lines)| lines);
    lines
        .filter_map(|line| line.strip_prefix("respaldo-"))
        .map(|rest| {
            rest.split(['.', ' ', '='])
                .next()
                .unwrap_or(rest)
                .to_owned()
        })
        .collect()
}

#[test]
fn dependencies_point_inwards_only() {
    let mut offenders = Vec::new();
    for (name, folder, allowed) in LAYERS {
        let others = dependencies(folder)
            .into_iter()
            .filter(|other| !allowed.contains(&other.as_str()));
        offenders.extend(others.map(|other| format!("{name} -> {other}")));
    }
    none(&offenders, "dependencies against the layers");
}

#[test]
fn the_layers_know_every_crate_of_the_workspace() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = workspace
        .split("members = [")
        .nth(1)
        .and_then(|rest| rest.split(']').next());
    let members = members
        .unwrap()
        .lines()
        .map(|line| line.trim().trim_matches([',', '"']));
    let known = |member: &&str| {
        LAYERS.iter().any(|(_, folder, _)| folder == member) || OUTSIDE.contains(member)
    };
    let unknown: Vec<String> = members
        .filter(|member| !member.is_empty())
        .filter(|m| !known(m))
        .map(str::to_owned)
        .collect();
    none(&unknown, "crates without a place in the layers");
}

#[test]
fn only_the_program_names_the_strategies() {
    let names: Vec<String> = PLUGINS
        .iter()
        .map(|plugin| format!("respaldo_{plugin}"))
        .collect();
    let mut offenders = Vec::new();
    for source in product() {
        let at_home = source.path.starts_with(APP) || source.path.starts_with("plugins/");
        let mentions = source
            .product_lines()
            .any(|(_, line)| names.iter().any(|name| line.contains(name)));
        if mentions && !at_home {
            offenders.push(source.path);
        }
    }
    none(&offenders, "crates of strategies named outside the program");
}

#[test]
fn the_product_is_never_built_with_the_test_kit() {
    let folders = LAYERS.iter().map(|(_, folder, _)| *folder).chain([APP]);
    let offenders: Vec<String> = folders
        .filter(|folder| dependencies(folder).iter().any(|name| name == "tests"))
        .map(str::to_owned)
        .collect();
    none(
        &offenders,
        "crates that need respaldo-tests outside their tests",
    );
}

#[test]
fn versions_and_lints_come_from_the_workspace() {
    let mut offenders = Vec::new();
    for folder in LAYERS
        .iter()
        .map(|(_, folder, _)| *folder)
        .chain([APP, "tests"])
    {
        let sections = sections(folder);
        if sections
            .get("lints")
            .is_none_or(|lines| lines != &["workspace = true"])
        {
            offenders.push(format!("{folder}: [lints]"));
        }
        let all = sections
            .iter()
            .filter(|(name, _)| name.ends_with("dependencies"));
        let own = all.flat_map(|(_, lines)| lines).filter(|line| {
            !line.contains("workspace = true") && !line.contains("path = ") && line.contains('=')
        });
        offenders.extend(own.map(|line| format!("{folder}: {line}")));
    }
    none(&offenders, "versions or lints of their own");
}
