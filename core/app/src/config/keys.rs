//! Which settings exist, and which known word an unknown one resembles.

use figment::value::{Dict, Value};

use super::error::ConfigError;
use super::layer::Layer;
use super::plugins::PLUGIN_KEYS;
use super::sinks;

/// How the text of an environment variable becomes a value of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// As it stands, also where it looks like a number.
    Text,
    /// A path; relative ones are taken from the folder of the file that names them.
    Path,
    /// A whole number.
    Number,
    /// A number that may have decimals.
    Decimal,
    /// true or false.
    Switch,
    /// Texts, separated by commas in a variable.
    List,
    /// A text that is shown to nobody.
    Secret,
}

/// Settings of tables with fixed keys.
pub const KEYS: &[(&str, &str, KeyKind)] = &[
    ("database", "url", KeyKind::Secret),
    ("database", "pg_bin_path", KeyKind::Path),
    ("database", "exclude_schemas", KeyKind::List),
    ("database", "exclude_tables", KeyKind::List),
    ("database", "maintenance_user_id", KeyKind::Number),
    ("catalog", "url", KeyKind::Secret),
    ("catalog", "enabled", KeyKind::Switch),
    ("repository", "dir", KeyKind::Path),
    ("detector", "use", KeyKind::Text),
    ("detector", "floor_bytes", KeyKind::Number),
    ("detector", "barrier_deadline_s", KeyKind::Decimal),
    ("detector", "spot_check_bytes", KeyKind::Number),
    ("detector", "spot_check_fraction", KeyKind::Decimal),
    ("detector", "workers", KeyKind::Number),
    ("detector", "scan_bytes_per_s", KeyKind::Number),
    ("detector", "strict_barrier", KeyKind::Switch),
    ("detector", "lock_timeout_s", KeyKind::Decimal),
    ("detector", "slot_max_bytes", KeyKind::Number),
    ("detector", "slot_allow_unlimited", KeyKind::Switch),
    ("detector", "slot_wait_s", KeyKind::Decimal),
    ("dumper", "use", KeyKind::Text),
    ("dumper", "compression", KeyKind::Text),
    ("dumper", "level", KeyKind::Number),
    ("dumper", "jobs", KeyKind::Number),
    ("dumper", "argument_bytes", KeyKind::Number),
    ("dumper", "take_over_from", KeyKind::Number),
    ("retention", "full_months", KeyKind::Number),
    ("retention", "dif_weeks", KeyKind::Number),
    ("retention", "inc_days", KeyKind::Number),
    ("retention", "min_chains", KeyKind::Number),
    ("retention", "purge", KeyKind::Text),
    ("legacy", "enabled", KeyKind::Switch),
    ("legacy", "dir", KeyKind::Path),
    ("legacy", "keep_daily", KeyKind::Number),
    ("legacy", "keep_weekly", KeyKind::Number),
    ("legacy", "keep_monthly", KeyKind::Number),
    ("legacy", "keep_manual", KeyKind::Number),
    ("legacy", "sync_dir", KeyKind::Path),
    ("legacy", "timezone", KeyKind::Text),
    ("legacy", "time_limit_s", KeyKind::Number),
    ("legacy", "command", KeyKind::List),
    ("schedule", "enabled", KeyKind::Switch),
    ("schedule", "timezone", KeyKind::Text),
    ("schedule", "catch_up", KeyKind::Switch),
    ("schedule", "full", KeyKind::Text),
    ("schedule", "differential", KeyKind::Text),
    ("schedule", "incremental", KeyKind::Text),
    ("schedule", "validation", KeyKind::Text),
    ("supervisor", "retry_primary_after", KeyKind::Number),
    ("supervisor", "health_interval", KeyKind::Number),
    ("supervisor", "retry_run_after", KeyKind::Number),
    ("supervisor", "stop_within", KeyKind::Number),
    ("supervisor", "beat_interval", KeyKind::Number),
    ("notify", "webhook", KeyKind::Secret),
    ("notify", "healthcheck_url", KeyKind::Secret),
    ("notify", "smtp_host", KeyKind::Text),
    ("notify", "smtp_port", KeyKind::Number),
    ("notify", "smtp_tls", KeyKind::Text),
    ("notify", "smtp_user", KeyKind::Text),
    ("notify", "smtp_password", KeyKind::Secret),
    ("notify", "smtp_from", KeyKind::Text),
    ("notify", "smtp_to", KeyKind::List),
    ("notify", "missed_after", KeyKind::Number),
    ("supervisor", "parallel_runs", KeyKind::Number),
    ("encryption", "recipients", KeyKind::List),
    ("encryption", "identity", KeyKind::Secret),
    ("encryption", "passphrase", KeyKind::Secret),
    ("panel", "listen", KeyKind::Text),
    ("panel", "tls_cert", KeyKind::Path),
    ("panel", "tls_key", KeyKind::Path),
    ("panel", "base_path", KeyKind::Text),
    ("panel", "trusted_proxies", KeyKind::List),
    ("panel", "behind_proxy", KeyKind::Switch),
    ("panel", "session_minutes", KeyKind::Number),
    ("panel", "state_dir", KeyKind::Path),
    ("log", "format", KeyKind::Text),
];

/// Keys of each `[[validator]]`.
pub const VALIDATOR_KEYS: &[&str] = &["use", "when"];

const SECTIONS: &[&str] = &[
    "database",
    "catalog",
    "repository",
    "detector",
    "dumper",
    "sink",
    "validator",
    "plugins",
    "retention",
    "legacy",
    "schedule",
    "supervisor",
    "notify",
    "encryption",
    "panel",
    "log",
];

/// How a key's text is read; `None` for a key that does not exist.
pub fn kind_of(section: &str, key: &str) -> Option<KeyKind> {
    let found = KEYS
        .iter()
        .find(|(in_section, name, _)| *in_section == section && *name == key);
    found.map(|(_, _, kind)| *kind)
}

/// Checks that a layer holds nothing but known settings.
pub fn check(layer: &Layer) -> Result<(), ConfigError> {
    for (section, value) in &layer.values {
        match section.as_str() {
            "sink" => check_tables(layer, section, value, sinks::keys_of)?,
            "validator" => check_tables(layer, section, value, |_| Some(VALIDATOR_KEYS.to_vec()))?,
            "plugins" => check_plugins(layer, section, value)?,
            _ if SECTIONS.contains(&section.as_str()) => check_section(layer, section, value)?,
            _ => return Err(unknown(layer, "", section, SECTIONS)),
        }
    }
    Ok(())
}

fn check_section(layer: &Layer, section: &str, value: &Value) -> Result<(), ConfigError> {
    let known: Vec<&str> = KEYS
        .iter()
        .filter(|(of, _, _)| *of == section)
        .map(|(_, key, _)| *key)
        .collect();
    let table = value
        .as_dict()
        .ok_or_else(|| not_a_table(layer, section, "a table"))?;
    check_table(layer, section, table, &known)
}

/// A table for each plugin; the options of one are its own business.
fn check_plugins(layer: &Layer, section: &str, value: &Value) -> Result<(), ConfigError> {
    let wrong = || not_a_table(layer, section, "a table for each plugin ([plugins.NAME])");
    for (name, plugin) in value.as_dict().ok_or_else(wrong)? {
        let plugin = plugin.as_dict().ok_or_else(wrong)?;
        check_table(layer, &format!("{section}.{name}"), plugin, PLUGIN_KEYS)?;
    }
    Ok(())
}

/// `known` gives the keys that a table may have, and `None` where they are not known.
fn check_tables(
    layer: &Layer,
    section: &str,
    value: &Value,
    known: impl Fn(&Dict) -> Option<Vec<&'static str>>,
) -> Result<(), ConfigError> {
    let wrong = || not_a_table(layer, section, "an array of tables ([[...]])");
    for table in value.as_array().ok_or_else(wrong)? {
        let table = table.as_dict().ok_or_else(wrong)?;
        if let Some(known) = known(table) {
            check_table(layer, section, table, &known)?;
        }
    }
    Ok(())
}

fn check_table(
    layer: &Layer,
    section: &str,
    table: &Dict,
    known: &[&str],
) -> Result<(), ConfigError> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(unknown(layer, section, key, known)),
        None => Ok(()),
    }
}

fn unknown(layer: &Layer, section: &str, key: &str, known: &[&str]) -> ConfigError {
    let full = |name: &str| match section {
        "" => format!("[{name}]"),
        _ => format!("{section}.{name}"),
    };
    ConfigError::UnknownKey {
        key: full(key),
        origin: layer.origin.to_string(),
        suggestion: closest(key, known.iter().copied()).map(full),
    }
}

fn not_a_table(layer: &Layer, section: &str, expected: &str) -> ConfigError {
    ConfigError::WrongType {
        key: section.to_owned(),
        origin: layer.origin.to_string(),
        found: "a single value",
        expected: expected.to_owned(),
    }
}

/// The known word that is at most a third of its letters away from `word`.
pub fn closest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_lowercase();
    known
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edit distance in letters, swapped neighbours counting as one (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let plain = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + changed);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            rows[i][j] = if swapped {
                plain.min(rows[i - 2][j - 2] + 1)
            } else {
                plain
            };
        }
    }
    rows[a.len()][b.len()]
}
