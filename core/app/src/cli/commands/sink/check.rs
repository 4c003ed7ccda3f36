//! `sink check`.

use std::sync::Arc;

use respaldo_contract::messages::{ExitCode, Lang, Outcome};
use respaldo_contract::records::{PromiseRecord, SinkCheckRecord};
use respaldo_engine::store::StoreSink;
use respaldo_sinks::conformance;

use super::unknown;
use crate::cli::app::App;
use crate::cli::say::Text;
use crate::failure::{Failure, of_sink};
use crate::wiring;

/// Runs the suite of all sinks against a configured one. What it puts lies below a prefix of its own
/// and is removed again.
pub fn run(name: &str, app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let store = wiring::store(&config)?;
    let named = |entry: &&StoreSink| entry.sink.name() == name;
    let found = store.sinks().iter().find(named);
    let sink = &found.ok_or_else(|| unknown(name, &config))?.sink;
    // What cannot be reached breaks no promise.
    sink.probe(&app.context())
        .map_err(|fault| of_sink(&fault))?;
    let broken = conformance::run(&|| Arc::clone(sink));
    let promises = conformance::promises().map(|promise| {
        let found = broken.iter().find(|broken| broken.promise == promise);
        PromiseRecord {
            seccion: "comportamiento",
            promesa: promise.to_owned(),
            cumple: found.is_none(),
            detalle: found.map(|broken| broken.why.clone()),
        }
    });
    let promises: Vec<PromiseRecord> = promises.collect();
    let (broken, count, lang) = (broken.len(), promises.len(), app.lang());
    let summary = match broken {
        0 => Outcome::SinkKeepsAll {
            sink: &name,
            count: &count,
        },
        _ => Outcome::SinkBreaks {
            sink: &name,
            broken: &broken,
            count: &count,
        },
    };
    let record = SinkCheckRecord {
        exitoso: broken == 0,
        mensaje: summary.text(lang),
        destino: name.to_owned(),
        comprobaciones: promises,
    };
    app.output.result(&record, |lang| text(&record, lang));
    Ok(match record.exitoso {
        true => ExitCode::Done,
        false => ExitCode::Look,
    })
}

fn text(record: &SinkCheckRecord, _lang: Lang) -> String {
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
