//! Where inputs come from and where they are kept: golden archives, and what earlier runs found worth keeping.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use respaldo_archive::{ArchiveReader, ArchiveWriter, EncodeOptions};

/// Blocks larger than this only slow the search down.
const SLIM: usize = 400;
/// A larger input is not worth its place in the repository.
const LARGEST: u64 = 4_000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

fn read(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let archives = files.filter(|path| {
        path.extension()
            .is_some_and(|end| end == "dump" || end == "bin")
    });
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut found: Vec<_> = archives
        .map(|path| (name(&path), fs::read(&path).unwrap()))
        .collect();
    found.sort();
    found
}

/// The archives that pg_dump wrote.
pub fn golden() -> Vec<(String, Vec<u8>)> {
    read(&folder("golden"))
}

/// Inputs kept by earlier runs.
pub fn load() -> Vec<(String, Vec<u8>)> {
    read(&folder("corpus"))
}

/// The golden archives cut down to a few entries and their small blocks: every byte of them matters.
pub fn slim() -> Vec<Vec<u8>> {
    golden()
        .iter()
        .map(|(_, archive)| slimmed(archive))
        .collect()
}

fn slimmed(archive: &[u8]) -> Vec<u8> {
    let mut small = Vec::new();
    let mut reader = ArchiveReader::new(archive).unwrap();
    while let Some(block) = reader.next_block().unwrap() {
        let report = block.finish().unwrap();
        small.extend((report.info.length < SLIM as u64).then_some(report.info.dump_id));
    }
    let toc = reader.toc().slice(|entry| {
        let is_told_of = ["TABLE", "BLOB METADATA", "ACL"]
            .iter()
            .any(|kind| entry.is(kind));
        small.contains(&entry.dump_id) || (is_told_of && !entry.has_block())
    });
    let options = EncodeOptions {
        level: None,
        threads: 0,
    };
    let mut reader = ArchiveReader::new(archive).unwrap();
    let mut writer = ArchiveWriter::create(Vec::new(), toc, options).unwrap();
    while let Some(block) = reader.next_block().unwrap() {
        if small.contains(&block.dump_id()) {
            writer.copy_block(block.dump_id(), block).unwrap();
        }
    }
    writer.finish_unseekable().unwrap().out
}

/// Keeps an input in the corpus under the name of how it ended, unless a smaller one has it.
pub fn keep(outcome: &str, input: &[u8]) {
    let name = outcome
        .replace(|c: char| !c.is_alphanumeric(), "-")
        .replace("--", "-");
    let path = folder("corpus").join(format!("{name}.bin"));
    let known = fs::metadata(&path).map_or(LARGEST, |known| known.len());
    if (input.len() as u64) < known {
        fs::write(path, input).unwrap();
    }
}

/// Saves an input that broke something, out of the way of the sources; says where.
pub fn save_failure(input: &[u8]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let name = format!("hostile-{:016x}.bin", hasher.finish());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(&path, input).unwrap();
    path
}
