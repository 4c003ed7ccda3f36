//! What a supervisor measures, in the text format that Prometheus reads.
//!
//! Names and meanings are in docs/guide/metrics.md. Ages are computed when they are asked for, so that
//! they grow also where nothing happens any more, which is when they matter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use respaldo_contract::messages::EngineState;
use respaldo_domain::backup::BackupKind;

/// The `Content-Type` of what is rendered.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const KINDS: [BackupKind; 3] = [
    BackupKind::Full,
    BackupKind::Differential,
    BackupKind::Incremental,
];
const STATES: [EngineState; 3] = [
    EngineState::Professional,
    EngineState::Legacy,
    EngineState::Stopped,
];

/// Figures of a backup that was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Made {
    /// When it ended.
    pub at: DateTime<FixedOffset>,
    /// How long it took.
    pub duration: Duration,
    /// Bytes of its archive.
    pub bytes: u64,
    /// Its tables, where they are known.
    pub tables: Option<Tables>,
}

/// Tables of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tables {
    /// Those whose rows were dumped.
    pub dumped: usize,
    /// Those that were proven unchanged.
    pub skipped: usize,
}

/// What is measured of every database of a process; clones are the same.
#[derive(Clone)]
pub struct Figures {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    since: Arc<Mutex<BTreeMap<String, Since>>>,
    /// Databases that nobody looks after any more.
    gone: Arc<Mutex<BTreeSet<String>>>,
}

/// Moments whose age is told, of one database.
#[derive(Default)]
struct Since {
    successes: BTreeMap<&'static str, DateTime<FixedOffset>>,
    oldest_unproven: Option<DateTime<FixedOffset>>,
}

impl Default for Figures {
    fn default() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let figures = Self {
            handle: recorder.handle(),
            recorder: Arc::new(recorder),
            since: Arc::default(),
            gone: Arc::default(),
        };
        figures.record(describe);
        figures
    }
}

impl Figures {
    /// Those of one database, which are told from now on.
    pub fn of(&self, database: &str) -> Metrics {
        self.gone().remove(database);
        let metrics = Metrics {
            figures: self.clone(),
            database: database.to_owned(),
        };
        metrics.begin();
        metrics
    }

    /// Tells nothing more of a database: figures that stand still would look like backups that are not made.
    pub fn forget(&self, database: &str) {
        self.moments().remove(database);
        self.gone().insert(database.to_owned());
    }

    /// Everything, as of now.
    pub fn render(&self, now: DateTime<FixedOffset>) -> String {
        let age = |at: DateTime<FixedOffset>| (now - at).num_seconds().max(0) as f64;
        let since = self.moments();
        self.record(|| {
            for (database, moments) in &*since {
                for (kind, at) in &moments.successes {
                    let labels = [("database", database.clone()), ("kind", (*kind).to_owned())];
                    gauge!("respaldo_last_success_age_seconds", &labels).set(age(*at));
                }
                let unproven = moments.oldest_unproven.map_or(0.0, age);
                gauge!("respaldo_oldest_unproven_restore_point_age_seconds", "database" => database.clone())
                    .set(unproven);
            }
        });
        let gone: Vec<String> = self.gone().iter().map(|name| label_of(name)).collect();
        let is_told = |line: &&str| !gone.iter().any(|label| line.contains(label));
        let rendered = self.handle.render();
        let told = rendered.lines().filter(is_told);
        told.flat_map(|line| [line, "\n"]).collect()
    }

    fn record(&self, what: impl FnOnce()) {
        with_local_recorder(&*self.recorder, what);
    }

    fn moments(&self) -> MutexGuard<'_, BTreeMap<String, Since>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gone(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A database's label as it is rendered.
fn label_of(database: &str) -> String {
    let escaped = database.replace('\\', r"\\").replace('"', "\\\"");
    format!("database=\"{}\"", escaped.replace('\n', r"\n"))
}

/// What is measured of one database; clones are the same.
#[derive(Clone)]
pub struct Metrics {
    figures: Figures,
    database: String,
}

impl Metrics {
    fn begin(&self) {
        self.figures.record(|| {
            for kind in KINDS.map(word) {
                gauge!("respaldo_has_backup", "database" => self.database.clone(), "kind" => kind).set(0.0);
                for result in ["success", "failure"] {
                    counter!("respaldo_runs_total", "database" => self.database.clone(), "kind" => kind, "result" => result)
                        .increment(0);
                }
            }
        });
        self.engine(EngineState::Stopped);
        self.leads(false);
        self.oldest_unproven(None);
    }

    /// A backup was made, or found to have been made.
    pub fn made(&self, kind: BackupKind, made: &Made) {
        let kind = word(kind);
        self.moments(|moments| moments.successes.insert(kind, made.at));
        let labels = [
            ("database", self.database.clone()),
            ("kind", kind.to_owned()),
        ];
        self.figures.record(|| {
            gauge!("respaldo_has_backup", &labels).set(1.0);
            gauge!("respaldo_last_success_timestamp_seconds", &labels).set(made.at.timestamp() as f64);
            gauge!("respaldo_backup_duration_seconds", &labels).set(made.duration.as_secs_f64());
            gauge!("respaldo_backup_bytes", &labels).set(made.bytes as f64);
            let Some(tables) = made.tables else {
                return;
            };
            for (what, count) in [("dumped", tables.dumped), ("skipped", tables.skipped)] {
                gauge!("respaldo_backup_tables", "database" => self.database.clone(), "kind" => kind, "what" => what)
                    .set(count as f64);
            }
        });
    }

    /// A run ended.
    pub fn ran(&self, kind: BackupKind, succeeded: Ran) {
        let result = match succeeded {
            Ran::Succeeded => "success",
            Ran::Failed => "failure",
        };
        self.figures.record(|| {
            counter!("respaldo_runs_total", "database" => self.database.clone(), "kind" => word(kind), "result" => result)
                .increment(1);
        });
    }

    /// What makes backups now.
    pub fn engine(&self, state: EngineState) {
        self.figures.record(|| {
            for each in STATES {
                let on = f64::from(u8::from(each == state));
                gauge!("respaldo_engine_state", "database" => self.database.clone(), "state" => engine_word(each)).set(on);
            }
        });
    }

    /// Whether this process leads.
    pub fn leads(&self, leads: bool) {
        let leads = f64::from(u8::from(leads));
        self.figures
            .record(|| gauge!("respaldo_leader", "database" => self.database.clone()).set(leads));
    }

    /// Backups that an optional sink is owed.
    pub fn owed(&self, sink: &str, count: usize) {
        self.figures.record(|| {
            gauge!("respaldo_sink_owed_backups", "database" => self.database.clone(), "sink" => sink.to_owned())
                .set(count as f64);
        });
    }

    /// The oldest restore point that no drill or validation has proven; `None` where all are proven.
    pub fn oldest_unproven(&self, at: Option<DateTime<FixedOffset>>) {
        self.moments(|moments| moments.oldest_unproven = at);
    }

    /// What a thread that is ending still says of a database that is gone is not heard.
    fn moments<T>(&self, change: impl FnOnce(&mut Since) -> T) {
        if self.figures.gone().contains(&self.database) {
            return;
        }
        change(
            self.figures
                .moments()
                .entry(self.database.clone())
                .or_default(),
        );
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// With a backup.
    Succeeded,
    /// Without one.
    Failed,
}

fn word(kind: BackupKind) -> &'static str {
    match kind {
        BackupKind::Full => "full",
        BackupKind::Differential => "differential",
        BackupKind::Incremental => "incremental",
    }
}

fn engine_word(state: EngineState) -> &'static str {
    match state {
        EngineState::Professional => "professional",
        EngineState::Legacy => "legacy",
        EngineState::Stopped => "stopped",
    }
}

fn describe() {
    let gauges = [
        (
            "respaldo_last_success_age_seconds",
            Unit::Seconds,
            "Age of the newest backup of a kind",
        ),
        (
            "respaldo_has_backup",
            Unit::Count,
            "1 where there is a backup of a kind, 0 where none is known",
        ),
        (
            "respaldo_last_success_timestamp_seconds",
            Unit::Seconds,
            "When the newest backup of a kind was made",
        ),
        (
            "respaldo_backup_duration_seconds",
            Unit::Seconds,
            "How long the newest backup took",
        ),
        (
            "respaldo_backup_bytes",
            Unit::Bytes,
            "Size of the newest backup's archive",
        ),
        (
            "respaldo_backup_tables",
            Unit::Count,
            "Tables of the newest backup, dumped or skipped",
        ),
        (
            "respaldo_oldest_unproven_restore_point_age_seconds",
            Unit::Seconds,
            "Age of the oldest restore point that nothing has proven; 0: all are",
        ),
        (
            "respaldo_engine_state",
            Unit::Count,
            "1 for what makes backups now",
        ),
        ("respaldo_leader", Unit::Count, "1 where this process leads"),
        (
            "respaldo_sink_owed_backups",
            Unit::Count,
            "Backups that an optional sink did not take yet",
        ),
    ];
    for (name, unit, text) in gauges {
        describe_gauge!(name, unit, text);
    }
    describe_counter!(
        "respaldo_runs_total",
        Unit::Count,
        "Runs since the start, by their result"
    );
}

#[cfg(test)]
mod tests;
