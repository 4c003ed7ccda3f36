//! One archive of a restore point: its table of contents, and every block the restore point needs.

use std::collections::HashMap;
use std::io::BufReader;

use respaldo_archive::{Entry, Offset, Toc};
use respaldo_domain::fingerprint;
use respaldo_domain::manifest::{ArchiveFacts, Compression, TableData, TableEntry};
use respaldo_domain::validation::FindingCode;
use respaldo_engine::ports::{Context, Fault, FaultKind};

use crate::findings::Findings;
use crate::stream::Watched;
use crate::view::View;
use crate::{blobs, blocks};

/// Examines what lies in one archive.
pub(crate) fn check(
    request: &View<'_>,
    facts: &ArchiveFacts,
    findings: &mut Findings,
    cx: &Context,
) -> Result<(), Fault> {
    let algorithm = &request.manifest.tools.fingerprint;
    if algorithm != fingerprint::ALGORITHM {
        let detail = format!("fingerprints of {algorithm} cannot be compared by this version");
        findings.error(FindingCode::NotChecked, &facts.name, detail);
    }
    let tables = tables_in(request, facts);
    match read_toc(request, facts, cx) {
        Ok(toc) => {
            check_header(&toc, facts, findings);
            check_entries(&toc, facts, &tables, findings);
            blobs::check(request, facts, &toc, findings, cx)?;
        }
        Err(fault) => {
            findings.fault(&facts.name, &fault)?;
            // Without the object every block of it would be reported missing once more.
            if fault.kind == FaultKind::NotFound {
                return Ok(());
            }
        }
    }
    for (table, data) in tables {
        cx.check()?;
        blocks::check(request, facts, table, data, findings, cx)?;
        cx.progress().table(&table.name.to_string());
    }
    Ok(())
}

/// Tables of the restore point whose rows lie in this archive.
fn tables_in<'a>(request: &View<'a>, facts: &ArchiveFacts) -> Vec<(&'a TableEntry, &'a TableData)> {
    let tables = request.manifest.tables.iter();
    let with_data = tables.filter_map(|table| Some((table, table.data.as_ref()?)));
    with_data
        .filter(|(_, data)| data.archive == facts.name)
        .collect()
}

fn read_toc(request: &View<'_>, facts: &ArchiveFacts, cx: &Context) -> Result<Toc, Fault> {
    let mut stream = Watched::open(request.objects, &facts.name.key(), None, cx)?;
    let toc = Toc::read(&mut BufReader::new(&mut stream));
    if let Some(fault) = stream.into_fault() {
        return Err(fault);
    }
    let unreadable = |error| Fault::new(FaultKind::Corrupt, "read its table of contents", error);
    toc.map(|(toc, _)| toc).map_err(unreadable)
}

fn check_header(toc: &Toc, facts: &ArchiveFacts, findings: &mut Findings) {
    let found = (
        toc.header.version.to_string(),
        toc.header.compression.algorithm(),
    );
    let expected = (
        facts.header_version.clone(),
        in_archive(facts.compression).algorithm(),
    );
    if found != expected {
        let detail = format!("its header says {found:?} and the manifest {expected:?}");
        findings.error(FindingCode::Unreadable, &facts.name, detail);
    }
}

/// pg_restore goes by the table of contents: it must lead to the blocks that the manifest names.
fn check_entries(
    toc: &Toc,
    facts: &ArchiveFacts,
    tables: &[(&TableEntry, &TableData)],
    findings: &mut Findings,
) {
    let entries: HashMap<i32, &Entry> = toc
        .table_data()
        .map(|entry| (entry.dump_id, entry))
        .collect();
    for (table, data) in tables {
        let offset = entries.get(&data.block.dump_id).map(|entry| entry.offset);
        let problem = match offset {
            Some(Offset::NotSet) => continue,
            Some(Offset::At(at)) if at == data.block.offset => continue,
            Some(_) => "its table of contents leads to another block",
            None => "its table of contents has no entry of the block",
        };
        let subject = format!("{} in {}", table.name, facts.name);
        findings.error(FindingCode::Unreadable, subject, problem);
    }
}

/// The compression of a manifest as the archive library says it.
pub(crate) fn in_archive(compression: Compression) -> respaldo_archive::Compression {
    match compression {
        Compression::None => respaldo_archive::Compression::None,
        Compression::Gzip => respaldo_archive::Compression::Gzip(-1),
        Compression::Lz4 => respaldo_archive::Compression::Lz4,
        Compression::Zstd => respaldo_archive::Compression::Zstd,
    }
}
