//! The catalog in parts: chosen, sorted and counted by the server.

use std::ops::Range;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use respaldo_contract::labels::{Label, ValidationResult};
use respaldo_domain::backup::{BackupId, BackupState};
use respaldo_domain::validation::ValidationLevel;
use respaldo_engine::ports::{
    Act, Browse, CatalogEntry, Day, EntryOrder, EntryPage, Event, EventLevel, Fault, Part, Sum,
    Survey, Validated,
};
use respaldo_postgres::{Session, Statement, sql};
use serde_json::Value;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::entry::{self, SELECT};
use crate::error::{CatalogError, unreadable};
use crate::labels;
use crate::pg_catalog::PgCatalog;

/// Runs under way that are told of.
const MOST_RUNNING: i64 = 20;

/// Backups whose newest validation that read rows ended well, and its level; a rehearsal outweighs a look. `$1` are the
/// levels, `$2` is a rehearsal's, `$3` the good verdict.
const PROVEN: &str = "
    SELECT backup_id, tipo_validacion FROM (
        SELECT DISTINCT ON (backup_id) backup_id, tipo_validacion, resultado
          FROM seguridad.backup_validation
         WHERE tipo_validacion = ANY ($1)
         ORDER BY backup_id, tipo_validacion = $2 DESC, fecha_validacion DESC, id DESC) AS newest
     WHERE resultado = $3";

impl Browse for PgCatalog {
    fn page(&self, wanted: &EntryPage) -> Result<Part<CatalogEntry>, Fault> {
        let wanted = wanted.clone();
        self.run("listing backups", move |session| page(session, &wanted))
    }

    fn survey(&self, points: u32, days: u32) -> Result<Survey, Fault> {
        self.run("asking how things stand", move |session| {
            survey(session, points, days)
        })
    }

    fn days(&self, limit: u32) -> Result<Vec<Day>, Fault> {
        self.run("asking for days with backups", move |session| {
            days(session, limit)
        })
    }

    fn family(&self, id: BackupId, limit: u32) -> Result<Vec<CatalogEntry>, Fault> {
        self.run(
            &format!("asking what belongs to backup {id}"),
            move |session| family(session, id, limit),
        )
    }

    fn validations(
        &self,
        of: Option<BackupId>,
        rows: Range<u32>,
    ) -> Result<Part<Validated>, Fault> {
        self.run("listing validations", move |session| {
            validations(session, of, &rows)
        })
    }

    fn events(&self, level: Option<EventLevel>, rows: Range<u32>) -> Result<Part<Event>, Fault> {
        self.run("listing events", move |session| {
            events(session, level, &rows)
        })
    }

    fn note(&self, acts: &[Act]) -> Result<(), Fault> {
        let acts = acts.to_vec();
        self.run("recording who did what", move |session| {
            note(session, &acts)
        })
    }

    fn acts(&self, rows: Range<u32>) -> Result<Part<Act>, Fault> {
        self.run("reading who did what", move |session| acts(session, &rows))
    }
}

fn window(statement: Statement, rows: &Range<u32>) -> Statement {
    let count = rows.end.saturating_sub(rows.start);
    statement.bind(i64::from(count)).bind(i64::from(rows.start))
}

fn part<T>(
    session: &mut Session,
    question: Statement,
    count: Statement,
    read: impl Fn(&PgRow) -> Result<T, sqlx::Error>,
) -> Result<Part<T>, CatalogError> {
    let total: i64 = session.value(count)?;
    let rows = session.rows(question)?;
    let rows = rows.iter().map(|row| read(row).map_err(unreadable));
    Ok(Part {
        rows: rows.collect::<Result<_, _>>()?,
        total: u64::try_from(total).unwrap_or(0),
    })
}

const CHOSEN: &str = "
    WHERE ($1::text[] IS NULL OR tipo_backup = ANY ($1))
      AND ($2::text IS NULL OR estado = $2)
      AND ($3::timestamptz IS NULL OR fecha_inicio >= $3)
      AND ($4::timestamptz IS NULL OR fecha_inicio < $4)
      AND ($5::text IS NULL OR strpos(lower(archivo_nombre), lower($5)) > 0
           OR strpos(lower(metadata->>'etiqueta'), lower($5)) > 0)";

fn page(session: &mut Session, wanted: &EntryPage) -> Result<Part<CatalogEntry>, CatalogError> {
    let chosen = |text: String| {
        sql(text)
            .bind(wanted.kind.map(labels::kinds))
            .bind(wanted.state.map(Label::label))
            .bind(wanted.since)
            .bind(wanted.before)
            .bind(wanted.text.clone())
    };
    let (column, nulls) = match wanted.order {
        EntryOrder::Started => ("fecha_inicio", ""),
        EntryOrder::Size => ("tamano_bytes", " NULLS LAST"),
        EntryOrder::Kind => ("tipo_backup", ""),
        EntryOrder::State => ("estado", ""),
    };
    let direction = if wanted.descending { "DESC" } else { "ASC" };
    let by_start = match (wanted.order, wanted.descending) {
        (EntryOrder::Started, false) => "id ASC",
        (EntryOrder::Started, true) => "id DESC",
        _ => "fecha_inicio DESC, id DESC",
    };
    let question = format!(
        "{SELECT} {CHOSEN} ORDER BY {column} {direction}{nulls}, {by_start} LIMIT $6 OFFSET $7"
    );
    let count = format!("SELECT count(*) FROM seguridad.backup_manifest {CHOSEN}");
    let question = window(chosen(question), &wanted.rows);
    part(session, question, chosen(count), entry::entry)
}

fn proven_of(text: &str) -> Statement {
    sql(text.replace("PROVEN", PROVEN))
        .bind(vec![
            ValidationLevel::Readable.label().to_owned(),
            ValidationLevel::Chain.label().to_owned(),
            ValidationLevel::Drill.label().to_owned(),
        ])
        .bind(ValidationLevel::Drill.label())
        .bind(ValidationResult::of(&[]).label())
}

fn survey(session: &mut Session, points: u32, days: u32) -> Result<Survey, CatalogError> {
    let done = BackupState::Completed.label();
    let entries = |session: &mut Session, question: Statement| {
        let rows = session.rows(question)?;
        let entries = rows.iter().map(|row| entry::entry(row).map_err(unreadable));
        entries.collect::<Result<Vec<_>, CatalogError>>()
    };
    let newest = sql(format!(
        "{SELECT} WHERE estado = $1 ORDER BY fecha_inicio DESC, id DESC LIMIT 1"
    ));
    let running = sql(format!(
        "{SELECT} WHERE estado = $1 AND metadata->>'motor' = 'respaldo'
         ORDER BY fecha_inicio DESC, id DESC LIMIT $2"
    ));
    let running = running
        .bind(BackupState::Running.label())
        .bind(MOST_RUNNING);
    Ok(Survey {
        sums: sums(session, done)?,
        last: entries(session, newest.bind(done))?.into_iter().next(),
        tables: tables(session, done)?,
        running: entries(session, running)?,
        points: newest_points(session, done, points)?,
        growth: growth(session, done, days)?,
        oldest_unproven: oldest_unproven(session, done)?,
    })
}

fn sums(session: &mut Session, done: &'static str) -> Result<Vec<Sum>, CatalogError> {
    let question = sql("
        SELECT tipo_backup, count(*) AS cuenta, coalesce(sum(tamano_bytes), 0)::bigint AS bytes,
               min(fecha_inicio) AS primero, max(fecha_inicio) AS ultimo
          FROM seguridad.backup_manifest WHERE estado = $1 GROUP BY 1 ORDER BY 1")
    .bind(done);
    let sum = |row: &PgRow| -> Result<Sum, sqlx::Error> {
        Ok(Sum {
            kind_label: row.try_get("tipo_backup")?,
            count: unsigned(row, "cuenta")?,
            bytes: unsigned(row, "bytes")?,
            first: time(row, "primero")?,
            last: time(row, "ultimo")?,
        })
    };
    let rows = session.rows(question)?;
    rows.iter()
        .map(|row| sum(row).map_err(unreadable))
        .collect()
}

fn tables(session: &mut Session, done: &'static str) -> Result<Option<(u64, u64)>, CatalogError> {
    let question = sql("
        SELECT (metadata->>'tablas_total')::bigint, (metadata->>'tablas_volcadas')::bigint
          FROM seguridad.backup_manifest
         WHERE estado = $1 AND metadata->>'motor' = 'respaldo'
           AND jsonb_typeof(metadata->'tablas_total') = 'number'
           AND jsonb_typeof(metadata->'tablas_volcadas') = 'number'
         ORDER BY fecha_inicio DESC, id DESC LIMIT 1")
    .bind(done);
    let Some(row) = session.optional_row(question)? else {
        return Ok(None);
    };
    let number = |at: usize| {
        let number: i64 = row.try_get(at).map_err(unreadable)?;
        Ok::<_, CatalogError>(u64::try_from(number).unwrap_or(0))
    };
    Ok(Some((number(0)?, number(1)?)))
}

fn newest_points(
    session: &mut Session,
    done: &'static str,
    limit: u32,
) -> Result<Vec<(CatalogEntry, Option<String>)>, CatalogError> {
    let select = SELECT.replacen("SELECT ", "SELECT proven.tipo_validacion AS prueba, ", 1);
    let text = format!(
        "{select} LEFT JOIN (PROVEN) AS proven ON proven.backup_id = id
         WHERE estado = $4 ORDER BY fecha_inicio DESC, id DESC LIMIT $5"
    );
    let question = proven_of(&text).bind(done).bind(i64::from(limit));
    let rows = session.rows(question)?;
    let point = |row: &PgRow| Ok((entry::entry(row)?, row.try_get("prueba")?));
    rows.iter()
        .map(|row| point(row).map_err(unreadable))
        .collect()
}

/// All that was stored before counts for the first day that is told of.
fn growth(
    session: &mut Session,
    done: &'static str,
    days: u32,
) -> Result<Vec<(NaiveDate, u64)>, CatalogError> {
    let question = sql("
        SELECT dia, bytes FROM (
            SELECT fecha_inicio::date AS dia,
                   sum(sum(coalesce(tamano_bytes, 0))) OVER (ORDER BY fecha_inicio::date)::bigint AS bytes
              FROM seguridad.backup_manifest WHERE estado = $1 GROUP BY 1
             ORDER BY 1 DESC LIMIT $2) AS newest
         ORDER BY dia")
    .bind(done)
    .bind(i64::from(days));
    let rows = session.rows(question)?;
    let day = |row: &PgRow| Ok((row.try_get("dia")?, unsigned(row, "bytes")?));
    rows.iter()
        .map(|row| day(row).map_err(unreadable))
        .collect()
}

fn oldest_unproven(
    session: &mut Session,
    done: &'static str,
) -> Result<Option<DateTime<FixedOffset>>, CatalogError> {
    let question = proven_of(
        "SELECT min(fecha_inicio) FROM seguridad.backup_manifest
          WHERE estado = $4 AND metadata->>'motor' = 'respaldo' AND id NOT IN (SELECT backup_id FROM (PROVEN) AS proven)",
    );
    let oldest: Option<DateTime<Utc>> = session.value(question.bind(done))?;
    Ok(oldest.map(|at| at.fixed_offset()))
}

fn days(session: &mut Session, limit: u32) -> Result<Vec<Day>, CatalogError> {
    let question = sql("
        SELECT count(*) AS cuenta, min(fecha_inicio) AS primero, max(fecha_inicio) AS ultimo
          FROM seguridad.backup_manifest WHERE estado = $1
         GROUP BY fecha_inicio::date ORDER BY fecha_inicio::date DESC LIMIT $2")
    .bind(BackupState::Completed.label())
    .bind(i64::from(limit));
    let day = |row: &PgRow| -> Result<Day, sqlx::Error> {
        Ok(Day {
            count: unsigned(row, "cuenta")?,
            first: time(row, "primero")?,
            last: time(row, "ultimo")?,
        })
    };
    let rows = session.rows(question)?;
    rows.iter()
        .map(|row| day(row).map_err(unreadable))
        .collect()
}

/// UNION ends at what was seen, so that links in a circle end too.
fn family(
    session: &mut Session,
    id: BackupId,
    limit: u32,
) -> Result<Vec<CatalogEntry>, CatalogError> {
    let question = sql(format!(
        "WITH RECURSIVE below (id, base) AS (
             SELECT id, backup_base_id FROM seguridad.backup_manifest WHERE id = $1
             UNION
             SELECT m.id, m.backup_base_id FROM seguridad.backup_manifest AS m JOIN below ON m.id = below.base),
         above (id) AS (
             SELECT $1::bigint
             UNION
             SELECT m.id FROM seguridad.backup_manifest AS m JOIN above ON m.backup_base_id = above.id)
         SELECT * FROM ({SELECT}
              WHERE id IN (SELECT id FROM below UNION SELECT id FROM above)
              ORDER BY fecha_inicio DESC, id DESC LIMIT $2) AS family
          ORDER BY fecha_inicio, id"
    ))
    .bind(id.0)
    .bind(i64::from(limit));
    let rows = session.rows(question)?;
    rows.iter()
        .map(|row| entry::entry(row).map_err(unreadable))
        .collect()
}

fn validations(
    session: &mut Session,
    of: Option<BackupId>,
    rows: &Range<u32>,
) -> Result<Part<Validated>, CatalogError> {
    let of = of.map(|id| id.0);
    let question = sql("
        SELECT v.id, v.backup_id, m.archivo_nombre, m.tipo_backup, v.fecha_validacion, v.tipo_validacion,
               v.resultado, v.tiempo_segundos::float8 AS segundos, coalesce(v.detalles, '{}') AS detalles
          FROM seguridad.backup_validation AS v
          JOIN seguridad.backup_manifest AS m ON m.id = v.backup_id
         WHERE ($1::bigint IS NULL OR v.backup_id = $1)
         ORDER BY v.fecha_validacion DESC, v.id DESC LIMIT $2 OFFSET $3");
    let count = sql("
        SELECT count(*) FROM seguridad.backup_validation WHERE ($1::bigint IS NULL OR backup_id = $1)");
    part(
        session,
        window(question.bind(of), rows),
        count.bind(of),
        |row| {
            Ok(Validated {
                id: row.try_get("id")?,
                backup: BackupId(row.try_get("backup_id")?),
                archive: row.try_get("archivo_nombre")?,
                kind_label: row.try_get("tipo_backup")?,
                at: time(row, "fecha_validacion")?,
                level: row.try_get("tipo_validacion")?,
                verdict: row.try_get("resultado")?,
                seconds: row.try_get("segundos")?,
                detail: row.try_get("detalles")?,
            })
        },
    )
}

fn events(
    session: &mut Session,
    level: Option<EventLevel>,
    rows: &Range<u32>,
) -> Result<Part<Event>, CatalogError> {
    let there = "SELECT to_regclass('seguridad.backup_event') IS NOT NULL";
    // The application drops it at each load of its schema.
    if !session.value(sql(there))? {
        return Ok(Part {
            rows: Vec::new(),
            total: 0,
        });
    }
    let level = level.map(labels::event_level);
    let question = sql("
        SELECT id, fecha_hora, coalesce(nivel_log, 'INFO') AS nivel, tipo_evento, backup_id,
               coalesce(detalle, '{}') AS detalle
          FROM seguridad.backup_event WHERE ($1::text IS NULL OR nivel_log = $1)
         ORDER BY fecha_hora DESC, id DESC LIMIT $2 OFFSET $3");
    let count = sql(
        "SELECT count(*) FROM seguridad.backup_event WHERE ($1::text IS NULL OR nivel_log = $1)",
    );
    part(
        session,
        window(question.bind(level), rows),
        count.bind(level),
        |row| {
            Ok(Event {
                id: row.try_get("id")?,
                at: time(row, "fecha_hora")?,
                level: row.try_get("nivel")?,
                kind: row.try_get("tipo_evento")?,
                backup: row.try_get::<Option<i64>, _>("backup_id")?.map(BackupId),
                detail: row.try_get("detalle")?,
            })
        },
    )
}

fn note(session: &mut Session, acts: &[Act]) -> Result<(), CatalogError> {
    let texts =
        |of: fn(&Act) -> &String| acts.iter().map(|act| of(act).clone()).collect::<Vec<_>>();
    let insert = sql("
        INSERT INTO seguridad.respaldo_audit
            (acto, fecha, usuario, origen, accion, objeto, resultado, detalle)
        SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[],
                             $7::text[], $8::jsonb[])
        ON CONFLICT (acto) DO NOTHING")
    .bind(acts.iter().map(|act| act.id).collect::<Vec<Uuid>>())
    .bind(acts.iter().map(|act| act.at).collect::<Vec<DateTime<Utc>>>())
    .bind(texts(|act| &act.user))
    .bind(texts(|act| &act.address))
    .bind(texts(|act| &act.action))
    .bind(texts(|act| &act.object))
    .bind(texts(|act| &act.outcome))
    .bind(acts.iter().map(|act| act.detail.clone()).collect::<Vec<Value>>());
    session.execute(insert)?;
    Ok(())
}

fn acts(session: &mut Session, rows: &Range<u32>) -> Result<Part<Act>, CatalogError> {
    let question = sql("
        SELECT acto, fecha, usuario, origen, accion, objeto, resultado, detalle
          FROM seguridad.respaldo_audit ORDER BY fecha DESC, id DESC LIMIT $1 OFFSET $2");
    let count = sql("SELECT count(*) FROM seguridad.respaldo_audit");
    part(session, window(question, rows), count, |row| {
        Ok(Act {
            id: row.try_get("acto")?,
            at: row.try_get("fecha")?,
            user: row.try_get("usuario")?,
            address: row.try_get("origen")?,
            action: row.try_get("accion")?,
            object: row.try_get("objeto")?,
            outcome: row.try_get("resultado")?,
            detail: row.try_get("detalle")?,
        })
    })
}

fn time(row: &PgRow, column: &str) -> Result<DateTime<FixedOffset>, sqlx::Error> {
    row.try_get::<DateTime<Utc>, _>(column)
        .map(|at| at.fixed_offset())
}

fn unsigned(row: &PgRow, column: &str) -> Result<u64, sqlx::Error> {
    row.try_get::<i64, _>(column)
        .map(|number| u64::try_from(number).unwrap_or(0))
}
