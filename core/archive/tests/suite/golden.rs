//! Archives of every supported pg_dump, kept for ever: `golden/schema.sql` dumped by PostgreSQL 13 to 18.

use std::io::Cursor;

use crate::common::{all, contents, golden, golden_named, rewrite, stored};
use respaldo_archive::{
    ArchiveReader, ArchiveWriter, Compression, EncodeOptions, Offset, Section, Toc, Version,
    decode_block, read_copy_lines,
};

/// Written where pg_dump could not go back.
const NO_OFFSETS: [&str; 2] = ["15-pipe", "17-redirected"];

#[test]
fn tables_of_contents_are_written_as_they_were_read() {
    for (name, archive) in golden() {
        let (toc, length) = Toc::read(&mut &archive[..]).unwrap();
        let mut written = Vec::new();
        toc.write(&mut written).unwrap();
        assert_eq!(written, archive[..length as usize], "{name}");
        assert_eq!(toc.encoded_len().unwrap(), length, "{name}");
    }
}

#[test]
fn headers_say_which_version_and_algorithm_wrote_them() {
    for (name, archive) in golden() {
        let header = Toc::read(&mut &archive[..]).unwrap().0.header;
        let (major, algorithm) = name.split_once('-').unwrap();
        let version = match major {
            "16" => Version::V1_15,
            "17" | "18" => Version::V1_16,
            _ => Version::V1_14,
        };
        assert_eq!(header.version, version, "{name}");
        let algorithm = if NO_OFFSETS.contains(&&*name) {
            "gzip"
        } else {
            algorithm
        };
        assert_eq!(header.compression.algorithm(), algorithm, "{name}");
        assert!(
            header.dump_version.unwrap().to_string().starts_with(major),
            "{name}"
        );
    }
}

#[test]
fn rows_and_large_objects_are_the_same_whoever_dumped_them() {
    for (name, archive) in golden() {
        let (toc, contents, _) = contents(&archive[..]).unwrap();
        let plain = toc.table_data().find(|entry| entry.tag == "plain").unwrap();
        let mut rows = 0;
        let text = &contents[&(plain.dump_id, None)];
        assert_eq!(
            read_copy_lines(&text[..], |_| rows += 1).unwrap(),
            120,
            "{name}"
        );
        assert_eq!(rows, 120);
        let weird = toc
            .table_data()
            .find(|entry| *entry.namespace.as_ref().unwrap() == "Weird schema")
            .unwrap();
        assert_eq!(weird.tag, "tab\twith\nnewline, ñ and \\ backslash");
        let text = String::from_utf8(contents[&(weird.dump_id, None)].clone()).unwrap();
        assert_eq!(
            text, "\\\\.\t\\N\n\ta\\nb\\tc\\\\\n\\\\N\tñandú\n\\.\n\n\n",
            "{name}"
        );
        let blob = |oid| {
            contents
                .iter()
                .find(|(key, _)| key.1 == Some(oid))
                .unwrap()
                .1
                .clone()
        };
        assert_eq!(blob(16500), b"large object", "{name}");
        assert_eq!(blob(16501), "0123456789".repeat(200).as_bytes(), "{name}");
        assert_eq!(blob(3_000_000_000), b"", "{name}");
    }
}

#[test]
fn offsets_lead_to_blocks_that_decode_alone() {
    for (name, archive) in golden()
        .into_iter()
        .filter(|(name, _)| !NO_OFFSETS.contains(&&**name))
    {
        let (toc, contents, reports) = contents(&archive[..]).unwrap();
        for entry in toc.table_data() {
            let Offset::At(at) = entry.offset else {
                panic!("{name}: no offset")
            };
            let mut block = decode_block(&archive[at as usize..], toc.header.compression).unwrap();
            assert_eq!(block.dump_id(), entry.dump_id);
            assert_eq!(
                all(&mut block).unwrap(),
                contents[&(entry.dump_id, None)],
                "{name}"
            );
            let report = reports
                .iter()
                .find(|report| report.info.dump_id == entry.dump_id)
                .unwrap();
            assert_eq!(report.info.offset, at);
            assert_eq!(block.finish().unwrap(), report.info.length);
        }
    }
}

#[test]
fn an_archive_from_a_pipe_says_that_its_offsets_are_not_set() {
    let archive = golden_named("15-pipe");
    let (toc, ..) = contents(&archive[..]).unwrap();
    assert!(toc.table_data().all(|entry| entry.offset == Offset::NotSet));
}

#[test]
fn the_table_of_contents_that_a_redirected_pg_dump_appends_is_passed_over() {
    let archive = golden_named("17-redirected");
    let (toc, .., reports) = contents(&archive[..]).unwrap();
    assert!(toc.table_data().all(|entry| entry.offset == Offset::NotSet));
    let last = reports.last().unwrap().info;
    let end = (last.offset + last.length) as usize;
    assert!(archive.len() > end + 1000);
    assert!(contents(&archive[..end]).is_ok());
    assert!(contents(&archive[..archive.len() - 1]).is_err());
    assert!(contents(&[&archive[..], b"x"].concat()[..]).is_err());
}

#[test]
fn copied_blocks_make_the_same_archive_again() {
    for (name, archive) in golden()
        .into_iter()
        .filter(|(name, _)| name != "17-redirected")
    {
        let mut reader = ArchiveReader::new(&archive[..]).unwrap();
        let toc = reader.toc().clone();
        let mut writer =
            ArchiveWriter::create(Cursor::new(Vec::new()), toc, EncodeOptions::default()).unwrap();
        while let Some(block) = reader.next_block().unwrap() {
            writer.copy_block(block.dump_id(), block).unwrap();
        }
        let finished = if name == "15-pipe" {
            writer.finish_unseekable()
        } else {
            writer.finish()
        }
        .unwrap();
        assert_eq!(finished.length, archive.len() as u64);
        assert!(finished.out.into_inner() == archive, "{name}");
    }
}

#[test]
fn rewritten_archives_hold_the_same_and_report_it_truly() {
    for (name, archive) in golden() {
        let (_, before, _) = contents(&archive[..]).unwrap();
        for threads in [0, 1, 3] {
            let finished = rewrite(
                &archive,
                |toc| toc,
                EncodeOptions {
                    level: None,
                    threads,
                },
            );
            let bytes = finished.out.into_inner();
            let (toc, after, reports) = contents(&bytes[..]).unwrap();
            assert!(before == after, "{name} with {threads} threads");
            assert_eq!(toc, finished.toc);
            for (written, read) in finished.blocks.iter().zip(&reports) {
                assert_eq!(
                    (written.info, written.sha256),
                    (read.info, read.sha256),
                    "{name}"
                );
                let plain: usize = after
                    .iter()
                    .filter(|(key, _)| key.0 == read.info.dump_id)
                    .map(|(_, bytes)| bytes.len())
                    .sum();
                assert_eq!(written.plain_bytes, Some(plain as u64));
                assert_eq!(stored(&bytes, read).len() as u64, read.info.length);
            }
            assert_eq!(finished.blocks.len(), reports.len());
        }
    }
}

#[test]
fn compression_can_change_on_the_way() {
    for (name, archive) in golden() {
        let (toc, before, _) = contents(&archive[..]).unwrap();
        let mut wanted = vec![Compression::None, Compression::Gzip(2)];
        if toc.header.version > Version::V1_14 {
            wanted.extend([Compression::Lz4, Compression::Zstd]);
        }
        for compression in wanted {
            let change = |toc: Toc| toc.with_compression(compression);
            let finished = rewrite(&archive, change, EncodeOptions::default());
            let (toc, after, _) = contents(&finished.out.into_inner()[..]).unwrap();
            assert_eq!(toc.header.compression.algorithm(), compression.algorithm());
            assert!(before == after, "{name} as {compression:?}");
        }
    }
}

#[test]
fn the_schema_alone_is_an_archive_without_blocks() {
    for (name, archive) in golden() {
        let toc = Toc::read(&mut &archive[..]).unwrap().0.schema_only();
        assert!(
            toc.entries
                .iter()
                .all(|entry| entry.section != Section::Data),
            "{name}"
        );
        assert!(toc.entries.iter().any(|entry| entry.is("INDEX")), "{name}");
        let writer = ArchiveWriter::create(Vec::new(), toc, EncodeOptions::default()).unwrap();
        let finished = writer.finish_unseekable().unwrap();
        assert!(contents(&finished.out[..]).unwrap().1.is_empty());
    }
}
