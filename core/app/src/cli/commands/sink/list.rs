//! `sink list`.

use respaldo_contract::messages::{ExitCode, Header, Lang, Outcome, Spoken, size};
use respaldo_contract::records::{SinkListRecord, SinkStateRecord};

use crate::cli::app::App;
use crate::cli::say::Text;
use crate::failure::Failure;
use crate::output::Table;
use crate::records;

/// Asks every sink how it stands.
pub fn run(app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let cx = app.context();
    let record = records::sinks(&config, &cx)?;
    drop(cx);
    app.output.result(&record, |lang| text(&record, lang));
    let is_well = |sink: &SinkStateRecord| sink.disponible && sink.pendientes == 0;
    Ok(match record.destinos.iter().all(is_well) {
        true => ExitCode::Done,
        false => ExitCode::Look,
    })
}

fn text(record: &SinkListRecord, lang: Lang) -> String {
    let headings = [
        Header::Sink,
        Header::Kind,
        Header::Required,
        Header::Address,
        Header::Space,
        Header::Owed,
    ];
    let mut table = Table::new(lang, &headings);
    for sink in &record.destinos {
        let yes_no = if sink.requerido {
            Header::Yes
        } else {
            Header::No
        };
        let room = match (sink.disponible, sink.espacio_libre_bytes) {
            (false, _) => "!!".to_owned(),
            (true, Some(free)) => size(free, lang),
            (true, None) => Header::Yes.spoken(lang).to_owned(),
        };
        table.row([
            sink.nombre.clone(),
            sink.clase.clone(),
            yes_no.spoken(lang).to_owned(),
            sink.direccion.clone(),
            room,
            sink.pendientes.to_string(),
        ]);
    }
    let mut text = Text::default();
    text.line(table);
    for sink in &record.destinos {
        if let Some(problem) = &sink.problema {
            text.line(format_args!("!!  {}: {problem}", sink.nombre));
        }
        if let Some(why) = &sink.motivo_pendiente {
            let (sink, count) = (&sink.nombre, &sink.pendientes);
            let owed = Outcome::SinkIsOwed { sink, count, why };
            text.line(format_args!("!!  {}", owed.text(lang)));
        }
    }
    text.into_string()
}
