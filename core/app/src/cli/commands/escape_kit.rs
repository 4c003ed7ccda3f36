//! `escape-kit`.

use respaldo_contract::messages::{ExitCode, escape_kit_guide};
use respaldo_contract::records::{EscapeKitRecord, KitFileRecord};
use respaldo_engine::escape_kit::{EscapeKitRequest, KitFile};
use respaldo_engine::operations::Selector;

use super::export::exit_of;
use crate::cli::app::App;
use crate::cli::args::EscapeKitArgs;
use crate::cli::say::Text;
use crate::failure::Failure;

/// Writes a folder from which a restore point is rebuilt with stock tools alone.
pub fn run(args: EscapeKitArgs, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations_on_storage()?;
    let folder = args.output.display().to_string();
    let request = EscapeKitRequest {
        selector: Selector::from(args.point),
        folder: args.output,
        decrypted: args.decrypted,
        guide: &escape_kit_guide,
    };
    let cx = app.context();
    let report = operations.escape_kit(&request, &cx)?;
    drop(cx);
    let files = report.files.iter().map(file).collect();
    let record = EscapeKitRecord::of(&report.manifest, &folder, files, app.lang());
    app.output.result(&record, |lang| {
        let mut text = Text::new(&record.mensaje);
        text.gaps(&report.manifest.coverage, lang);
        text.into_string()
    });
    Ok(exit_of(&report.manifest.coverage))
}

fn file(file: &KitFile) -> KitFileRecord {
    KitFileRecord {
        archivo: file.name.clone(),
        tamano_bytes: file.size_bytes,
        checksum_sha256: file.sha256,
    }
}
