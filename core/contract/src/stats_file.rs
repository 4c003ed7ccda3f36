//! The detector's readings of a backup, `stats/<archive>.json`.
//!
//! The existing system keeps its own readings under such names: one flat object, table name to
//! number. Ours must never be taken for those: no key of the outer object is a table's name and
//! no value is a number, so its reader finds no table and counts each one as changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use respaldo_domain::readings::{Evidence, Readings, TableReading};
use respaldo_domain::table::{Oid, TableFacts};
use serde::{Deserialize, Serialize, Serializer};
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

#[derive(Serialize)]
struct Written<'a> {
    formato: &'a str,
    detector: &'a str,
    cifras: &'a BTreeMap<String, Value>,
    objetos_grandes: Option<&'a Evidence>,
    #[serde(serialize_with = "each")]
    tablas: &'a BTreeMap<Oid, TableReading>,
}

/// The facts keep the domain's own spelling: nobody but a detector reads them.
#[derive(Serialize)]
struct TableWritten<'a> {
    hechos: &'a TableFacts,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidencia: Option<&'a Evidence>,
}

#[derive(Deserialize)]
struct Stored {
    formato: String,
    detector: String,
    cifras: BTreeMap<String, Value>,
    objetos_grandes: Option<Evidence>,
    tablas: BTreeMap<Oid, TableStored>,
}

#[derive(Deserialize)]
struct TableStored {
    hechos: TableFacts,
    #[serde(default)]
    evidencia: Option<Evidence>,
}

#[derive(Deserialize)]
struct Head {
    formato: String,
}

/// Readings as the bytes to be stored.
pub fn encode(readings: &Readings) -> Result<Vec<u8>, StatsFileError> {
    let document = Written {
        formato: FORMAT,
        detector: &readings.detector,
        cifras: &readings.figures,
        objetos_grandes: readings.large_objects.as_ref(),
        tablas: &readings.tables,
    };
    layout::to_lines(&document).map_err(StatsFileError::Encode)
}

/// The tables, one at a time: of ten thousand no list is made.
fn each<S: Serializer>(tables: &BTreeMap<Oid, TableReading>, to: S) -> Result<S::Ok, S::Error> {
    let written = tables.iter().map(|(oid, reading)| {
        let table = TableWritten {
            hechos: &reading.facts,
            evidencia: reading.evidence.as_ref(),
        };
        (oid, table)
    });
    to.collect_map(written)
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
    let stored = stored(bytes)?;
    let reading = |(oid, table): (Oid, TableStored)| {
        (
            oid,
            TableReading {
                facts: Arc::new(table.hechos),
                evidence: table.evidencia,
            },
        )
    };
    Ok(Readings {
        detector: stored.detector,
        tables: stored.tablas.into_iter().map(reading).collect(),
        large_objects: stored.objetos_grandes,
        figures: stored.cifras,
    })
}

/// Readings of our format, for which the file is read once; the format comes first in what is told of others.
fn stored(bytes: &[u8]) -> Result<Stored, StatsFileError> {
    match serde_json::from_slice::<Stored>(bytes) {
        Ok(stored) if stored.formato == FORMAT => Ok(stored),
        Ok(stored) => Err(StatsFileError::OtherFormat(stored.formato)),
        Err(error) => {
            check_format(bytes)?;
            Err(StatsFileError::Unreadable(error))
        }
    }
}

/// Reads only the figures of stored readings.
pub fn decode_figures(bytes: &[u8]) -> Result<BTreeMap<String, Value>, StatsFileError> {
    #[derive(Deserialize)]
    struct Figures {
        cifras: BTreeMap<String, Value>,
    }
    check_format(bytes)?;
    let Figures { cifras } = serde_json::from_slice(bytes).map_err(StatsFileError::Unreadable)?;
    Ok(cifras)
}

fn check_format(bytes: &[u8]) -> Result<(), StatsFileError> {
    let Head { formato } = serde_json::from_slice(bytes).map_err(StatsFileError::Unreadable)?;
    if formato == FORMAT {
        Ok(())
    } else {
        Err(StatsFileError::OtherFormat(formato))
    }
}
