//! What the suites of this crate share: the golden archives, and the whole contents of an archive for comparison.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use respaldo_archive::{
    ArchiveError, ArchiveReader, ArchiveWriter, BlockKind, BlockReport, EncodeOptions, Finished,
    Toc,
};

/// Plain contents of the blocks: rows by dump id, large objects by dump id and oid.
pub type Contents = BTreeMap<(i32, Option<u32>), Vec<u8>>;

pub fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Every golden archive with its name, such as `16-zstd`.
pub fn golden() -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(golden_folder())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "dump")
        })
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect();
    found.sort();
    assert!(found.len() >= 14, "golden archives are missing");
    found
}

pub fn golden_named(name: &str) -> Vec<u8> {
    fs::read(golden_folder().join(format!("{name}.dump"))).unwrap()
}

/// Reads an archive to its end, decoding everything.
pub fn contents(archive: impl Read) -> Result<(Toc, Contents, Vec<BlockReport>), ArchiveError> {
    let mut reader = ArchiveReader::new(archive)?.with_hashes();
    let mut contents = Contents::new();
    let mut reports = Vec::new();
    while let Some(mut block) = reader.next_block()? {
        let dump_id = block.dump_id();
        match block.kind() {
            BlockKind::Data => {
                let text = all(block.decoded()?)?;
                contents.insert((dump_id, None), text);
            }
            BlockKind::Blobs => {
                while let Some(mut blob) = block.next_blob()? {
                    let bytes = all(blob.decoded()?)?;
                    if contents
                        .insert((dump_id, Some(blob.oid())), bytes)
                        .is_some()
                    {
                        return Err(ArchiveError::DamagedData("an oid comes twice"));
                    }
                }
            }
        }
        reports.push(block.finish()?);
    }
    Ok((reader.toc().clone(), contents, reports))
}

pub fn all(mut source: impl Read) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes an archive anew with every block decoded and compressed again.
pub fn rewrite(
    archive: &[u8],
    change: impl FnOnce(Toc) -> Toc,
    options: EncodeOptions,
) -> Finished<Cursor<Vec<u8>>> {
    let mut reader = ArchiveReader::new(archive).unwrap();
    let toc = change(reader.toc().clone());
    let mut writer = ArchiveWriter::create(Cursor::new(Vec::new()), toc, options).unwrap();
    while let Some(block) = reader.next_block().unwrap() {
        writer
            .rewrite_block(block.dump_id(), block, |_| Ok(()))
            .unwrap();
    }
    writer.finish().unwrap()
}

/// The stored bytes that a report speaks of.
pub fn stored<'a>(archive: &'a [u8], report: &BlockReport) -> &'a [u8] {
    &archive[report.info.offset as usize..][..report.info.length as usize]
}
