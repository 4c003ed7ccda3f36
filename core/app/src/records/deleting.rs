//! Numbers of backups that go.

use respaldo_contract::records::DeletedRecord;
use respaldo_domain::backup::{ArchiveName, BackupId};
use respaldo_engine::operations::Operations;
use respaldo_engine::ports::CatalogFilter;

/// Catalog numbers as they are before anything is removed; none where the catalog is silent.
pub struct Numbers(Vec<(String, BackupId)>);

impl Numbers {
    /// As they are now.
    pub fn before(operations: &Operations) -> Self {
        let catalog = operations.parts().catalog.as_ref();
        let entries = catalog.and_then(|catalog| catalog.list(&CatalogFilter::default()).ok());
        let pairs = entries
            .unwrap_or_default()
            .into_iter()
            .filter_map(|entry| Some((entry.archive, entry.id?)));
        Self(pairs.collect())
    }

    /// Archives with their numbers.
    pub fn name(&self, archives: Vec<ArchiveName>) -> Vec<DeletedRecord> {
        let id_of = |name: &ArchiveName| {
            self.0
                .iter()
                .find(|(archive, _)| archive == name.as_str())
                .map(|(_, id)| *id)
        };
        archives
            .into_iter()
            .map(|name| DeletedRecord {
                id: id_of(&name),
                archivo: name,
            })
            .collect()
    }
}
