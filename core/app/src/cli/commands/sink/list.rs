//! `sink list`.

use respaldo_contract::messages::{ExitCode, Header, Lang, Outcome, Spoken, size};
use respaldo_contract::records::{SinkListRecord, SinkStateRecord};
use respaldo_engine::owed::Owed;
use respaldo_engine::ports::Context;
use respaldo_engine::store::StoreSink;

use crate::cli::app::App;
use crate::cli::say::Text;
use crate::config::{Config, SinkSettings};
use crate::doctor::address_of;
use crate::failure::{Failure, reason_of};
use crate::output::Table;
use crate::wiring;

/// Asks every sink how it stands.
pub fn run(app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let store = wiring::store(&config)?;
    let owed = wiring::owed(&config);
    let cx = app.context();
    let states = store.sinks().iter();
    let states = states.map(|entry| state(entry, &config, &owed, &cx));
    let record = SinkListRecord {
        destinos: states.collect(),
    };
    drop(cx);
    app.output.result(&record, |lang| text(&record, lang));
    let is_well = |sink: &SinkStateRecord| sink.disponible && sink.pendientes == 0;
    Ok(match record.destinos.iter().all(is_well) {
        true => ExitCode::Done,
        false => ExitCode::Look,
    })
}

fn state(entry: &StoreSink, config: &Config, owed: &Owed, cx: &Context) -> SinkStateRecord {
    let name = entry.sink.name();
    let probed = entry.sink.probe(cx);
    let named = |settings: &&SinkSettings| settings.name == name;
    let debt = owed.debts().find(|(sink, _)| *sink == name);
    SinkStateRecord {
        nombre: name.to_owned(),
        clase: config
            .sinks
            .iter()
            .find(named)
            .map(|settings| settings.strategy.clone())
            .unwrap_or_default(),
        requerido: entry.required,
        direccion: address_of(&*entry.sink),
        disponible: probed.is_ok(),
        problema: probed.as_ref().err().map(|fault| reason_of(fault)),
        espacio_libre_bytes: probed.ok().and_then(|limits| limits.free_bytes),
        pendientes: owed.count(name),
        motivo_pendiente: debt.map(|(_, debt)| debt.why.clone()),
    }
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
