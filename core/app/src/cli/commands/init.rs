//! `init`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use respaldo_contract::messages::{ErrorCode, ExitCode, Outcome};
use serde_json::json;

use super::doctor;
use crate::cli::app::App;
use crate::config::{self, Config, Sources};
use crate::failure::{Failure, of_catalog};
use crate::wiring;

/// Writes a configuration file, checks it, makes the repository and the catalog.
pub fn run(app: &App) -> Result<ExitCode, Failure> {
    let named = app.sources.file.as_deref();
    let named = named.unwrap_or(Path::new(config::FILE_NAME));
    let path = app.sources.environment.folder().join(named);
    write_new(&path)?;
    let written = Sources {
        file: Some(path.clone()),
        ..app.sources.clone()
    };
    let config = Config::load(&written, Vec::new())?;
    make(&config, app)?;
    let record = doctor::examine(&config, app);
    let repository = config.repository.display();
    let message = |lang| {
        Outcome::Initialized {
            file: &path.display(),
            repository: &repository,
        }
        .text(lang)
    };
    let document = json!({
        "exitoso": true,
        "mensaje": message(app.lang()),
        "archivo": path,
        "comprobaciones": record.comprobaciones,
    });
    app.output.result(&document, |lang| {
        format!("{}\n\n{}", message(lang), doctor::text(&record, lang))
    });
    Ok(doctor::exit_of(&record))
}

/// Never overwrites.
fn write_new(path: &PathBuf) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(config::template().as_bytes()));
    written.map_err(|error| {
        let code = match error.kind() {
            ErrorKind::AlreadyExists => ErrorCode::Usage,
            _ => ErrorCode::ConfigUnreadable,
        };
        Failure::new(code, format!("{}: {error}", path.display()))
    })
}

/// The folder of the repository, for its owner only, and the tables of the catalog.
fn make(config: &Config, app: &App) -> Result<(), Failure> {
    for entry in wiring::store(config)?.sinks() {
        entry.sink.probe(&app.context())?;
    }
    match wiring::catalog(config) {
        Some(catalog) => catalog.migrate().map_err(|fault| of_catalog(&fault)),
        None => Ok(()),
    }
}
