//! `plugin check`.

use std::sync::Arc;

use respaldo_contract::messages::{ErrorCode, ExitCode, Lang, Outcome};
use respaldo_contract::records::{PluginCheckRecord, PromiseRecord};
use respaldo_engine::ports::{Context, Quiet};
use serde_json::Value;

use crate::cli::app::App;
use crate::cli::args::PluginCheckArgs;
use crate::cli::say::Text;
use crate::demo::Narrator;
use crate::failure::Failure;
use crate::plugin_check::{self, Promise};
use crate::records::described;

/// Examines a library.
pub fn run(args: &PluginCheckArgs, app: &App) -> Result<ExitCode, Failure> {
    let path = std::path::absolute(&args.path).unwrap_or_else(|_| args.path.clone());
    let options = options(&args.options)?;
    let narrator = Narrator {
        lang: app.lang(),
        say: &|line| tracing::info!("{line}"),
    };
    let found = plugin_check::run(
        &path,
        args.id.as_deref(),
        options,
        &narrator,
        // A rehearsal's steps are no news.
        &Context::new(app.interrupt.clone(), Arc::new(Quiet)),
    )?;
    let broken = found.promises.iter().filter(|p| p.broken.is_some()).count();
    let (count, lang) = (found.promises.len(), app.lang());
    let summary = match broken {
        0 => Outcome::PluginKeepsAll { count: &count },
        _ => Outcome::PluginBreaks {
            broken: &broken,
            count: &count,
        },
    };
    let record = PluginCheckRecord {
        exitoso: broken == 0,
        mensaje: summary.text(lang),
        ruta: path.display().to_string(),
        sha256: found.sha256.to_string(),
        complemento: described(&found.description.id, &found.description),
        comprobaciones: found.promises.iter().map(promise).collect(),
    };
    app.output.result(&record, |lang| text(&record, lang));
    Ok(match broken {
        0 => ExitCode::Done,
        _ => ExitCode::Look,
    })
}

fn options(text: &str) -> Result<Value, Failure> {
    let wrong = |why: String| Failure::new(ErrorCode::Usage, format!("--options: {why}"));
    let text = match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|e| wrong(format!("{path}: {e}")))?,
        None => text.to_owned(),
    };
    match serde_json::from_str(&text) {
        Ok(options @ Value::Object(_)) => Ok(options),
        Ok(_) => Err(wrong("must be a JSON object".to_owned())),
        Err(error) => Err(wrong(error.to_string())),
    }
}

fn promise(promise: &Promise) -> PromiseRecord {
    PromiseRecord {
        seccion: promise.section.word(),
        promesa: promise.text.clone(),
        cumple: promise.broken.is_none(),
        detalle: promise.broken.clone(),
    }
}

fn text(record: &PluginCheckRecord, _lang: Lang) -> String {
    let mut text = Text::default();
    for promise in &record.comprobaciones {
        let mark = if promise.cumple { "ok" } else { "!!" };
        text.line(format_args!("{mark}  {}", promise.promesa));
        if let Some(detail) = &promise.detalle {
            text.line(format_args!("      {detail}"));
        }
    }
    text.line(&record.mensaje);
    text.into_string()
}
