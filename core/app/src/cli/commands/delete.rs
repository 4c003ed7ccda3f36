//! `delete`.

use respaldo_contract::messages::{ErrorCode, ExitCode};
use respaldo_contract::records::{DeleteRecord, DeletedRecord};
use respaldo_domain::backup::{ArchiveName, BackupId};
use respaldo_engine::operations::{Operations, Selector};
use respaldo_engine::ports::CatalogFilter;
use respaldo_engine::remove::RemoveError;

use crate::cli::app::App;
use crate::cli::args::DeleteArgs;
use crate::failure::Failure;

/// Removes one backup, or says what stands in the way.
pub fn run(args: DeleteArgs, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations()?;
    let selector = Selector::from(args.backup);
    let (lang, cx) = (app.lang(), app.context());
    let numbers = Numbers::before(&operations);
    match operations.delete(&selector, args.with_dependents, &cx) {
        Ok(removed) => {
            let record = DeleteRecord::deleted(numbers.name(removed.archives), lang);
            app.output.result(&record, |_| text(&record));
            Ok(ExitCode::Done)
        }
        // One document says both: that it failed, and what depends on it.
        Err(RemoveError::Needed(dependents)) if app.output.json => {
            let record = DeleteRecord::refused(numbers.name(dependents), lang);
            app.output.result(&record, |_| text(&record));
            Ok(ErrorCode::HasDependents.exit_code())
        }
        Err(error) => Err(error.into()),
    }
}

/// Catalog numbers as they are before anything is removed; none where the catalog is silent.
struct Numbers(Vec<(String, BackupId)>);

impl Numbers {
    fn before(operations: &Operations) -> Self {
        let catalog = operations.parts().catalog.as_ref();
        let entries = catalog.and_then(|catalog| catalog.list(&CatalogFilter::default()).ok());
        let pairs = entries
            .unwrap_or_default()
            .into_iter()
            .filter_map(|entry| Some((entry.archive, entry.id?)));
        Self(pairs.collect())
    }

    fn name(&self, archives: Vec<ArchiveName>) -> Vec<DeletedRecord> {
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

fn text(record: &DeleteRecord) -> String {
    let names = record
        .eliminados
        .iter()
        .map(|backup| format!("\n  {}", backup.archivo));
    format!("{}{}", record.mensaje, names.collect::<String>())
}
