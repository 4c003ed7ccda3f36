//! Loading the rows of one table, from the block that holds its newest data, read straight from
//! the sink. A block is hashed as it passes; its rows are counted by the server.
//!
//! Into a table that is the restore's own, rows go in binary as far as they can, which spares the server two fifths of
//! its work, and as text from the first row on that had better be sent so. All of it is one transaction.

mod text;

use std::io::Read;

use respaldo_archive::decode_block;
use respaldo_domain::manifest::{Compression, TableData};
use respaldo_domain::object::ObjectKey;
use respaldo_domain::restore_plan::{RestorePlan, TableLoad};
use respaldo_domain::table::{TableName, quote_identifier};
use respaldo_postgres::{BinaryRows, CopyIn, PgError, Session};

use self::text::CopyText;
use crate::faults::step;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind};
use crate::store::{HashingReader, Store};

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

/// A table to be filled, and from what.
struct Filling<'a> {
    store: &'a Store,
    work: &'a Work<'a>,
    load: &'a TableLoad,
    table: &'a TableName,
    manner: Manner,
    cx: &'a Context,
}

/// Loads the block of a planned load. `connect` gives another session where one was lost with a damaged block.
pub(super) fn load_one(
    work: &Work<'_>,
    session: &mut Session,
    connect: impl Fn() -> Result<Session, Fault>,
    load: &TableLoad,
    manner: Manner,
    cx: &Context,
) -> Result<(), Fault> {
    step("restore.table")?;
    let table = load.entry.load_via.as_ref().unwrap_or(&load.entry.name);
    let key = load.data.archive.key();
    work.parts.store.with_sound(&key, cx, |store| {
        if session.is_lost() {
            *session = connect()?;
        }
        let filling = Filling {
            store,
            work,
            load,
            table,
            manner,
            cx,
        };
        match manner {
            Manner::Plain => filling.fill(session, None),
            Manner::Frozen => filling.fill_frozen(session),
        }
    })
}

/// Loads a block into a table of the same columns, as text in one statement. Damage is not mended here: the
/// statement may be one of a transaction.
pub(super) fn load_into(
    work: &Work<'_>,
    session: &mut Session,
    load: &TableLoad,
    table: &TableName,
    cx: &Context,
) -> Result<(), Fault> {
    let filling = Filling {
        store: &work.parts.store,
        work,
        load,
        table,
        manner: Manner::Plain,
        cx,
    };
    filling.fill(session, None)
}

impl Filling<'_> {
    /// Fills a table emptied in the same transaction, in binary where the types of its columns allow.
    fn fill_frozen(&self, session: &mut Session) -> Result<(), Fault> {
        let columns = &self.load.entry.columns;
        // Who may not look at the catalog loads text.
        let binary = BinaryRows::of(session, self.table, columns).ok().flatten();
        let filled = self.fill_in_transaction(session, binary.as_ref());
        match (filled, binary) {
            // Should a server want a value written otherwise, it gets the text: that is what was dumped.
            (Err(fault), Some(_)) if fault.kind == FaultKind::Invalid => {
                tracing::debug!(table = %self.table, error = %fault, "refused in binary, sent as text");
                self.fill_in_transaction(session, None)
            }
            (filled, _) => filled,
        }
    }

    fn fill_in_transaction(
        &self,
        session: &mut Session,
        binary: Option<&BinaryRows>,
    ) -> Result<(), Fault> {
        let table = self.table.quoted();
        let emptied = session.batch(&format!("BEGIN; TRUNCATE TABLE ONLY {table}"));
        let filled = emptied
            .map_err(Fault::from)
            .and_then(|()| self.fill(session, binary));
        if filled.is_err() {
            // A session that is lost needs none; what failed is told.
            let _ = session.batch("ROLLBACK");
            return filled;
        }
        Ok(session.batch("COMMIT")?)
    }

    /// Fills the table: as text in one statement; in binary in one, and in another what is left as text.
    fn fill(&self, session: &mut Session, binary: Option<&BinaryRows>) -> Result<(), Fault> {
        let data = &self.load.data;
        let key = data.archive.key();
        let facts = self.work.plan.manifest.archive_facts(&data.archive);
        let facts = facts.ok_or_else(|| {
            let what = format!("the manifest does not describe {key}");
            Fault::bare(FaultKind::Corrupt, what)
        })?;
        let range = data.block.offset..data.block.offset + data.block.length;
        let stored = self.store.open_inside(&key, Some(range), self.cx)?;
        let mut block = HashingReader::new(stored);
        let Copied { rows, open } = match self.copy(session, &mut block, facts.compression, binary)
        {
            Ok(copied) => copied,
            Err(fault) => return whole(Err(fault), block, data, &key),
        };
        if let Err(fault) = whole(Ok(()), block, data, &key) {
            return Err(match open {
                Some(copy) => give_up(copy, fault),
                None => fault,
            });
        }
        let rows = rows + open.map_or(Ok(0), CopyIn::finish)?;
        match data.fingerprint.rows {
            wanted if wanted == rows => Ok(()),
            wanted => Err(Fault::bare(
                FaultKind::Corrupt,
                format!("{rows} rows were loaded instead of {wanted}"),
            )),
        }
    }

    /// Decodes a block and sends its rows.
    fn copy<'s>(
        &self,
        session: &'s mut Session,
        block: &mut impl Read,
        compression: Compression,
        binary: Option<&BinaryRows>,
    ) -> Result<Copied<'s>, Fault> {
        let broken = |e| Fault::new(FaultKind::Corrupt, "a block cannot be decoded", e);
        let decoded = decode_block(block, archive_compression(compression)).map_err(broken)?;
        let mut text = CopyText::new(decoded);
        let mut rows = 0;
        if let Some(binary) = binary {
            let mut copy = session.copy_in(&self.statement(Form::Binary))?;
            match send_binary(&mut text, binary, &mut copy, self.cx) {
                Ok(()) => rows = copy.finish().map_err(refused)?,
                Err(fault) => return Err(give_up(copy, fault)),
            }
            if !text.fill(self.cx)? {
                return Ok(Copied { rows, open: None });
            }
            tracing::debug!(table = %self.table, rows, "the rest is sent as text");
        }
        let mut copy = session.copy_in(&self.statement(Form::Text))?;
        match send_text(&mut text, &mut copy, self.cx) {
            Ok(()) => Ok(Copied {
                rows,
                open: Some(copy),
            }),
            Err(fault) => Err(give_up(copy, fault)),
        }
    }

    /// `COPY table (columns) FROM stdin`; without a list where there is no column to name.
    fn statement(&self, form: Form) -> String {
        let columns = &self.load.entry.columns;
        let names: Vec<String> = columns
            .iter()
            .map(|column| quote_identifier(&column.name))
            .collect();
        let list = match names.is_empty() {
            true => String::new(),
            false => format!(" ({})", names.join(", ")),
        };
        let table = self.table.quoted();
        let frozen = (self.manner == Manner::Frozen).then_some("FREEZE");
        let binary = (form == Form::Binary).then_some("FORMAT binary");
        let options: Vec<&str> = frozen.into_iter().chain(binary).collect();
        match options.is_empty() {
            true => format!("COPY {table}{list} FROM stdin"),
            false => format!(
                "COPY {table}{list} FROM stdin WITH ({})",
                options.join(", ")
            ),
        }
    }
}

/// What was sent of a block.
struct Copied<'s> {
    /// Rows of a statement that has ended: those in binary.
    rows: u64,
    /// The statement of those sent as text, to be ended by who knows whether the block is sound.
    open: Option<CopyIn<'s>>,
}

/// How rows are written on the way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Binary,
}

/// Ends a statement whose rows are not to stay.
fn give_up(copy: CopyIn<'_>, fault: Fault) -> Fault {
    // The fault says why; that the server undoes the statement needs no answer.
    let _ = copy.abort("not all rows are there, or they are not what the manifest says");
    fault
}

/// What the server says to rows in binary. One that wants more bytes of a value calls that a breach of the protocol.
fn refused(error: PgError) -> Fault {
    let is_breach = error.sqlstate.as_deref() == Some("08P01");
    let mut fault = Fault::from(error);
    if is_breach {
        fault.kind = FaultKind::Invalid;
    }
    fault
}

/// Sends rows in binary: all, or those before the first that had better be sent as text.
fn send_binary(
    text: &mut CopyText<impl Read>,
    rows: &BinaryRows,
    copy: &mut CopyIn<'_>,
    cx: &Context,
) -> Result<(), Fault> {
    copy.send(BinaryRows::HEADER)?;
    let mut piece = Vec::new();
    while text.fill(cx)? {
        let ready = text.ready();
        let whole = ready.iter().rposition(|byte| *byte == b'\n');
        let whole = whole.map_or(0, |at| at + 1);
        let taken = rows.convert(&ready[..whole], &mut piece);
        text.take(taken);
        copy.send(&piece)?;
        piece.clear();
        if taken < whole || whole == 0 && !text.grow() {
            break;
        }
    }
    Ok(copy.send(BinaryRows::TRAILER)?)
}

/// Sends rows as text.
fn send_text(
    text: &mut CopyText<impl Read>,
    copy: &mut CopyIn<'_>,
    cx: &Context,
) -> Result<(), Fault> {
    while text.fill(cx)? {
        copy.send(text.ready())?;
        text.take(text.ready().len());
    }
    Ok(())
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

/// The archive reader's word for a compression.
pub(crate) fn archive_compression(compression: Compression) -> respaldo_archive::Compression {
    match compression {
        Compression::None => respaldo_archive::Compression::None,
        Compression::Gzip => respaldo_archive::Compression::Gzip(-1),
        Compression::Lz4 => respaldo_archive::Compression::Lz4,
        Compression::Zstd => respaldo_archive::Compression::Zstd,
    }
}
