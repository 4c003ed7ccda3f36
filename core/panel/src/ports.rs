//! What the panel needs of the program around it: traits of data, blocking and object-safe. They are called on threads
//! that may wait, a few at a time, and what takes too long is told to stop.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ask::{Change, Question, RestoreWish, Work};

/// A language of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

/// What it is asked for without a login: told anew for each request, and soon.
pub trait Pages: Send + Sync {
    /// The figures, and their content type.
    fn metrics(&self) -> (String, &'static str);

    /// How things stand, as JSON, and whether backups are being made.
    fn health(&self) -> (String, bool);
}

/// For whom something is done.
#[derive(Debug, Clone)]
pub struct Call {
    /// Which of the databases.
    pub base: String,
    /// The language of what people read.
    pub lang: Lang,
    /// Set when nobody waits for it any more.
    pub stop: Stop,
}

/// A flag that is set once.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Sets it.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// The flag itself, for those who look at it often.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

/// Why something was not done: the stable code, and words in the caller's language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    pub codigo: String,
    /// What went wrong, one sentence.
    pub title: String,
    /// What was being done, to what, and why it failed.
    pub detail: String,
    /// What to do about it.
    pub sugerencia: String,
    /// A record that says more, such as what depends on a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datos: Option<Box<Value>>,
}

/// Answers questions; changes nothing.
pub trait Questions: Send + Sync {
    /// The databases that are looked after, by name, in their order.
    fn bases(&self) -> Vec<String>;

    /// Called every few seconds: what was kept for the next question and was not needed for a while may go.
    fn rest(&self);

    /// The record that answers.
    fn ask(&self, question: &Question, call: &Call) -> Result<Value, Problem>;
}

/// Changes settings and removes backups, at once.
pub trait Changes: Send + Sync {
    /// The record of what was changed.
    fn change(&self, change: &Change, call: &Call) -> Result<Value, Problem>;
}

/// Does what takes long.
pub trait Works: Send + Sync {
    /// What a restore would do, and into what it would be: nothing is changed.
    fn plan(&self, wish: &RestoreWish, call: &Call) -> Result<Planned, Problem>;

    /// Who writes backups of this database now, where anybody is known to.
    fn at_work(&self, base: &str) -> Option<String>;

    /// Does it, and tells of it meanwhile.
    fn work(&self, work: &Work, call: &Call, watch: Arc<dyn Watch>) -> Result<Worked, Problem>;
}

/// A restore that may be asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The record of the preview.
    pub preview: Value,
    /// The text that has to be typed: the name of the target.
    pub confirmation: String,
    /// The lasting name of the backup that was looked at.
    pub archive: String,
}

/// What became of a work.
#[derive(Debug, Clone, Default)]
pub struct Worked {
    /// Its record.
    pub record: Value,
    /// A file to be fetched, under this name.
    pub file: Option<(PathBuf, String)>,
}

/// Watches a work. Calls come from several threads and return at once.
pub trait Watch: Send + Sync {
    /// A step begins; with the number of bytes it will handle, where known.
    fn step(&self, name: &str, total_bytes: Option<u64>);
    /// So many more bytes were handled.
    fn bytes(&self, count: u64);
    /// A table is done.
    fn table(&self, name: &str);
}

/// Keeps who did what.
pub trait Ledger: Send + Sync {
    /// Writes entries, oldest first; one that is there already stays as it is. How many were written.
    fn write(&self, base: &str, entries: &[Entry]) -> Result<(), String>;

    /// Entries, newest first, and how many there are.
    fn read(&self, call: &Call, limit: u32, offset: u32) -> Result<(Vec<Entry>, u64), Problem>;
}

/// Who did what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Unique.
    pub id: uuid::Uuid,
    /// When.
    pub fecha: DateTime<Utc>,
    /// The user, or the user and the token; empty: nobody who is known.
    pub usuario: String,
    /// The address it came from.
    pub origen: String,
    /// What was done: `POST /backups`.
    pub accion: String,
    /// To what.
    pub objeto: String,
    /// How it ended: `ok`, `denegado`, or a stable code.
    pub resultado: String,
    /// Particulars, without secrets.
    pub detalle: Value,
}

/// The words for stable codes.
pub trait Phrases: Send + Sync {
    /// Title and hint of a code; `None` for a code that does not exist.
    fn words(&self, code: &str, lang: Lang) -> Option<(&'static str, &'static str)>;
}

/// Everything around the panel.
#[derive(Clone)]
pub struct Ports {
    /// Figures and health.
    pub pages: Arc<dyn Pages>,
    /// Answers.
    pub questions: Arc<dyn Questions>,
    /// Changes.
    pub changes: Arc<dyn Changes>,
    /// Long works.
    pub works: Arc<dyn Works>,
    /// Who did what.
    pub ledger: Arc<dyn Ledger>,
    /// Words.
    pub phrases: Arc<dyn Phrases>,
}
