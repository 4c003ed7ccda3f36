//! A table in a manifest: one line of the file.

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::changes::Reason;
use respaldo_domain::fingerprint::RowFingerprint;
use respaldo_domain::manifest::{BlockRef, TableData, TableEntry};
use respaldo_domain::object::Sha256;
use respaldo_domain::table::{Column, Oid, RelationKind, TableName};
use serde::{Deserialize, Serialize, Serializer};

use crate::labels::{Label, OpenLabel, wire, wire_open};

/// A relation of the database at the restore point, as it is written: nothing of it is copied.
#[derive(Debug, Serialize)]
struct TableWritten<'a> {
    /// Identity within the lineage.
    oid: Oid,
    /// Schema, raw.
    esquema: &'a str,
    /// Name, raw.
    nombre: &'a str,
    /// What it is.
    clase: &'a str,
    /// Why it was dumped or not.
    motivo: &'a str,
    /// Where its rows lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    datos: Option<DataRecord>,
    /// Schema and name of the ancestor to load through.
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<(&'a str, &'a str)>,
    /// Columns of its COPY data: name and type.
    columnas: Columns<'a>,
}

#[derive(Debug)]
struct Columns<'a>(&'a [Column]);

/// The same as it is read.
#[derive(Debug, Deserialize)]
struct TableStored {
    oid: Oid,
    esquema: String,
    nombre: String,
    #[serde(with = "wire")]
    clase: RelationKind,
    #[serde(with = "wire_open")]
    motivo: Reason,
    #[serde(default)]
    datos: Option<DataRecord>,
    #[serde(default)]
    via: Option<(String, String)>,
    columnas: Vec<(String, String)>,
}

/// Rows of a table in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataRecord {
    /// The archive.
    pub archivo: ArchiveName,
    /// Dump id of the entry in it.
    pub entrada: i32,
    /// First byte of the block.
    pub posicion: u64,
    /// Stored length of the block.
    pub largo: u64,
    /// Hash of exactly these stored bytes.
    pub sha256: Sha256,
    /// Rows.
    pub filas: u64,
    /// Size of the COPY text.
    pub bytes: u64,
    /// Sum of the rows' hashes: 32 hexadecimal digits.
    #[serde(with = "hex128")]
    pub huella: u128,
}

/// The tables of a manifest, read and written one at a time: of ten thousand no second copy is held.
pub(super) mod each {
    use std::borrow::Cow;
    use std::fmt;

    use respaldo_domain::manifest::TableEntry;
    use serde::de::{Deserializer, SeqAccess, Visitor};
    use serde::ser::Serializer;

    use super::{TableStored, TableWritten};

    pub(in super::super) fn serialize<S: Serializer>(
        tables: &[TableEntry],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(tables.iter().map(TableWritten::from))
    }

    pub(in super::super) fn deserialize<'de, 'a, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Cow<'a, [TableEntry]>, D::Error> {
        deserializer.deserialize_seq(Tables).map(Cow::Owned)
    }

    struct Tables;

    impl<'de> Visitor<'de> for Tables {
        type Value = Vec<TableEntry>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of tables")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<Self::Value, A::Error> {
            let mut tables = Vec::new();
            while let Some(record) = records.next_element::<TableStored>()? {
                tables.push(record.into());
            }
            Ok(tables)
        }
    }
}

impl<'a> From<&'a TableEntry> for TableWritten<'a> {
    fn from(entry: &'a TableEntry) -> Self {
        let via = entry.load_via.as_ref();
        Self {
            oid: entry.oid,
            esquema: &entry.name.schema,
            nombre: &entry.name.name,
            clase: entry.kind.label(),
            motivo: entry.reason.label(),
            datos: entry.data.clone().map(DataRecord::from),
            via: via.map(|via| (via.schema.as_str(), via.name.as_str())),
            columnas: Columns(&entry.columns),
        }
    }
}

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|column| (&column.name, &column.sql_type)))
    }
}

impl From<TableStored> for TableEntry {
    fn from(record: TableStored) -> Self {
        Self {
            oid: record.oid,
            name: TableName {
                schema: record.esquema,
                name: record.nombre,
            },
            kind: record.clase,
            columns: record.columnas.into_iter().map(column).collect(),
            load_via: record.via.map(|(schema, name)| TableName { schema, name }),
            reason: record.motivo,
            data: record.datos.map(TableData::from),
        }
    }
}

fn column((name, sql_type): (String, String)) -> Column {
    Column { name, sql_type }
}

impl From<TableData> for DataRecord {
    fn from(data: TableData) -> Self {
        Self {
            archivo: data.archive,
            entrada: data.block.dump_id,
            posicion: data.block.offset,
            largo: data.block.length,
            sha256: data.block.sha256,
            filas: data.fingerprint.rows,
            bytes: data.plain_bytes,
            huella: data.fingerprint.sum,
        }
    }
}

impl From<DataRecord> for TableData {
    fn from(record: DataRecord) -> Self {
        Self {
            archive: record.archivo,
            block: BlockRef {
                dump_id: record.entrada,
                offset: record.posicion,
                length: record.largo,
                sha256: record.sha256,
            },
            plain_bytes: record.bytes,
            fingerprint: RowFingerprint {
                rows: record.filas,
                sum: record.huella,
            },
        }
    }
}

/// 128 bits as 32 hexadecimal digits: they do not fit a JSON number.
mod hex128 {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(sum: &u128, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{sum:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
        from.deserialize_str(Digits)
    }

    struct Digits;

    impl Visitor<'_> for Digits {
        type Value = u128;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a row fingerprint of 32 hexadecimal digits")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<u128, E> {
            if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(E::custom("a row fingerprint has 32 hexadecimal digits"));
            }
            u128::from_str_radix(text, 16).map_err(E::custom)
        }
    }
}
