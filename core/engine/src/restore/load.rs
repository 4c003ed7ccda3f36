//! Loading the rows of one table, from the block that holds its newest data, read straight from
//! the sink. A block is hashed as it passes; its rows are counted by the server.

use std::io::Read;

use respaldo_archive::decode_block;
use respaldo_domain::manifest::{Compression, TableData};
use respaldo_domain::object::ObjectKey;
use respaldo_domain::restore_plan::{RestorePlan, TableLoad};
use respaldo_domain::table::{Column, TableName, quote_identifier};
use respaldo_postgres::{CopyIn, Session};

use crate::faults::step;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind};
use crate::store::{HashingReader, Store};

/// What ends the COPY text of a block: the end mark, and two newlines of pg_dump's.
const END_MARK: &[u8] = b"\\.\n\n\n";

/// COPY text sent at once, in bytes: what a processor's cache holds on the way through decoder and driver.
const PIECE_BYTES: usize = 128 * 1024;

/// Where loads find what they need.
pub(super) struct Work<'a> {
    pub(super) parts: &'a Parts,
    pub(super) plan: &'a RestorePlan,
}

/// How rows come into a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Beside whatever the transaction did before.
    Plain,
    /// Into the table emptied in the same transaction, as rows which every transaction sees: they
    /// need not be written again when that is found out. The table must be nobody else's yet.
    Frozen,
}

/// Loads the block of a planned load.
pub(super) fn load_one(
    work: &Work<'_>,
    session: &mut Session,
    load: &TableLoad,
    manner: Manner,
    cx: &Context,
) -> Result<(), Fault> {
    step("restore.table")?;
    let table = load.entry.load_via.as_ref().unwrap_or(&load.entry.name);
    let key = load.data.archive.key();
    work.parts.store.with_sound(&key, cx, |store| match manner {
        Manner::Plain => load_from(store, work, session, load, table, manner, cx),
        Manner::Frozen => load_frozen(store, work, session, load, table, cx),
    })
}

/// Loads a block into a table emptied in the same transaction.
fn load_frozen(
    store: &Store,
    work: &Work<'_>,
    session: &mut Session,
    load: &TableLoad,
    table: &TableName,
    cx: &Context,
) -> Result<(), Fault> {
    session.batch(&format!("BEGIN; TRUNCATE TABLE ONLY {}", table.quoted()))?;
    let loaded = load_from(store, work, session, load, table, Manner::Frozen, cx);
    if loaded.is_err() {
        // A session that is lost needs none; what failed is told.
        let _ = session.batch("ROLLBACK");
        return loaded;
    }
    Ok(session.batch("COMMIT")?)
}

/// Loads a block into a table of the same columns, in one statement. Damage is not mended here: the
/// statement may be one of a transaction.
pub(super) fn load_into(
    work: &Work<'_>,
    session: &mut Session,
    load: &TableLoad,
    table: &TableName,
    manner: Manner,
    cx: &Context,
) -> Result<(), Fault> {
    load_from(&work.parts.store, work, session, load, table, manner, cx)
}

fn load_from(
    store: &Store,
    work: &Work<'_>,
    session: &mut Session,
    load: &TableLoad,
    table: &TableName,
    manner: Manner,
    cx: &Context,
) -> Result<(), Fault> {
    let data = &load.data;
    let key = data.archive.key();
    let facts = work.plan.manifest.archive_facts(&data.archive);
    let facts = facts.ok_or_else(|| {
        let what = format!("the manifest does not describe {key}");
        Fault::bare(FaultKind::Corrupt, what)
    })?;
    let range = data.block.offset..data.block.offset + data.block.length;
    let stored = store.open_inside(&key, Some(range), cx)?;
    let mut hashing = HashingReader::new(stored);
    let mut copy = session.copy_in(&copy_statement(table, &load.entry.columns, manner))?;
    let sent = send(&mut hashing, facts.compression, &mut copy, cx);
    if let Err(fault) = whole(sent, hashing, data, &key) {
        // The fault says why; that the server undoes the statement needs no answer.
        let _ = copy.abort("the block is not what the manifest says");
        return Err(fault);
    }
    let rows = copy.finish()?;
    if rows == data.fingerprint.rows {
        return Ok(());
    }
    let wanted = data.fingerprint.rows;
    let what = format!("{rows} rows were loaded instead of {wanted}");
    Err(Fault::bare(FaultKind::Corrupt, what))
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
fn copy_statement(table: &TableName, columns: &[Column], manner: Manner) -> String {
    let names: Vec<String> = columns
        .iter()
        .map(|column| quote_identifier(&column.name))
        .collect();
    let list = match names.is_empty() {
        true => String::new(),
        false => format!(" ({})", names.join(", ")),
    };
    let table = table.quoted();
    let options = match manner {
        Manner::Plain => "",
        Manner::Frozen => " WITH (FREEZE)",
    };
    format!("COPY {table}{list} FROM stdin{options}")
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
    let mut piece = vec![0; PIECE_BYTES];
    // Bytes at hand; the last few may be the end mark and stay until more comes.
    let mut held = 0;
    loop {
        cx.check()?;
        let count = text.read(&mut piece[held..]).map_err(undecoded)?;
        if count == 0 {
            break;
        }
        cx.progress().bytes(count as u64);
        held += count;
        if held > PIECE_BYTES / 2 {
            let ready = held - END_MARK.len();
            copy.send(&piece[..ready])?;
            piece.copy_within(ready..held, 0);
            held = END_MARK.len();
        }
    }
    let rest = piece[..held].strip_suffix(END_MARK).ok_or_else(|| {
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
