//! Sinks: how they stand, whether they keep their promises, what was copied into them.

use std::sync::Arc;

use respaldo_contract::messages::{ErrorCode, Lang, Outcome, size};
use respaldo_contract::records::{
    PromiseRecord, SinkCheckRecord, SinkLackRecord, SinkListRecord, SinkStateRecord, SinkSyncRecord,
};
use respaldo_domain::backup::ArchiveName;
use respaldo_engine::owed::Owed;
use respaldo_engine::ports::{Context, Fault};
use respaldo_engine::store::StoreSink;
use respaldo_engine::sync::SyncReport;
use respaldo_sinks::conformance;

use crate::config::{Config, SinkSettings};
use crate::doctor::address_of;
use crate::failure::{Failure, of_sink, reason_of};
use crate::wiring;

/// Every sink, asked how it stands.
pub fn sinks(config: &Config, cx: &Context) -> Result<SinkListRecord, Failure> {
    let store = wiring::store(config)?;
    let owed = wiring::owed(config);
    let states = store.sinks().iter();
    let states = states.map(|entry| state(entry, config, &owed, cx));
    Ok(SinkListRecord {
        destinos: states.collect(),
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

/// Runs the suite of all sinks against a configured one. What it puts lies below a prefix of its own
/// and is removed again.
pub fn check_sink(
    config: &Config,
    name: &str,
    lang: Lang,
    cx: &Context,
) -> Result<SinkCheckRecord, Failure> {
    let store = wiring::store(config)?;
    let named = |entry: &&StoreSink| entry.sink.name() == name;
    let found = store.sinks().iter().find(named);
    let sink = &found.ok_or_else(|| unknown_sink(name, config))?.sink;
    // What cannot be reached breaks no promise.
    sink.probe(cx).map_err(|fault| of_sink(&fault))?;
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
    let (broken, count) = (broken.len(), promises.len());
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
    Ok(SinkCheckRecord {
        exitoso: broken == 0,
        mensaje: summary.text(lang),
        destino: name.to_owned(),
        comprobaciones: promises,
    })
}

/// What was copied into a sink.
pub fn synced(report: &SyncReport, lang: Lang) -> SinkSyncRecord {
    let (sink, count) = (&report.sink, report.copied.len());
    let (bytes, failed) = (size(report.copied_bytes, lang), report.failed.len());
    let summary = match (count, failed) {
        (0, 0) => Outcome::SinkLacksNothing { sink },
        (_, 0) => Outcome::SinkFilled {
            sink,
            count: &count,
            size: &bytes,
        },
        _ => Outcome::SinkStillLacks {
            sink,
            count: &count,
            failed: &failed,
        },
    };
    let lack = |(archive, fault): &(ArchiveName, Fault)| SinkLackRecord {
        archivo: archive.to_string(),
        motivo: reason_of(fault),
    };
    SinkSyncRecord {
        exitoso: failed == 0 && report.unlocked.is_empty(),
        mensaje: summary.text(lang),
        destino: sink.clone(),
        copiados: report.copied.iter().map(ToString::to_string).collect(),
        bytes: report.copied_bytes,
        fallidos: report.failed.iter().map(lack).collect(),
        sin_bloqueo: report.unlocked.iter().map(lack).collect(),
    }
}

/// No sink has that name.
pub fn unknown_sink(name: &str, config: &Config) -> Failure {
    let known: Vec<&str> = config.sinks.iter().map(|sink| sink.name.as_str()).collect();
    let why = format!(
        "there is no sink {name:?}; configured are: {}",
        known.join(", ")
    );
    Failure::new(ErrorCode::Usage, why)
}
