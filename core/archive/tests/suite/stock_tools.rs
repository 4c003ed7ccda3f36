//! Stock pg_dump and pg_restore of PostgreSQL 15 (or `PG_TEST_VERSION`) as judges of what is written here.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{contents, golden_folder, stored};
use respaldo_archive::{
    ArchiveReader, ArchiveWriter, BlockKind, BlockReport, Compression, EncodeOptions, Entry,
    Hashes, Offset, Splice, SplicedBlock, Toc, read_copy_lines, write_spliced,
};
use respaldo_tests::Cluster;

/// A database with the golden schema and a table that takes several pieces to compress.
fn cluster() -> Cluster {
    let cluster = Cluster::start();
    cluster.new_database("origin");
    let schema = fs::read_to_string(golden_folder().join("schema.sql")).unwrap();
    cluster.psql("origin", &schema);
    cluster.psql("origin", BIG);
    cluster
}

const BIG: &str = "
    CREATE TABLE big AS SELECT g AS id, md5(g::text) || repeat(chr(65 + g % 26), g % 60) AS note
        FROM generate_series(1, 60000) g;
    ALTER TABLE big ADD PRIMARY KEY (id);
    CREATE TABLE child (big_id integer REFERENCES big);
    INSERT INTO child SELECT g FROM generate_series(1, 1000) g;
";

fn dump_command(cluster: &Cluster, extra: &[&str]) -> Command {
    let mut command = cluster.tool("pg_dump");
    command
        .arg("-Fc")
        .args(extra)
        .arg("-d")
        .arg(cluster.url("origin"));
    command
}

fn dump(cluster: &Cluster, extra: &[&str]) -> Vec<u8> {
    let out = dump_command(cluster, extra).output().unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    out.stdout
}

/// What pg_restore prints, without the lines that are random.
fn restored(cluster: &Cluster, archive: &Path, arguments: &[&str]) -> String {
    let out = cluster
        .tool("pg_restore")
        .args(arguments)
        .arg(archive)
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let text = String::from_utf8(out.stdout).unwrap();
    let lasting = |line: &&str| {
        let random = ["\\restrict", "\\unrestrict", ";     Compression:"];
        !random.iter().any(|start| line.starts_with(start))
    };
    text.lines().filter(lasting).collect::<Vec<_>>().join("\n")
}

/// Restores into a database of its own with so many jobs, and gives its rows.
fn restore_and_read(cluster: &Cluster, archive: &Path, jobs: &str) -> String {
    let url = cluster.new_database("copy");
    let restore = cluster
        .tool("pg_restore")
        .args(["-e", jobs, "-d", &url])
        .arg(archive)
        .output()
        .unwrap();
    assert!(
        restore.status.success(),
        "{}",
        String::from_utf8_lossy(&restore.stderr)
    );
    let rows = rows_of(cluster, "copy");
    cluster.drop_database("copy");
    rows
}

fn rows_of(cluster: &Cluster, db: &str) -> String {
    cluster.psql(
        db,
        "SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM big t;
         SELECT md5(string_agg(t::text, '|' ORDER BY id)) FROM plain t;
         SELECT * FROM \"Weird schema\".\"tab\twith\nnewline, ñ and \\ backslash\";
         SELECT count(*), sum(big_id) FROM child;
         SELECT * FROM counted; SELECT * FROM parts; SELECT last_value FROM counter;
         SELECT oid, md5(lo_get(oid)), obj_description(oid, 'pg_largeobject')
             FROM pg_largeobject_metadata ORDER BY oid;",
    )
}

fn file(folder: &tempfile::TempDir, name: &str, archive: &[u8]) -> std::path::PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, archive).unwrap();
    path
}

#[test]
fn an_uncompressed_dump_compressed_on_the_way_restores_like_the_original() {
    let (cluster, folder) = (cluster(), tempfile::tempdir().unwrap());
    let original = file(&folder, "original", &dump(&cluster, &[]));
    let script = restored(&cluster, &original, &["-f", "-"]);
    let list = restored(&cluster, &original, &["-l"]);
    for threads in [0, 1, 2, 4] {
        let ours = folder.path().join(format!("ours-{threads}"));
        compress_pipe(
            &cluster,
            &ours,
            EncodeOptions {
                level: Some(2),
                threads,
            },
        );
        let same = restored(&cluster, &ours, &["-f", "-"]) == script;
        assert!(same, "the script differs with {threads} threads");
        assert_eq!(
            without_head(&restored(&cluster, &ours, &["-l"])),
            without_head(&list)
        );
        let offsets = Toc::read(&mut &fs::read(&ours).unwrap()[..]).unwrap().0;
        assert!(
            offsets
                .table_data()
                .all(|entry| matches!(entry.offset, Offset::At(_)))
        );
        for jobs in ["-j1", "-j2"] {
            assert_eq!(
                restore_and_read(&cluster, &ours, jobs),
                rows_of(&cluster, "origin"),
                "{jobs}"
            );
        }
    }
}

/// The entries of a listing; its head says the time of the dump.
fn without_head(list: &str) -> String {
    list.lines()
        .filter(|line| !line.starts_with(';'))
        .collect::<Vec<_>>()
        .join("\n")
}

/// `pg_dump -Z0` through the writer, as a dumper does it.
fn compress_pipe(cluster: &Cluster, to: &Path, options: EncodeOptions) {
    let mut child = dump_command(cluster, &["-Z0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = ArchiveReader::new(child.stdout.take().unwrap()).unwrap();
    let toc = reader.toc().clone().with_compression(Compression::Gzip(2));
    let mut writer = ArchiveWriter::create(File::create(to).unwrap(), toc, options).unwrap();
    while let Some(block) = reader.next_block().unwrap() {
        writer
            .rewrite_block(block.dump_id(), block, |_| Ok(()))
            .unwrap();
    }
    assert!(child.wait().unwrap().success());
    writer.finish().unwrap();
}

#[test]
fn archives_of_every_level_are_read_and_written_byte_for_byte() {
    let cluster = cluster();
    let (_, plain, _) = contents(&dump(&cluster, &["-Z0"])[..]).unwrap();
    let expected: u64 = cluster
        .psql("origin", "SELECT count(*) FROM big")
        .parse()
        .unwrap();
    for level in ["-Z0", "-Z1", "-Z6", "-Z9"] {
        let archive = dump(&cluster, &[level]);
        let (toc, contents, _) = contents(&archive[..]).unwrap();
        assert!(contents == plain, "{level}");
        let big = toc.table_data().find(|entry| entry.tag == "big").unwrap();
        assert_eq!(
            read_copy_lines(&contents[&(big.dump_id, None)][..], |_| ()).unwrap(),
            expected
        );
        let mut written = Vec::new();
        toc.write(&mut written).unwrap();
        assert!(archive.starts_with(&written), "{level}");
    }
}

#[test]
fn a_schema_dump_spliced_with_rows_of_two_dumps_restores_like_one_dump() {
    let (cluster, folder) = (cluster(), tempfile::tempdir().unwrap());
    let older = dump(&cluster, &[]);
    cluster.psql(
        "origin",
        "UPDATE plain SET note = 'changed'; CREATE TABLE later AS SELECT 1 AS one",
    );
    let newer = dump(&cluster, &[]);
    let original = file(&folder, "original", &newer);
    let spliced = folder.path().join("spliced");
    splice(&newer, &older, &spliced);
    // The rows of a spliced archive come in another order.
    assert!(
        sorted(&restored(&cluster, &spliced, &["-f", "-"]))
            == sorted(&restored(&cluster, &original, &["-f", "-"]))
    );
    for jobs in ["-j1", "-j2"] {
        assert_eq!(
            restore_and_read(&cluster, &spliced, jobs),
            rows_of(&cluster, "origin"),
            "{jobs}"
        );
    }
}

fn sorted(script: &str) -> Vec<&str> {
    let mut lines: Vec<_> = script.lines().collect();
    lines.sort_unstable();
    lines
}

/// Joins: all of `newer` but the rows of `big`, `child` and the weird table, which come from `older`. Through a pipe-like
/// output, offsets included.
fn splice(newer: &[u8], older: &[u8], to: &Path) {
    let (new_toc, _, new_reports) = contents(newer).unwrap();
    let (old_toc, _, old_reports) = contents(older).unwrap();
    let from_older = |entry: &Entry| {
        entry.is_table_data() && !["plain", "later"].iter().any(|name| entry.tag == *name)
    };
    let schema = new_toc.slice(|entry| !from_older(entry));
    let kept: Vec<i32> = schema
        .entries
        .iter()
        .filter(|entry| entry.has_block())
        .map(|entry| entry.dump_id)
        .collect();
    let mut splice = Splice::new(schema).unwrap();
    let mut sources: Vec<(i32, &[u8], &BlockReport)> = kept
        .iter()
        .map(|&id| (id, newer, report(&new_reports, id)))
        .collect();
    for entry in old_toc.entries.iter().filter(|entry| from_older(entry)) {
        sources.push((
            splice.add(entry).unwrap(),
            older,
            report(&old_reports, entry.dump_id),
        ));
    }
    let blocks: Vec<SplicedBlock> = sources
        .iter()
        .map(|(dump_id, _, report)| SplicedBlock {
            dump_id: *dump_id,
            length: report.info.length,
        })
        .collect();
    let open = |dump_id| {
        let (_, archive, report) = sources.iter().find(|source| source.0 == dump_id).unwrap();
        Ok(stored(archive, report))
    };
    let toc = splice.finish();
    let finished =
        write_spliced(File::create(to).unwrap(), toc, &blocks, Hashes::Taken, open).unwrap();
    assert_eq!(finished.blocks.len(), blocks.len());
    assert!(
        finished
            .blocks
            .iter()
            .any(|block| block.kind == BlockKind::Blobs)
    );
}

fn report(reports: &[BlockReport], dump_id: i32) -> &BlockReport {
    reports
        .iter()
        .find(|report| report.info.dump_id == dump_id)
        .unwrap()
}

#[test]
fn the_schema_slice_is_what_a_schema_dump_restores() {
    let (cluster, folder) = (cluster(), tempfile::tempdir().unwrap());
    let toc = Toc::read(&mut &dump(&cluster, &[])[..])
        .unwrap()
        .0
        .schema_only();
    let writer = ArchiveWriter::create(Vec::new(), toc, EncodeOptions::default()).unwrap();
    let ours = file(&folder, "ours", &writer.finish_unseekable().unwrap().out);
    let theirs = file(&folder, "theirs", &dump(&cluster, &["--schema-only"]));
    let (ours, theirs) = (
        restored(&cluster, &ours, &["-f", "-"]),
        restored(&cluster, &theirs, &["-f", "-"]),
    );
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}
