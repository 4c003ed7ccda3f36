//! Loading rows: each table once, from the block that holds its newest data, read straight from
//! the sink, largest first, several at a time. A block is hashed as it passes; its rows are
//! counted by the server.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Mutex;
use std::thread;

use respaldo_archive::decode_block;
use respaldo_domain::manifest::{Compression, TableData};
use respaldo_domain::object::ObjectKey;
use respaldo_domain::restore_plan::{RestorePlan, TableLoad};
use respaldo_domain::table::{Column, TableName, quote_identifier};
use respaldo_postgres::{ConnInfo, CopyIn, Session, SessionOptions};

use super::{Restore, RestoreError};
use crate::faults::step;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::store::HashingReader;

/// What ends the COPY text of a block: the end mark, and two newlines of pg_dump's.
const END_MARK: &[u8] = b"\\.\n\n\n";

/// Up to this size, in stored bytes, a table takes longer to begin and end than to load.
const SMALL_BYTES: u64 = 64 * 1024;

/// COPY text sent at once, in bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// Loads every table of the plan. A table whose load fails is tried once more after all others:
/// a CHECK may call a function that reads another table.
pub(super) fn load(
    restore: &Restore<'_>,
    plan: &RestorePlan,
    database: &ConnInfo,
) -> Result<(), RestoreError> {
    restore
        .enter("restore.load")
        .map_err(RestoreError::Definitions)?;
    let work = Work {
        parts: restore.parts,
        plan,
        database,
        cx: restore.cx,
    };
    let is_small = |load: &&TableLoad| load.data.block.length <= SMALL_BYTES;
    let (small, large) = plan.loads.iter().partition(is_small);
    let mut postponed = in_parallel(&work, large, restore.jobs())?;
    postponed.extend(in_parallel(&work, small, restore.jobs_for_small_tables())?);
    let mut failed = in_parallel(&work, postponed.iter().map(|(load, _)| *load).collect(), 1)?;
    match failed.pop() {
        None => Ok(()),
        Some((load, source)) => Err(RestoreError::Load {
            table: load.entry.name.clone(),
            source,
        }),
    }
}

/// What every loading thread shares.
pub(super) struct Work<'a> {
    pub(super) parts: &'a Parts,
    pub(super) plan: &'a RestorePlan,
    pub(super) database: &'a ConnInfo,
    pub(super) cx: &'a Context,
}

type Failed<'a> = Vec<(&'a TableLoad, Fault)>;

/// Loads with several sessions; returns the tables that the server refused and that may go later.
fn in_parallel<'a>(
    work: &Work<'a>,
    loads: VecDeque<&'a TableLoad>,
    jobs: usize,
) -> Result<Failed<'a>, RestoreError> {
    let jobs = jobs.min(loads.len());
    let queue = Mutex::new(loads);
    let refused = Mutex::new(Vec::new());
    let stop = work.cx.interrupt().child();
    let results = thread::scope(|scope| {
        let spawn = |_| {
            scope.spawn(|| {
                let cx = work.cx.with_interrupt(stop.clone());
                let result = drain_queue(work, &queue, &refused, &cx);
                if result.is_err() {
                    stop.set();
                }
                result
            })
        };
        let threads: Vec<_> = (0..jobs).map(spawn).collect();
        let panicked =
            || RestoreError::Definitions(Fault::bare(FaultKind::Internal, "a load panicked"));
        let join = |thread: thread::ScopedJoinHandle<'_, Result<(), RestoreError>>| {
            thread.join().unwrap_or_else(|_| Err(panicked()))
        };
        threads.into_iter().map(join).collect::<Vec<_>>()
    });
    // The first real error, not the cancellation of the other threads that followed from it.
    let cancelled = |result: &Result<(), RestoreError>| matches!(result, Err(RestoreError::Load { source, .. }) if source.kind == FaultKind::Cancelled);
    let (echoes, first): (Vec<_>, Vec<_>) = results.into_iter().partition(cancelled);
    first.into_iter().chain(echoes).collect::<Result<(), _>>()?;
    Ok(refused.into_inner().unwrap_or_default())
}

fn drain_queue<'a>(
    work: &Work<'a>,
    queue: &Mutex<VecDeque<&'a TableLoad>>,
    refused: &Mutex<Failed<'a>>,
    cx: &Context,
) -> Result<(), RestoreError> {
    let mut session = connect(work)?;
    loop {
        let next = queue.lock().ok().and_then(|mut queue| queue.pop_front());
        let Some(load) = next else { return Ok(()) };
        let failed = |source| RestoreError::Load {
            table: load.entry.name.clone(),
            source,
        };
        cx.check().map_err(failed)?;
        match load_one(work, &mut session, load, cx) {
            Ok(()) => cx.progress().table(&load.entry.name.to_string()),
            Err(fault) if fault.kind == FaultKind::Invalid => {
                // The session may be in the middle of a COPY.
                session = connect(work)?;
                if let Ok(mut refused) = refused.lock() {
                    refused.push((load, fault));
                }
            }
            Err(fault) => return Err(failed(fault)),
        }
    }
}

fn connect(work: &Work<'_>) -> Result<Session, RestoreError> {
    let mut options = SessionOptions::default();
    if let Some(id) = work.parts.settings.maintenance_user_id {
        options
            .settings
            .push(("app.user_id".to_owned(), id.to_string()));
    }
    options
        .settings
        .push(("synchronous_commit".to_owned(), "off".to_owned()));
    Session::connect(work.database, &options).map_err(|e| RestoreError::Server(e.into()))
}

fn load_one(
    work: &Work<'_>,
    session: &mut Session,
    load: &TableLoad,
    cx: &Context,
) -> Result<(), Fault> {
    step("restore.table")?;
    let table = load.entry.load_via.as_ref().unwrap_or(&load.entry.name);
    load_into(work, session, load, table, cx)
}

/// Loads a block into a table of the same columns, in one statement.
pub(super) fn load_into(
    work: &Work<'_>,
    session: &mut Session,
    load: &TableLoad,
    table: &TableName,
    cx: &Context,
) -> Result<(), Fault> {
    let data = &load.data;
    let key = data.archive.key();
    let facts = work
        .plan
        .manifest
        .archive_facts(&data.archive)
        .ok_or_else(|| {
            Fault::bare(
                FaultKind::Corrupt,
                format!("the manifest does not describe {key}"),
            )
        })?;
    let range = data.block.offset..data.block.offset + data.block.length;
    let stored = work.parts.store.open(&key, Some(range), cx)?;
    let mut hashing = HashingReader::new(stored);
    let mut copy = session.copy_in(&copy_statement(table, &load.entry.columns))?;
    let sent = send(&mut hashing, facts.compression, &mut copy, cx);
    if let Err(fault) = whole(sent, hashing, data, &key) {
        // The fault says why; that the server undoes the statement needs no answer.
        let _ = copy.abort("the block is not what the manifest says");
        return Err(fault);
    }
    let rows = copy.finish()?;
    match rows == data.fingerprint.rows {
        true => Ok(()),
        false => {
            let what = format!(
                "{rows} rows were loaded instead of {}",
                data.fingerprint.rows
            );
            Err(Fault::bare(FaultKind::Corrupt, what))
        }
    }
}

/// Whether a block is what the manifest says. A damaged one may break the decoder or be refused by
/// the server first: then its hash still tells that it was the damage.
fn whole<R: Read>(
    sent: Result<(), Fault>,
    mut block: HashingReader<R>,
    data: &TableData,
    key: &ObjectKey,
) -> Result<(), Fault> {
    if matches!(&sent, Err(fault) if !matches!(fault.kind, FaultKind::Invalid | FaultKind::Corrupt))
    {
        return sent;
    }
    let drained = block.drain();
    if let Err(error) = drained {
        return sent.and(Err(crate::store::fault_of_io(
            format!("reading {key}"),
            error,
        )));
    }
    match block.finish().0 == data.block.sha256 {
        true => sent,
        false => Err(Fault::bare(
            FaultKind::Corrupt,
            format!(
                "a block of {key} is damaged (at byte {})",
                data.block.offset
            ),
        )),
    }
}

/// `COPY table (columns) FROM stdin`; without a list where there is no column to name.
fn copy_statement(table: &TableName, columns: &[Column]) -> String {
    let names: Vec<String> = columns
        .iter()
        .map(|column| quote_identifier(&column.name))
        .collect();
    let list = match names.is_empty() {
        true => String::new(),
        false => format!(" ({})", names.join(", ")),
    };
    let (schema, name) = (
        quote_identifier(&table.schema),
        quote_identifier(&table.name),
    );
    format!("COPY {schema}.{name}{list} FROM stdin")
}

/// Decodes a block and sends its rows, without the end mark.
fn send(
    stored: &mut (impl Read + ?Sized),
    compression: Compression,
    copy: &mut CopyIn<'_>,
    cx: &Context,
) -> Result<(), Fault> {
    let broken = |e| Fault::new(FaultKind::Corrupt, "a block cannot be decoded", e);
    let mut text = decode_block(stored, archive_compression(compression)).map_err(broken)?;
    let mut held: Vec<u8> = Vec::with_capacity(PIECE_BYTES + END_MARK.len());
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        cx.check()?;
        let count = text.read(&mut piece).map_err(undecoded)?;
        if count == 0 {
            break;
        }
        cx.progress().bytes(count as u64);
        held.extend_from_slice(&piece[..count]);
        let ready = held.len().saturating_sub(END_MARK.len());
        if ready >= PIECE_BYTES / 2 {
            copy.send(&held[..ready])?;
            held.drain(..ready);
        }
    }
    let rest = held.strip_suffix(END_MARK).ok_or_else(|| {
        Fault::bare(
            FaultKind::Corrupt,
            "a block does not end with the end mark of COPY",
        )
    })?;
    if !rest.is_empty() {
        copy.send(rest)?;
    }
    Ok(())
}

/// Storage's own fault where reading failed, else a block that is no block.
fn undecoded(error: std::io::Error) -> Fault {
    error
        .downcast::<Fault>()
        .unwrap_or_else(|error| Fault::new(FaultKind::Corrupt, "a block cannot be decoded", error))
}

/// The archive reader's word for a compression.
pub(crate) fn archive_compression(compression: Compression) -> respaldo_archive::Compression {
    match compression {
        Compression::None => respaldo_archive::Compression::None,
        Compression::Gzip => respaldo_archive::Compression::Gzip(-1),
        Compression::Lz4 => respaldo_archive::Compression::Lz4,
        Compression::Zstd => respaldo_archive::Compression::Zstd,
    }
}
