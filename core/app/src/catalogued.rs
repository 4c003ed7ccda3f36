//! Catalog entries as the contract's records.

use respaldo_contract::labels::Label;
use respaldo_contract::records::{BackupShare, ListRecord};
use respaldo_domain::backup::{BackupKind, BackupState};
use respaldo_engine::ports::CatalogEntry;

/// The record of a catalog entry.
pub fn record(entry: &CatalogEntry) -> ListRecord {
    ListRecord {
        id: entry.id,
        tipo: entry.kind_label.clone(),
        archivo: entry.location.clone(),
        nombre: entry.archive.clone(),
        fecha_inicio: entry.started_at,
        fecha_fin: entry.finished_at,
        tamano: entry.size_bytes,
        checksum: entry.sha256,
        estado: entry.state,
        nube_subido: entry.in_cloud,
        nube_url: entry.copy.0.clone(),
        nube_proveedor: entry.copy.1.clone(),
        backup_base_id: entry.base_id,
        lsn_inicio: entry.lsn.0.clone(),
        lsn_fin: entry.lsn.1.clone(),
        etiqueta: entry.label.clone(),
        propio: entry.ours,
        error_mensaje: entry.error.clone(),
    }
}

/// What a completed backup adds to the sums.
pub fn share(entry: &CatalogEntry) -> Option<BackupShare> {
    let completed = entry.state == BackupState::Completed;
    let kind = BackupKind::from_label(&entry.kind_label)
        .ok()
        .filter(|_| completed)?;
    Some(BackupShare {
        kind,
        bytes: entry.size_bytes.unwrap_or(0),
        at: entry.started_at,
    })
}
