//! Rows of `backup_validation`.

use std::collections::BTreeSet;

use respaldo_contract::labels::{Label, OpenLabel, ValidationResult};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::object::Sha256;
use respaldo_domain::validation::{Finding, ValidationLevel};
use respaldo_engine::ports::ValidationRecord;
use respaldo_postgres::{Session, sql};
use serde_json::{Value, json};
use sqlx::Row;

use crate::error::{CatalogError, unreadable};

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

/// Archives whose newest validation that read rows ended well. A rehearsal outweighs a look.
pub(crate) fn proven(session: &mut Session) -> Result<BTreeSet<ArchiveName>, CatalogError> {
    let question = sql("
        SELECT DISTINCT ON (m.id) m.archivo_nombre, v.resultado
          FROM seguridad.backup_validation AS v
          JOIN seguridad.backup_manifest AS m ON m.id = v.backup_id
         WHERE v.tipo_validacion = ANY ($1)
         ORDER BY m.id, v.tipo_validacion = $2 DESC, v.fecha_validacion DESC, v.id DESC")
    .bind(vec![
        ValidationLevel::Readable.label().to_owned(),
        ValidationLevel::Chain.label().to_owned(),
        ValidationLevel::Drill.label().to_owned(),
    ])
    .bind(ValidationLevel::Drill.label());
    let success = ValidationResult::of(&[]).label();
    let mut proven = BTreeSet::new();
    for row in session.rows(question)? {
        let name: String = row.try_get(0).map_err(unreadable)?;
        let verdict: String = row.try_get(1).map_err(unreadable)?;
        if verdict == success
            && let Ok(name) = name.parse()
        {
            proven.insert(name);
        }
    }
    Ok(proven)
}
