//! `sink check`.

use respaldo_contract::messages::{ExitCode, Lang};
use respaldo_contract::records::SinkCheckRecord;

use crate::cli::app::App;
use crate::cli::say::Text;
use crate::failure::Failure;
use crate::records;

/// Runs the suite of all sinks against a configured one. What it puts lies below a prefix of its own
/// and is removed again.
pub fn run(name: &str, app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let cx = app.context();
    let record = records::check_sink(&config, name, app.lang(), &cx)?;
    drop(cx);
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
