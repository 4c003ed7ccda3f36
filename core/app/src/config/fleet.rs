//! `[[databases]]`: several databases under one supervisor, each with a name and settings of its own.

use std::path::Path;

use figment::value::{Dict, Value};

use super::error::ConfigError;
use super::layer::{FileValues, Layer, Origin, Sections};
use super::sinks;

/// The table's name.
const TABLE: &str = "databases";
/// Longest name, which is part of paths.
const LONGEST_NAME: usize = 63;
/// Sections that are of the supervisor, not of one database.
const SHARED: [&str; 4] = ["supervisor", "panel", "log", TABLE];
/// Folders that no two databases may share: where an entry says nothing, each has one of its name in the common folder.
const FOLDERS: [(&str, &str); 3] = [
    ("repository", "dir"),
    ("legacy", "dir"),
    ("legacy", "sync_dir"),
];

/// One entry.
pub struct Database {
    /// Its name.
    pub name: String,
    values: FileValues,
}

/// A file, its entries apart.
pub struct Split {
    /// What holds for all databases.
    pub shared: FileValues,
    /// The entries.
    pub databases: Vec<Database>,
}

/// Takes the entries out of a file.
pub fn split(mut file: FileValues) -> Result<Split, ConfigError> {
    let entries = match file.values.remove(TABLE) {
        None => Vec::new(),
        Some(Value::Array(_, entries)) => entries,
        Some(_) => return Err(not_tables(&file.path)),
    };
    let databases = entries.into_iter().map(|entry| database(entry, &file.path));
    let databases = databases.collect::<Result<Vec<_>, _>>()?;
    for (n, database) in databases.iter().enumerate() {
        let is_same = |other: &Database| other.name.eq_ignore_ascii_case(&database.name);
        if databases[..n].iter().any(is_same) {
            return Err(bad(&database.name, "name", "two databases have this name"));
        }
    }
    Ok(Split {
        shared: file,
        databases,
    })
}

fn database(entry: Value, path: &Path) -> Result<Database, ConfigError> {
    let Value::Dict(_, mut values) = entry else {
        return Err(not_tables(path));
    };
    let name = values.remove("name");
    let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    if !is_name(name) {
        let key = format!("{TABLE}.name");
        let problem = "each database has a name of letters, digits, - and _".to_owned();
        return Err(ConfigError::BadValue { key, problem });
    }
    if let Some(section) = SHARED
        .into_iter()
        .find(|section| values.contains_key(*section))
    {
        let why = "it holds for all databases: write it outside of them";
        return Err(bad(name, section, why));
    }
    Ok(Database {
        name: name.to_owned(),
        values: FileValues {
            path: path.to_owned(),
            origin: Origin::Database {
                path: path.to_owned(),
                name: name.to_owned(),
            },
            values,
        },
    })
}

fn is_name(text: &str) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(is_part)
}

/// The entry that is meant; `None` where there are none.
pub fn chosen(
    mut databases: Vec<Database>,
    name: Option<&str>,
) -> Result<Option<Database>, ConfigError> {
    let names = || {
        databases
            .iter()
            .map(|database| database.name.clone())
            .collect()
    };
    match name {
        None if databases.is_empty() => Ok(None),
        None => Err(ConfigError::WhichDatabase { choices: names() }),
        Some(name) => match databases.iter().position(|database| database.name == name) {
            Some(at) => Ok(Some(databases.swap_remove(at))),
            None => Err(ConfigError::UnknownDatabase {
                name: name.to_owned(),
                choices: names(),
            }),
        },
    }
}

/// An entry as a layer over what holds for all.
pub fn layer(
    database: Database,
    below: &[Layer],
    sections: Sections,
) -> Result<Layer, ConfigError> {
    let name = database.name;
    let mut layer = database.values.layer(sections)?;
    let has_address = layer
        .secrets
        .iter()
        .any(|secret| secret.key == "database.url");
    if sections.has("database") && !has_address {
        let why = "missing: each of several databases has its own address";
        return Err(bad(&name, "database.url", why));
    }
    for (section, key) in FOLDERS
        .into_iter()
        .filter(|(section, _)| sections.has(section))
    {
        let of = |layer: &Layer| {
            Some(
                layer
                    .values
                    .get(section)?
                    .as_dict()?
                    .get(key)?
                    .as_str()?
                    .to_owned(),
            )
        };
        let shared = below
            .iter()
            .rev()
            .find_map(of)
            .filter(|dir| !dir.is_empty());
        if let (None, Some(shared)) = (of(&layer), shared) {
            let own = within(&shared, &name);
            put(&mut layer.values, section, key, own);
        }
    }
    let sinks = |layer: &Layer| layer.values.get("sink").cloned();
    if sinks(&layer).is_none()
        && let Some(mut shared) = below.iter().rev().find_map(sinks)
    {
        own_sinks(&mut shared, &name)?;
        layer.values.insert("sink".to_owned(), shared);
    }
    Ok(layer)
}

fn put(values: &mut Dict, section: &str, key: &str, text: String) {
    let table = values
        .entry(section.to_owned())
        .or_insert_with(|| Dict::new().into());
    if let Value::Dict(_, table) = table {
        table.insert(key.to_owned(), text.into());
    }
}

/// Each database needs a place of its own: backups of two in one would be taken for one history.
fn own_sinks(sinks: &mut Value, name: &str) -> Result<(), ConfigError> {
    let Value::Array(_, sinks) = sinks else {
        return Ok(());
    };
    for sink in sinks {
        let Value::Dict(_, table) = sink else {
            continue;
        };
        let Some(option) = sinks::folder_option(table) else {
            let problem = "a sink of this kind has no folders for several databases: give each database \
                           a [[databases.sink]] of its own";
            return Err(bad(name, "sink", problem));
        };
        let is_local = sinks::is_local(table);
        match table.get_mut(option) {
            Some(Value::String(_, folder)) => *folder = within(folder, name),
            Some(_) => {}
            // A local one without a folder has the repository, which is of this database already.
            None if is_local => {}
            None => _ = table.insert(option.to_owned(), name.into()),
        }
    }
    Ok(())
}

fn within(folder: &str, name: &str) -> String {
    Path::new(folder).join(name).to_string_lossy().into_owned()
}

fn bad(name: &str, key: &str, problem: &str) -> ConfigError {
    ConfigError::BadValue {
        key: format!("{TABLE} {name:?}: {key}"),
        problem: problem.to_owned(),
    }
}

fn not_tables(path: &Path) -> ConfigError {
    ConfigError::WrongType {
        key: TABLE.to_owned(),
        origin: path.display().to_string(),
        found: "something else",
        expected: "an array of tables ([[databases]])".to_owned(),
    }
}
