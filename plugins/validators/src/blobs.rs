//! Large objects of an archive. Manifests name no block of theirs, so they are found by the table
//! of contents.

use std::io::{self, Read};

use respaldo_archive::{ArchiveError, ArchiveReader, Entry, Offset, Toc};
use respaldo_domain::manifest::ArchiveFacts;
use respaldo_domain::validation::FindingCode;
use respaldo_engine::ports::{Context, Fault};

use crate::findings::{Findings, chain_of};
use crate::stream::Watched;
use crate::view::View;

/// Decodes the large objects of an archive if the restore point takes them from it.
pub(crate) fn check(
    request: &View<'_>,
    facts: &ArchiveFacts,
    toc: &Toc,
    findings: &mut Findings,
    cx: &Context,
) -> Result<(), Fault> {
    let expected = &request.manifest.large_objects;
    if expected.archive.as_ref() != Some(&facts.name) {
        return Ok(());
    }
    let subject = format!("large objects in {}", facts.name);
    let claim = (&subject, facts.sha256, expected.count);
    if request.verified.knows(&claim) {
        return Ok(());
    }
    let mut count = 0;
    for entry in toc
        .entries
        .iter()
        .filter(|entry| entry.has_block() && !entry.is_table_data())
    {
        let Offset::At(offset) = entry.offset else {
            let detail = "the archive does not say where they are";
            findings.error(FindingCode::NotChecked, &subject, detail);
            return Ok(());
        };
        match count_in(request, facts, &only(toc, entry), offset, cx) {
            Ok(Ok(objects)) => count += objects,
            Ok(Err(error)) => {
                findings.error(FindingCode::Unreadable, &subject, chain_of(&error));
                return Ok(());
            }
            Err(fault) => return findings.fault(&subject, &fault),
        }
    }
    if count == expected.count {
        request.verified.note(&claim);
    } else {
        let detail = format!("{count} instead of {}", expected.count);
        findings.error(FindingCode::WrongRows, &subject, detail);
    }
    Ok(())
}

/// A table of contents with this entry alone.
fn only(toc: &Toc, entry: &Entry) -> Toc {
    let mut only = toc.slice(|other| other.dump_id == entry.dump_id);
    for entry in &mut only.entries {
        entry.offset = Offset::NotSet;
    }
    only
}

/// Decodes every large object of the block at `offset`, read as an archive of its own.
fn count_in(
    request: &View<'_>,
    facts: &ArchiveFacts,
    toc: &Toc,
    offset: u64,
    cx: &Context,
) -> Result<Result<u64, ArchiveError>, Fault> {
    let mut head = Vec::new();
    if let Err(error) = toc.write(&mut head) {
        return Ok(Err(error));
    }
    let end = facts.archive_bytes().max(offset);
    let mut stream = Watched::open(request.objects, &facts.name.key(), Some(offset..end), cx)?;
    let counted = decode_all(head.chain(&mut stream));
    match stream.into_fault() {
        Some(fault) => Err(fault),
        None => Ok(counted),
    }
}

fn decode_all(archive: impl Read) -> Result<u64, ArchiveError> {
    let mut reader = ArchiveReader::new(archive)?;
    let mut count = 0;
    if let Some(mut block) = reader.next_block()? {
        while let Some(mut object) = block.next_blob()? {
            io::copy(&mut object.decoded()?, &mut io::sink())?;
            count += 1;
        }
        return Ok(count);
    }
    Err(ArchiveError::Truncated {
        at: 0,
        reading: "large objects",
    })
}
