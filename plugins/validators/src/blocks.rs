//! One block of rows: its bytes, its decoding, its rows.

use std::hash::Hash;
use std::io::Read;

use respaldo_archive::{ArchiveError, decode_block};
use respaldo_domain::fingerprint::{self, RowFingerprint};
use respaldo_domain::manifest::{ArchiveFacts, TableData, TableEntry};
use respaldo_domain::object::Sha256;
use respaldo_domain::validation::FindingCode;
use respaldo_engine::ports::{Context, Fault, FaultKind};
use respaldo_engine::row_parts::fingerprint_of_text;

use crate::archive::in_archive;
use crate::findings::{Findings, chain_of};
use crate::stream::Watched;
use crate::view::View;

/// What a block turned out to be.
struct Decoded {
    dump_id: i32,
    length: u64,
    print: RowFingerprint,
}

/// Examines the block that holds a table's rows: at most one finding, the one nearest the cause.
pub(crate) fn check(
    request: &View<'_>,
    facts: &ArchiveFacts,
    table: &TableEntry,
    data: &TableData,
    findings: &mut Findings,
    cx: &Context,
) -> Result<(), Fault> {
    let subject = format!("{} in {}", table.name, facts.name);
    let compares_rows = request.manifest.tools.fingerprint == fingerprint::ALGORITHM;
    let claim = claim(facts, data, compares_rows);
    if request.verified.knows(&claim) {
        return Ok(());
    }
    match read(request, facts, data, cx) {
        Ok((sha256, decoded)) => {
            match problem(data, sha256, decoded, compares_rows) {
                Some((code, detail)) => findings.error(code, subject, detail),
                None => request.verified.note(&claim),
            }
            Ok(())
        }
        Err(fault) => findings.fault(subject, &fault),
    }
}

/// All that a good block is good for: another manifest may say something else of the same bytes.
fn claim(facts: &ArchiveFacts, data: &TableData, compares_rows: bool) -> impl Hash {
    let block = data.block;
    (
        (facts.name.clone(), format!("{:?}", facts.compression)),
        (block.dump_id, block.offset, block.length, block.sha256),
        (data.fingerprint.to_string(), compares_rows),
    )
}

/// Reads a block once: hashes all its bytes and decodes them as they pass.
fn read(
    request: &View<'_>,
    facts: &ArchiveFacts,
    data: &TableData,
    cx: &Context,
) -> Result<(Sha256, Result<Decoded, ArchiveError>), Fault> {
    let block = data.block;
    let beyond = || {
        Fault::bare(
            FaultKind::Corrupt,
            "the manifest puts it beyond any archive",
        )
    };
    let end = block.offset.checked_add(block.length).ok_or_else(beyond)?;
    let mut stream = Watched::open(
        request.objects,
        &facts.name.key(),
        Some(block.offset..end),
        cx,
    )?;
    let decoded = decode(&mut stream, in_archive(facts.compression));
    let (sha256, _) = stream.finish()?;
    Ok((sha256, decoded))
}

fn decode(
    stored: impl Read,
    compression: respaldo_archive::Compression,
) -> Result<Decoded, ArchiveError> {
    let mut block = decode_block(stored, compression)?;
    let print = fingerprint_of_text(&mut block)?;
    Ok(Decoded {
        dump_id: block.dump_id(),
        length: block.finish()?,
        print,
    })
}

fn problem(
    data: &TableData,
    sha256: Sha256,
    decoded: Result<Decoded, ArchiveError>,
    compares_rows: bool,
) -> Option<(FindingCode, String)> {
    let block = data.block;
    if sha256 != block.sha256 {
        let detail = format!("its block has SHA-256 {sha256} instead of {}", block.sha256);
        return Some((FindingCode::WrongChecksum, detail));
    }
    let decoded = match decoded {
        Ok(decoded) => decoded,
        Err(error) => return Some((FindingCode::Unreadable, chain_of(&error))),
    };
    if (decoded.dump_id, decoded.length) != (block.dump_id, block.length) {
        let detail = "the manifest puts another block there".to_owned();
        return Some((FindingCode::Unreadable, detail));
    }
    let detail = format!("rows {} instead of {}", decoded.print, data.fingerprint);
    let differ = compares_rows && decoded.print != data.fingerprint;
    differ.then_some((FindingCode::WrongRows, detail))
}
