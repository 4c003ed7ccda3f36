//! `plugin new`.

use std::fs;
use std::path::Path;

use respaldo_contract::messages::{ErrorCode, ExitCode, Outcome};
use respaldo_contract::records::PluginNewRecord;

use crate::cli::app::App;
use crate::cli::args::{LangArg, PluginNewArgs};
use crate::failure::Failure;
use crate::plugin_skeleton;

/// Writes a skeleton into a new folder.
pub fn run(args: &PluginNewArgs, app: &App) -> Result<ExitCode, Failure> {
    let Some(LangArg::Written(language)) = app.globals.lang else {
        let what = "--lang rust or --lang c must say what it is written in";
        return Err(Failure::new(ErrorCode::Usage, what));
    };
    let files = plugin_skeleton::files(args.kind, language);
    if args.dir.exists() {
        let what = format!("{} exists already", args.dir.display());
        return Err(Failure::new(ErrorCode::OutputExists, what));
    }
    for (name, text) in &files {
        write(&args.dir.join(name), text)?;
    }
    let folder = args.dir.display().to_string();
    let record = PluginNewRecord {
        exitoso: true,
        mensaje: Outcome::PluginSkeleton { folder: &folder }.text(app.lang()),
        carpeta: folder,
        archivos: files.iter().map(|(name, _)| name.clone()).collect(),
    };
    app.output.result(&record, |_| record.mensaje.clone());
    Ok(ExitCode::Done)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            ErrorCode::OutputFailed,
            format!("{}: {error}", path.display()),
        )
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
