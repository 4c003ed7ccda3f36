//! What is told and kept of a job.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::ask::Work;
use crate::ports::Problem;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    EnCola,
    EnProgreso,
    Completado,
    Fallido,
    Cancelado,
    Interrumpido,
}

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The step it is at.
    pub paso: Option<String>,
    /// Bytes handled in this step.
    pub bytes: u64,
    /// Bytes that the step will handle, where known.
    pub bytes_total: Option<u64>,
    /// Tables done.
    pub tablas: u64,
    /// The last of them.
    pub tabla: Option<String>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: Uuid,
    /// What it does: `backup`, `validate`, `restore`, `export`, `upload`, `sink-check`, `sink-sync`, `expire`.
    pub clase: String,
    /// The database.
    pub base: String,
    /// Where it stands.
    pub estado: State,
    /// When it was asked for.
    pub creado: DateTime<Utc>,
    /// When it began.
    pub inicio: Option<DateTime<Utc>>,
    /// When it ended.
    pub fin: Option<DateTime<Utc>>,
    /// Who asked.
    pub usuario: String,
    /// It was told to stop.
    pub cancelando: bool,
    /// Another that writes has to wait for it.
    pub escribe: bool,
    /// What was asked for, in a few words.
    pub pedido: Value,
    /// How far it is.
    pub progreso: Progress,
    /// Its record, once it is done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resultado: Option<Value>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<Problem>,
    /// Where what it wrote is fetched.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub descarga: Option<String>,
}

/// A job as its file has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Filed {
    /// The job.
    pub job: Job,
    /// The process it is in.
    pub proceso: u32,
    /// The key that began it, and the fingerprint of the request.
    #[serde(default)]
    pub clave: Option<(String, String)>,
    /// What it wrote, and the name it is given.
    #[serde(default)]
    pub archivo: Option<(PathBuf, String)>,
}

impl Filed {
    /// Whether its process ended before it did. A new process may have an old one's number.
    pub fn is_left(&self) -> bool {
        let is_under_way = matches!(self.job.estado, State::EnCola | State::EnProgreso);
        is_under_way && (self.proceso == std::process::id() || is_gone(self.proceso))
    }
}

/// Whether no process has this number; where that cannot be seen, it is gone.
fn is_gone(pid: u32) -> bool {
    let is_there = |pid: u32| Path::new("/proc").join(pid.to_string()).exists();
    !is_there(1) || !is_there(pid)
}

impl Job {
    /// One that waits.
    pub fn new(id: Uuid, work: &Work, base: &str, user: &str) -> Self {
        Self {
            id,
            clase: work.class().to_owned(),
            base: base.to_owned(),
            estado: State::EnCola,
            creado: Utc::now(),
            inicio: None,
            fin: None,
            usuario: user.to_owned(),
            cancelando: false,
            escribe: work.is_writing(),
            pedido: asked(work),
            progreso: Progress::default(),
            resultado: None,
            error: None,
            descarga: None,
        }
    }

    /// Whether nothing of it is to come.
    pub fn is_over(&self) -> bool {
        !matches!(self.estado, State::EnCola | State::EnProgreso)
    }

    /// Without its record, which may be long.
    pub fn summary(&self) -> Self {
        Self {
            resultado: None,
            ..self.clone()
        }
    }
}

fn asked(work: &Work) -> Value {
    let value = |value: Result<Value, _>| value.unwrap_or(Value::Null);
    match work {
        Work::Backup(body) => value(serde_json::to_value(body)),
        Work::Validate(body) => value(serde_json::to_value(body)),
        Work::Restore { wish, archive } => {
            serde_json::json!({ "archivo": archive, "destino": wish.target_db, "replace": wish.replace })
        }
        Work::Export { point, .. } => match point {
            crate::ask::Point::At(at) => serde_json::json!({ "fecha": at }),
            crate::ask::Point::Id(id) => serde_json::json!({ "id": id }),
        },
        Work::Upload(which) => serde_json::json!({ "id": which }),
        Work::CheckSink(name) | Work::SyncSink(name) => serde_json::json!({ "destino": name }),
        Work::Expire => serde_json::json!({}),
    }
}
