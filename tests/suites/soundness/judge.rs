//! Compares what the manifests say with the truth.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::truth::{Content, Truth};

/// What a stress came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Backups that were judged.
    pub judged: usize,
    /// Tables that were judged.
    pub tables: usize,
    /// Backups that were given up because DDL or the server overtook them.
    pub given_up: usize,
    /// Tables not dumped although they changed, and tables dumped wrongly.
    pub wrong: Vec<String>,
    /// Tables that did not change since the base.
    pub unchanged: usize,
    /// Those of them that were dumped all the same, by reason.
    pub needless: BTreeMap<String, usize>,
    /// Tables that counters alone cleared.
    pub cleared_by_counters: usize,
    /// Tables that the decoded log alone cleared.
    pub cleared_by_log: usize,
    truths: BTreeMap<String, Truth>,
}

impl Tally {
    /// Judges a backup by what `show` says of it.
    pub fn judge(&mut self, shown: &Value, truth: &Truth, base: Option<&str>) {
        let archive = shown["nombre"].as_str().unwrap();
        let listed = shown["tablas"].as_array().unwrap();
        let by_name: BTreeMap<&str, &Value> = listed
            .iter()
            .map(|table| (table["tabla"].as_str().unwrap(), table))
            .collect();
        let before = base.and_then(|base| self.truths.get(base)).cloned();
        self.judged += 1;
        for (name, content) in truth {
            self.tables += 1;
            let Some(table) = by_name.get(name.as_str()) else {
                self.wrong
                    .push(format!("{archive}: {name} is not in the manifest"));
                continue;
            };
            self.judge_table(archive, name, content, table);
            let then = before.as_ref().and_then(|before| before.get(name));
            if then == Some(content) {
                self.count_needless(table);
            }
        }
        self.truths.insert(archive.to_owned(), truth.clone());
    }

    fn judge_table(&mut self, archive: &str, name: &str, content: &Content, table: &Value) {
        let reason = table["motivo"].as_str().unwrap_or_default();
        self.cleared_by_counters += usize::from(reason == "contadores_iguales");
        self.cleared_by_log += usize::from(reason == "sin_cambios_en_el_wal");
        let found = told(table);
        let columns: Vec<&str> = table["columnas"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| column[0].as_str().unwrap())
            .collect();
        if found != Some(content.print) || columns != content.columns {
            let dumped = table["volcada"] == true;
            let what = if dumped {
                "dumped wrongly"
            } else {
                "FALSE NEGATIVE"
            };
            self.wrong.push(format!(
                "{archive}: {name} {what} ({reason}): {found:?} instead of {:?}",
                content.print
            ));
        }
    }

    fn count_needless(&mut self, table: &Value) {
        self.unchanged += 1;
        if table["volcada"] == true {
            let reason = table["motivo"].as_str().unwrap_or_default().to_owned();
            *self.needless.entry(reason).or_default() += 1;
        }
    }

    /// Percentage of the truly unchanged tables that were dumped.
    pub fn needless_percent(&self) -> f64 {
        let needless: usize = self.needless.values().sum();
        100.0 * needless as f64 / self.unchanged.max(1) as f64
    }
}

/// The fingerprint in a manifest's line of a table.
fn told(table: &Value) -> Option<(u64, u128)> {
    let data = table.get("datos").filter(|data| !data.is_null())?;
    let sum = u128::from_str_radix(data["huella"].as_str()?, 16).ok()?;
    Some((data["filas"].as_u64()?, sum))
}
