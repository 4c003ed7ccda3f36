//! What takes long, made as the command of the same name makes it.

use std::path::Path;
use std::sync::Arc;

use respaldo_contract::messages::{ErrorCode, Lang};
use respaldo_contract::records::{BackupRecord, ExportRecord, RestoreRecord, ValidationRecord};
use respaldo_domain::backup::{ArchiveName, BackupKind, Trigger};
use respaldo_domain::table::TableName;
use respaldo_domain::validation::ValidationLevel;
use respaldo_engine::backup::BackupRequest;
use respaldo_engine::export::{Durability, Existing};
use respaldo_engine::operations::Selector;
use respaldo_engine::ports::{Context, Interrupt, Progress};
use respaldo_engine::restore::{
    IntoSchema, Placement, RestoreOptions, RestoreRequest, RestoreTarget,
};
use respaldo_engine::sync::SyncError;
use respaldo_engine::validate::ValidateRequest;
use respaldo_panel::ask::{
    BackupBody, KindWord, LevelWord, Point, RestoreWish, ValidateBody, Work,
};
use respaldo_panel::ports::{Call, Planned, Problem, Watch, Worked, Works};
use serde_json::json;

use super::problem::problem;
use super::questions::{document, preview};
use super::rooms::Room;
use super::{Program, lang, point};
use crate::failure::{Failure, of_lookup, of_sink};
use crate::records;

/// Tells the panel what the engine tells.
struct Told(Arc<dyn Watch>);

impl Progress for Told {
    fn step(&self, name: &'static str, total_bytes: Option<u64>) {
        self.0.step(name, total_bytes);
    }

    fn bytes(&self, count: u64) {
        self.0.bytes(count);
    }

    fn table(&self, name: &str) {
        self.0.table(name);
    }
}

impl Works for Program {
    fn plan(&self, wish: &RestoreWish, call: &Call) -> Result<Planned, Problem> {
        let planned = self.planned(wish, call);
        planned.map_err(|failure| problem(&failure, lang(call.lang)))
    }

    fn at_work(&self, base: &str) -> Option<String> {
        let standing = self.rooms.standing(base)?;
        standing.running.map(|run| format!("respaldo serve: {run}"))
    }

    fn work(&self, work: &Work, call: &Call, watch: Arc<dyn Watch>) -> Result<Worked, Problem> {
        let interrupt = Interrupt::of(call.stop.flag());
        let cx = Context::new(interrupt, Arc::new(Told(watch)));
        let worked = self.rooms.anew(&call.base).and_then(|room| {
            let worked = done(work, &room, lang(call.lang), &cx);
            if let Some(catalog) = &room.operations.parts().catalog {
                catalog.rest();
            }
            worked
        });
        self.rooms.forget(&call.base);
        worked.map_err(|failure| problem(&failure, lang(call.lang)))
    }
}

impl Program {
    fn planned(&self, wish: &RestoreWish, call: &Call) -> Result<Planned, Failure> {
        let room = self.rooms.anew(&call.base)?;
        let cx = Self::context(call);
        // What cannot be asked for is said now.
        request(wish, Selector::Latest, &room)?;
        let (selector, _) = point::point(&wanted(wish)?)?;
        let archive = room.operations.resolve(&selector, &cx);
        let archive = archive.map_err(|fault| of_lookup(&fault))?;
        let which = Point::Id(archive.to_string());
        Ok(Planned {
            preview: preview(&room, &which, false, lang(call.lang), &cx)?,
            confirmation: target(wish, &room),
            archive: archive.to_string(),
        })
    }
}

fn usage(why: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::Usage, why)
}

fn done(work: &Work, room: &Room, said: Lang, cx: &Context) -> Result<Worked, Failure> {
    let operations = &room.operations;
    let record = match work {
        Work::Backup(body) => document(&backup(body, room, said, cx)?)?,
        Work::Validate(body) => document(&validate(body, room, said, cx)?)?,
        Work::Restore { wish, archive } => {
            let archive = archive.parse::<ArchiveName>();
            let archive = archive.map_err(|error| usage(error.to_string()))?;
            let request = request(wish, Selector::Name(archive), room)?;
            let report = operations.restore(&request, cx)?;
            document(&RestoreRecord::of(&report, said))?
        }
        Work::Export { point, folder } => return export(point, folder, room, said, cx),
        Work::Upload(which) => upload(which, room, said, cx)?,
        Work::CheckSink(name) => document(&records::check_sink(&room.config, name, said, cx)?)?,
        Work::SyncSink(name) => {
            let report = operations.sync(name, cx);
            let report = report.map_err(|error| of_sync(error, &room.config))?;
            document(&records::synced(&report, said))?
        }
        Work::Expire => document(&records::expired(&operations.expire(cx)?, said))?,
    };
    Ok(Worked { record, file: None })
}

fn of_sync(error: SyncError, config: &crate::config::Config) -> Failure {
    match error {
        SyncError::Unknown(name) => records::unknown_sink(&name, config),
        SyncError::Listing(fault) => of_sink(&fault),
        SyncError::Interrupted => Failure::of(ErrorCode::Interrupted, &error),
    }
}

fn backup(
    body: &BackupBody,
    room: &Room,
    said: Lang,
    cx: &Context,
) -> Result<BackupRecord, Failure> {
    let kind = match body.tipo {
        KindWord::Full | KindWord::Manual => BackupKind::Full,
        KindWord::Diferencial => BackupKind::Differential,
        KindWord::Incremental => BackupKind::Incremental,
    };
    if body.from_chain && kind != BackupKind::Full {
        return Err(usage("from_chain: FULL, MANUAL"));
    }
    let manual = (body.tipo == KindWord::Manual).then(|| "manual".to_owned());
    let label = body
        .etiqueta
        .clone()
        .filter(|label| !label.trim().is_empty())
        .or(manual);
    let report = if body.from_chain {
        room.operations.consolidate(label, Trigger::Operator, cx)?
    } else {
        let request = BackupRequest {
            kind,
            label,
            trigger: Trigger::Operator,
            allow_partial: body.allow_partial,
            due: None,
        };
        room.operations.backup(&request, cx)?
    };
    Ok(BackupRecord::of(&report, said))
}

fn validate(
    body: &ValidateBody,
    room: &Room,
    said: Lang,
    cx: &Context,
) -> Result<ValidationRecord, Failure> {
    let level = match body.nivel.unwrap_or(LevelWord::Chain) {
        LevelWord::Presence => ValidationLevel::Presence,
        LevelWord::Checksum => ValidationLevel::Checksum,
        LevelWord::Readable => ValidationLevel::Readable,
        LevelWord::Chain => ValidationLevel::Chain,
        LevelWord::Drill => ValidationLevel::Drill,
    };
    let named = body.ids.as_ref().map(|ids| {
        let selectors = ids.iter().map(|id| point::backup(&id.text()));
        selectors.collect::<Result<Vec<_>, _>>()
    });
    let request = ValidateRequest {
        selectors: named.transpose()?,
        level,
        scratch_server: None,
    };
    let validations = room.operations.validate(&request, cx)?;
    Ok(ValidationRecord::of(&validations, said))
}

fn export(
    which: &Point,
    folder: &Path,
    room: &Room,
    said: Lang,
    cx: &Context,
) -> Result<Worked, Failure> {
    let (selector, _) = point::point(which)?;
    let archive = room.operations.resolve(&selector, cx);
    let archive = archive.map_err(|fault| of_lookup(&fault))?;
    crate::serve::make_private(folder)
        .map_err(|error| Failure::of(ErrorCode::OutputFailed, &error))?;
    let name = format!(
        "{}.export.backup",
        archive.as_str().trim_end_matches(".backup")
    );
    let path = folder.join(&name);
    let selector = Selector::Name(archive);
    let report = room.operations.export_to_file(
        &selector,
        &path,
        Existing::Replace,
        Durability::Synced,
        cx,
    )?;
    // The name, not the place: that is of this machine, and fetched over the network.
    let record = ExportRecord::of(&report.manifest, &name, report.size_bytes, said);
    Ok(Worked {
        record: document(&record)?,
        file: Some((path, name)),
    })
}

/// Gives the backup to every sink that may lack it: optional ones, and second places.
fn upload(
    which: &str,
    room: &Room,
    said: Lang,
    cx: &Context,
) -> Result<serde_json::Value, Failure> {
    let archive = room.operations.resolve(&point::backup(which)?, cx);
    let archive = archive.map_err(|fault| of_lookup(&fault))?;
    let sinks = room.operations.parts().store.sinks().iter();
    let names: Vec<String> = sinks.map(|entry| entry.sink.name().to_owned()).collect();
    let mut done = Vec::new();
    for name in names {
        let report = room.operations.give(&name, &archive, cx);
        let report = report.map_err(|error| of_sync(error, &room.config))?;
        done.push(records::synced(&report, said));
    }
    let is_well = done.iter().all(|record| record.exitoso);
    let said: Vec<&str> = done.iter().map(|record| record.mensaje.as_str()).collect();
    Ok(json!({
        "exitoso": is_well,
        "mensaje": said.join("\n"),
        "archivo": archive,
        "destinos": document(&done)?,
    }))
}

fn wanted(wish: &RestoreWish) -> Result<Point, Failure> {
    match (&wish.at, &wish.id) {
        (Some(at), None) => Ok(Point::At(at.clone())),
        (None, Some(id)) => Ok(Point::Id(id.text())),
        _ => Err(usage("at | id")),
    }
}

fn target(wish: &RestoreWish, room: &Room) -> String {
    let configured = || room.config.source.database().to_owned();
    wish.target_db.clone().unwrap_or_else(configured)
}

fn request(wish: &RestoreWish, selector: Selector, room: &Room) -> Result<RestoreRequest, Failure> {
    let placement = if wish.replace {
        Placement::Replace {
            drop_old: wish.drop_old,
        }
    } else {
        Placement::Fresh {
            create: wish.create,
        }
    };
    let table = |text: &String| {
        TableName::parse(text).ok_or_else(|| usage(format!("tables: {text:?}: schema.name")))
    };
    let tables = wish
        .tables
        .iter()
        .map(table)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(RestoreRequest {
        selector,
        target: RestoreTarget {
            server: None,
            database: target(wish, room),
            placement,
        },
        options: RestoreOptions {
            jobs: wish.jobs.map(usize::from),
            no_owner: wish.no_owner,
            no_privileges: wish.no_privileges,
            create_roles: wish.create_roles,
            allow_older_tables: wish.allow_older_tables,
            into_schema: wish
                .into_schema
                .clone()
                .map(|schema| IntoSchema { schema, tables }),
        },
    })
}
