//! How things stand: what the service of this machine said, and what sinks are owed.

use chrono::{DateTime, Local, Utc};
use respaldo_contract::messages::{EngineState, Lang, Outcome};
use respaldo_contract::records::{OwedRecord, ServiceRecord, StatusRecord};
use respaldo_engine::owed::Debt;

use crate::cli::say;
use crate::serve::{Standing, in_contract};

/// Adds what the service of this machine said last: it is at work, or it said nothing for too long.
pub fn tell_service(record: &mut StatusRecord, standing: &Standing, lang: Lang) {
    if !standing.is_alive(Utc::now()) {
        record.motor = EngineState::Stopped;
        record.motivo = Some(silence(standing, lang));
        return;
    }
    record.motor = in_contract(&standing.state);
    record.motivo = standing.state.reason().map(str::to_owned);
    record.servicio = Some(ServiceRecord {
        pid: standing.pid,
        lidera: standing.leads,
        panel: standing
            .panel
            .clone()
            .or_else(|| standing.listens.map(|address| format!("http://{address}"))),
    });
}

/// Nothing makes backups by itself, and something should.
pub fn silence(standing: &Standing, lang: Lang) -> String {
    let at = say::time(standing.written_at.with_timezone(&Local).fixed_offset());
    Outcome::ServiceIsSilent { at: &at }.text(lang)
}

/// What a sink is owed.
pub fn owed(sink: &str, debt: &Debt) -> OwedRecord {
    let here = |at: DateTime<Utc>| at.with_timezone(&Local).fixed_offset();
    OwedRecord {
        nombre: sink.to_owned(),
        pendientes: debt.archives.len(),
        desde: here(debt.since),
        intentos: debt.tries,
        proximo_intento: here(debt.next_at),
        motivo_pendiente: debt.why.clone(),
    }
}
