//! How things stand, from what is known cheaply: sums of the catalog, the word of the service, what sinks are owed.

use chrono::{DateTime, FixedOffset, Local};
use respaldo_contract::labels::Label;
use respaldo_contract::messages::EngineState;
use respaldo_contract::records::{
    KindShare, RunningRecord, SpaceRecord, StatsRecord, StatusRecord,
};
use respaldo_domain::backup::BackupKind;
use respaldo_engine::operations::Operations;
use respaldo_engine::owed::Owed;
use respaldo_engine::ports::{CatalogEntry, Context, Survey};
use respaldo_panel::ports::Call;
use serde_json::{Value, json};

use super::super::rooms::Room;
use super::super::{Program, browse, lang};
use super::document;
use crate::catalogued;
use crate::failure::Failure;
use crate::records;
use crate::scheduled::next_backups;

/// Restore points of the first page.
const POINTS: u32 = 400;
/// Days of growth.
const DAYS: u32 = 400;

/// Counts and sizes.
pub fn stats(operations: &Operations, cx: &Context) -> Result<StatsRecord, Failure> {
    Ok(StatsRecord::of_kinds(&shares(&browse::survey(
        operations, 0, 0, cx,
    )?)))
}

/// Space per kind.
pub fn space(operations: &Operations, cx: &Context) -> Result<SpaceRecord, Failure> {
    Ok(SpaceRecord::from(&stats(operations, cx)?))
}

fn shares(survey: &Survey) -> Vec<KindShare> {
    let share = |sum: &respaldo_engine::ports::Sum| {
        Some(KindShare {
            kind: BackupKind::from_label(&sum.kind_label).ok()?,
            count: usize::try_from(sum.count).unwrap_or(usize::MAX),
            bytes: sum.bytes,
            first: here(sum.first),
            last: here(sum.last),
        })
    };
    survey.sums.iter().filter_map(share).collect()
}

fn here(at: DateTime<FixedOffset>) -> DateTime<FixedOffset> {
    at.with_timezone(&Local).fixed_offset()
}

/// The record of `status`.
pub fn status(program: &Program, call: &Call) -> Result<Value, Failure> {
    let surveyed = survey(program, 0, 0, call);
    document(&record(program, surveyed.as_ref(), call)?)
}

fn survey(
    program: &Program,
    points: u32,
    days: u32,
    call: &Call,
) -> Result<(std::sync::Arc<Room>, Survey), Failure> {
    let room = program.rooms.of(&call.base)?;
    let survey = browse::survey(&room.operations, points, days, &Program::context(call))?;
    Ok((room, survey))
}

/// What keeps the engine from being asked is told by the service, whose word is what counts then.
fn record(
    program: &Program,
    surveyed: Result<&(std::sync::Arc<Room>, Survey), &Failure>,
    call: &Call,
) -> Result<StatusRecord, Failure> {
    let said = lang(call.lang);
    let now = Local::now().fixed_offset();
    let standing = program.rooms.standing(&call.base);
    let mut record = StatusRecord::new(EngineState::Professional, &[], now);
    match surveyed {
        Ok((room, survey)) => {
            fill(&mut record, survey);
            record.proximos_backups = next_backups(&room.operations, said);
            let owed = Owed::of_folder(&room.operations.parts().settings.work_dir);
            let owed = owed.debts().map(|(sink, debt)| records::owed(sink, debt));
            record.destinos_pendientes = owed.collect();
        }
        Err(failure) if standing.is_none() => {
            return Err(Failure {
                code: failure.code,
                causes: failure.causes.clone(),
                remedies: failure.remedies.clone(),
            });
        }
        Err(_) => {}
    }
    if let Some(standing) = &standing {
        records::tell_service(&mut record, standing, said);
        if let (None, Some(run), Some(since)) =
            (&record.en_curso, &standing.running, standing.running_since)
        {
            record.en_curso = Some(RunningRecord {
                tarea: "backup".to_owned(),
                tipo: BackupKind::from_label(run).ok().map(Label::label),
                inicio: here(since.fixed_offset()),
                equipo: None,
                avance: None,
            });
        }
    }
    Ok(record)
}

fn fill(record: &mut StatusRecord, survey: &Survey) {
    record.estadisticas = StatsRecord::of_kinds(&shares(survey));
    record.espacio_uso = SpaceRecord::from(&record.estadisticas);
    record.ultimo_backup = survey.last.as_ref().map(catalogued::record);
    record.en_curso = survey.running.first().map(|entry| RunningRecord {
        tarea: "backup".to_owned(),
        tipo: BackupKind::from_label(&entry.kind_label)
            .ok()
            .map(Label::label),
        inicio: entry.started_at,
        equipo: None,
        avance: None,
    });
}

/// What the first page shows.
pub fn overview(program: &Program, call: &Call) -> Result<Value, Failure> {
    let surveyed = survey(program, POINTS, DAYS, call);
    let status = record(program, surveyed.as_ref(), call)?;
    let empty = Survey::default();
    let survey = surveyed.as_ref().map_or(&empty, |(_, survey)| survey);
    let points: Vec<Value> = survey.points.iter().map(point).collect();
    let growth = survey
        .growth
        .iter()
        .map(|(day, bytes)| json!({ "fecha": day, "bytes": bytes }));
    let tables = survey.tables;
    Ok(json!({
        "status": document(&status)?,
        "puntos": points,
        "crecimiento": growth.collect::<Vec<_>>(),
        "tablas_volcadas": tables.map(|(_, dumped)| dumped),
        "tablas_omitidas": tables.map(|(all, dumped)| all.saturating_sub(dumped)),
        "punto_sin_probar_mas_antiguo": survey.oldest_unproven,
    }))
}

fn point((entry, level): &(CatalogEntry, Option<String>)) -> Value {
    json!({
        "id": Room::name_of(entry),
        "nombre": entry.archive,
        "tipo": entry.kind_label,
        "fecha": entry.started_at,
        "estado": entry.state.label(),
        "tamano": entry.size_bytes,
        "validado": level.is_some(),
        "nivel": level,
    })
}
