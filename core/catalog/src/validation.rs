//! Rows of `backup_validation`.

use respaldo_contract::labels::{Label, OpenLabel, ValidationResult};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::object::Sha256;
use respaldo_domain::validation::Finding;
use respaldo_engine::ports::ValidationRecord;
use respaldo_postgres::{Session, sql};
use serde_json::{Value, json};

use crate::error::CatalogError;

/// A row to be written.
pub(crate) struct ValidationRow {
    archive: ArchiveName,
    level: &'static str,
    verdict: &'static str,
    found: Option<Sha256>,
    expected: Option<Sha256>,
    seconds: f64,
    detail: Value,
}

impl ValidationRow {
    pub(crate) fn of(record: &ValidationRecord<'_>) -> Self {
        let findings: Vec<Value> = record.findings.iter().map(finding).collect();
        Self {
            archive: record.archive.clone(),
            level: record.level.label(),
            verdict: ValidationResult::of(record.findings).label(),
            found: record.sha256_found,
            expected: record.sha256_expected,
            seconds: record.seconds,
            detail: json!({ "hallazgos": findings }),
        }
    }
}

fn finding(finding: &Finding) -> Value {
    json!({
        "nivel": finding.level.label(),
        "gravedad": finding.severity.label(),
        "codigo": finding.code.label(),
        "objeto": finding.subject,
        "mensaje": finding.detail,
    })
}

/// Writes it; the backup must be recorded.
pub(crate) fn record(session: &mut Session, row: ValidationRow) -> Result<(), CatalogError> {
    let insert = sql("
        INSERT INTO seguridad.backup_validation
            (backup_id, tipo_validacion, resultado, checksum_calculado, checksum_esperado,
             tiempo_segundos, detalles, validado_por)
        SELECT id, $2, $3, $4, $5, $6::float8::numeric(10, 2), $7, 'respaldo'
        FROM seguridad.backup_manifest WHERE archivo_nombre = $1")
    .bind(row.archive.to_string())
    .bind(row.level)
    .bind(row.verdict)
    .bind(row.found.map(|hash| hash.to_string()))
    .bind(row.expected.map(|hash| hash.to_string()))
    .bind(row.seconds)
    .bind(row.detail);
    match session.execute(insert)? {
        0 => Err(CatalogError::Unknown(row.archive)),
        _ => Ok(()),
    }
}
