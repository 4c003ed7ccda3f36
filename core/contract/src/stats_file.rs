//! The detector's readings of a backup, `stats/<archive>.json`.
//!
//! The existing system keeps its own readings under such names: one flat object, table name to
//! number. Ours must never be taken for those: no key of the outer object is a table's name and
//! no value is a number, so its reader finds no table and counts each one as changed.

use std::collections::BTreeMap;

use respaldo_domain::readings::{Readings, TableReading};
use respaldo_domain::table::{Oid, TableFacts};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::layout;

const FORMAT: &str = "respaldo-lecturas/1";

/// Readings that cannot be written or used. Without readings every table counts as changed.
#[derive(Debug, thiserror::Error)]
pub enum StatsFileError {
    /// They could not be put into JSON.
    #[error("writing readings")]
    Encode(#[source] serde_json::Error),
    /// Not JSON or not ours, such as the counters of the existing system.
    #[error("the readings are not readable")]
    Unreadable(#[source] serde_json::Error),
    /// Of a format that is not known here.
    #[error("the readings have the format {0:?}, which this version does not read")]
    OtherFormat(String),
}

#[derive(Serialize, Deserialize)]
struct Document {
    formato: String,
    detector: String,
    cifras: BTreeMap<String, Value>,
    objetos_grandes: Option<Value>,
    tablas: BTreeMap<Oid, TableDocument>,
}

/// The facts keep the domain's own spelling: nobody but a detector reads them.
#[derive(Serialize, Deserialize)]
struct TableDocument {
    hechos: TableFacts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidencia: Option<Value>,
}

#[derive(Deserialize)]
struct Head {
    formato: String,
}

/// Readings as the bytes to be stored.
pub fn encode(readings: &Readings) -> Result<Vec<u8>, StatsFileError> {
    let table = |(oid, reading): (&Oid, &TableReading)| {
        let TableReading { facts, evidence } = reading.clone();
        (
            *oid,
            TableDocument {
                hechos: facts,
                evidencia: evidence,
            },
        )
    };
    let document = Document {
        formato: FORMAT.to_owned(),
        detector: readings.detector.clone(),
        cifras: readings.figures.clone(),
        objetos_grandes: readings.large_objects.clone(),
        tablas: readings.tables.iter().map(table).collect(),
    };
    layout::to_lines(&document).map_err(StatsFileError::Encode)
}

/// Reads stored readings back.
///
/// ```
/// use respaldo_contract::stats_file::decode;
///
/// let of_the_existing_system = br#"{"app.documento": 12, "ref.lista_precio": 0}"#;
/// assert!(decode(of_the_existing_system).is_err());
/// ```
pub fn decode(bytes: &[u8]) -> Result<Readings, StatsFileError> {
    let Head { formato } = serde_json::from_slice(bytes).map_err(StatsFileError::Unreadable)?;
    if formato != FORMAT {
        return Err(StatsFileError::OtherFormat(formato));
    }
    let document: Document = serde_json::from_slice(bytes).map_err(StatsFileError::Unreadable)?;
    let reading = |(oid, table): (Oid, TableDocument)| {
        (
            oid,
            TableReading {
                facts: table.hechos,
                evidence: table.evidencia,
            },
        )
    };
    Ok(Readings {
        detector: document.detector,
        tables: document.tablas.into_iter().map(reading).collect(),
        large_objects: document.objetos_grandes,
        figures: document.cifras,
    })
}
