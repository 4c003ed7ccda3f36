//! Writing: parallel streams, splicing, and what is refused.

use std::collections::HashMap;
use std::io::{self, Cursor, Write};

use crate::common::{all, contents, golden_named, rewrite, stored};
use respaldo_archive::{
    ArchiveError, ArchiveReader, ArchiveWriter, Compression, EncodeOptions, Entry, Hashes,
    PayloadEncoder, Placed, Splice, SplicedBlock, Toc, Version, decode_block, write_spliced,
};

/// Text between well and badly compressible.
fn text(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut text = Vec::with_capacity(length + 64);
    while text.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.extend_from_slice(format!("{}\tsome words {:x}\n", state % 1000, state).as_bytes());
        if state.is_multiple_of(7) {
            text.extend_from_slice(&state.to_le_bytes());
        }
    }
    text.truncate(length);
    text
}

/// A table of contents with the data entries of `tables` only.
fn toc_of(version: &str, compression: Compression) -> (Toc, Vec<i32>) {
    let archive = golden_named(version);
    let toc = Toc::read(&mut &archive[..])
        .unwrap()
        .0
        .slice(Entry::is_table_data)
        .with_compression(compression);
    let ids = toc.table_data().map(|entry| entry.dump_id).collect();
    (toc, ids)
}

#[test]
fn a_stream_made_by_any_number_of_threads_is_one_stream_of_the_same_text() {
    let sizes = [
        0,
        1,
        2,
        524_287,
        524_288,
        524_289,
        1_048_576,
        3_000_000,
        10 << 20,
    ];
    for compression in [
        Compression::Gzip(2),
        Compression::Zstd,
        Compression::Lz4,
        Compression::None,
    ] {
        for threads in [0, 1, 2, 5] {
            let (mut toc, ids) = toc_of("16-gzip", compression);
            toc.retain(|entry| entry.dump_id == ids[0]);
            for size in sizes {
                let text = text(size);
                let options = EncodeOptions {
                    level: Some(1),
                    threads,
                };
                let mut writer = ArchiveWriter::create(Vec::new(), toc.clone(), options).unwrap();
                let mut block = writer.begin_data(ids[0]).unwrap();
                text.chunks(300_001)
                    .for_each(|part| block.write_all(part).unwrap());
                let report = block.finish().unwrap();
                assert_eq!(report.plain_bytes, Some(size as u64));
                let archive = writer.finish_unseekable().unwrap().out;
                let mut back = decode_block(stored(&archive, &report), compression).unwrap();
                assert!(
                    all(&mut back).unwrap() == text,
                    "{size} bytes, {compression:?}, {threads} threads"
                );
                assert_eq!(back.finish().unwrap(), report.info.length);
            }
        }
    }
}

#[test]
fn payloads_made_apart_are_blocks_like_any_other() {
    for (compression, level) in [
        (Compression::Gzip(2), None),
        (Compression::Gzip(6), None),
        (Compression::Zstd, Some(3)),
        (Compression::Lz4, None),
        (Compression::None, None),
    ] {
        let (mut toc, ids) = toc_of("16-gzip", compression);
        toc.retain(|entry| ids[..1].contains(&entry.dump_id));
        let options = EncodeOptions { level, threads: 0 };
        let mut encoder = PayloadEncoder::new(compression, options);
        for size in [0, 1, 700_000, 0, 2_000_000, 5] {
            let text = text(size);
            let mut payload = Vec::new();
            for part in text.chunks(99_999) {
                encoder.push(part).unwrap();
                let ready = encoder.ready();
                payload.extend(encoder.take());
                assert_eq!(encoder.ready(), 0);
                assert!(payload.len() >= ready);
            }
            payload.extend(encoder.finish().unwrap());
            let mut writer = ArchiveWriter::create(Vec::new(), toc.clone(), options).unwrap();
            let report = writer.copy_block_raw(ids[0], &mut &payload[..]).unwrap();
            let archive = writer.finish_unseekable().unwrap().out;
            let mut back = decode_block(stored(&archive, &report), compression).unwrap();
            assert!(
                all(&mut back).unwrap() == text,
                "{size} bytes, {compression:?}"
            );
            assert_eq!(back.finish().unwrap(), report.info.length);
        }
    }
}

#[test]
fn pieces_cost_less_than_two_per_cent_of_size() {
    let length = |threads| {
        let (mut toc, ids) = toc_of("15-gzip", Compression::Gzip(6));
        toc.retain(|entry| entry.dump_id == ids[0]);
        let options = EncodeOptions {
            level: None,
            threads,
        };
        let mut writer = ArchiveWriter::create(io::sink(), toc, options).unwrap();
        let mut block = writer.begin_data(ids[0]).unwrap();
        block.write_all(&text(8 << 20)).unwrap();
        block.finish().unwrap().info.length
    };
    let (one, three) = (length(1), length(3));
    assert!(
        three * 100 < one * 102,
        "{one} bytes in one, {three} in pieces"
    );
}

#[test]
fn rows_of_older_archives_join_a_newer_schema() {
    let (older, newer) = (golden_named("15-gzip"), golden_named("17-gzip"));
    let (_, truth, old_reports) = contents(&older[..]).unwrap();
    let old_toc = Toc::read(&mut &older[..]).unwrap().0;
    let schema = Toc::read(&mut &newer[..]).unwrap().0.schema_only();
    let mut splice = Splice::new(schema).unwrap();
    splice.raise_to(old_toc.header.version).unwrap();
    splice
        .check_compression(old_toc.header.compression)
        .unwrap();
    let new_ids: HashMap<i32, i32> = old_toc
        .table_data()
        .map(|entry| (splice.add(entry).unwrap(), entry.dump_id))
        .collect();
    let toc = splice.finish();
    assert_eq!(toc.header.version, Version::V1_16);

    let source = |dump_id: i32| {
        let report = old_reports
            .iter()
            .find(|report| report.info.dump_id == new_ids[&dump_id])
            .unwrap();
        stored(&older, report)
    };
    let blocks: Vec<SplicedBlock> = new_ids
        .keys()
        .map(|&dump_id| SplicedBlock {
            dump_id,
            length: source(dump_id).len() as u64,
        })
        .collect();
    let placed = Placed::new(toc.clone(), &blocks).unwrap();
    let finished = write_spliced(Vec::new(), toc, &blocks, Hashes::Taken, |dump_id| {
        Ok(source(dump_id))
    })
    .unwrap();
    assert!(in_places(&placed, source) == finished.out);

    let (toc, joined, _) = contents(&finished.out[..]).unwrap();
    assert_eq!(toc, finished.toc);
    for (new, old) in &new_ids {
        assert_eq!(joined[&(*new, None)], truth[&(*old, None)]);
        let entry = toc.entry(*new).unwrap();
        let table = toc.entry(entry.dependencies[0]).unwrap();
        assert!(table.is("TABLE") && table.tag == entry.tag && table.namespace == entry.namespace);
    }
    let place = |desc: &str| toc.entries.iter().position(|entry| entry.is(desc)).unwrap();
    assert!(place("TABLE DATA") < place("CONSTRAINT"));
}

/// The archive as it lies in a file whose blocks were written the last one first.
fn in_places<'a>(placed: &Placed, source: impl Fn(i32) -> &'a [u8]) -> Vec<u8> {
    let mut out = vec![0; placed.length() as usize];
    for placed in placed.blocks().iter().rev() {
        let stored = source(placed.block.dump_id);
        let place = &mut out[placed.at as usize..];
        let read = placed.copy(stored, &mut *place).unwrap();
        let mut known = Vec::new();
        assert_eq!(placed.copy_known(stored, &mut known).unwrap(), read);
        assert!(place.starts_with(&known) && known.len() as u64 == placed.block.length);
    }
    placed.toc().write(&mut &mut out[..]).unwrap();
    out
}

#[test]
fn what_cannot_be_joined_is_refused() {
    let (older, newer) = (golden_named("15-none"), golden_named("17-zstd"));
    let old_toc = Toc::read(&mut &older[..]).unwrap().0;
    let new_toc = Toc::read(&mut &newer[..]).unwrap().0;
    let splice = Splice::new(new_toc.schema_only()).unwrap();
    let refused = splice.check_compression(old_toc.header.compression);
    assert!(matches!(
        refused,
        Err(ArchiveError::MixedCompression { .. })
    ));
    assert!(matches!(
        new_toc.clone().upgrade(Version::V1_14),
        Err(ArchiveError::Downgrade { .. })
    ));

    let mut splice = Splice::new(new_toc.schema_only()).unwrap();
    let entry = old_toc.table_data().next().unwrap();
    splice.add(entry).unwrap();
    assert!(matches!(
        splice.add(entry),
        Err(ArchiveError::UnexpectedBlock(_))
    ));
    let mut stranger = entry.clone();
    stranger.tag = "stranger".into();
    assert!(
        matches!(splice.add(&stranger), Err(ArchiveError::NoSuchTable(name)) if name.ends_with(".stranger"))
    );

    let none: fn(i32) -> io::Result<&'static [u8]> = |_| Ok(b"");
    let missing = write_spliced(io::sink(), splice.finish(), &[], Hashes::Taken, none);
    assert!(matches!(
        missing,
        Err(ArchiveError::MissingBlocks { count: 1, .. })
    ));
}

#[test]
fn a_stored_block_of_another_length_or_cut_short_is_an_error() {
    let archive = golden_named("15-gzip");
    let (mut toc, _, reports) = contents(&archive[..]).unwrap();
    let report = &reports[0];
    let dump_id = report.info.dump_id;
    toc.retain(|entry| entry.dump_id == dump_id);
    let block = stored(&archive, report);
    let said = [SplicedBlock {
        dump_id,
        length: report.info.length + 1,
    }];
    let longer = write_spliced(io::sink(), toc.clone(), &said, Hashes::Taken, |_| Ok(block));
    assert!(matches!(longer, Err(ArchiveError::Damaged { .. })));
    let placed = Placed::new(toc.clone(), &said).unwrap();
    let longer = placed.blocks()[0].copy(block, io::sink());
    assert!(matches!(longer, Err(ArchiveError::Damaged { .. })));
    let said = [SplicedBlock {
        dump_id,
        length: report.info.length - 1,
    }];
    let twice = Placed::new(toc.clone(), &[said[0], said[0]]);
    assert!(matches!(twice, Err(ArchiveError::UnexpectedBlock(_))));
    // What follows it in the file is another block.
    let placed = Placed::new(toc.clone(), &said).unwrap();
    let mut place = vec![0; block.len() + 100];
    placed.blocks()[0].copy(block, &mut place[..]).unwrap_err();
    assert!(place[block.len() - 1..].iter().all(|byte| *byte == 0));
    let said = [SplicedBlock {
        dump_id,
        length: report.info.length,
    }];
    let placed = Placed::new(toc.clone(), &said).unwrap();
    let cut = placed.blocks()[0].copy(&block[..block.len() - 1], io::sink());
    assert!(matches!(cut, Err(ArchiveError::Truncated { .. })));
    let cut = write_spliced(io::sink(), toc, &said, Hashes::Taken, |_| {
        Ok(&block[..block.len() - 1])
    });
    assert!(matches!(cut, Err(ArchiveError::Truncated { .. })));
}

/// A block whose hash is known is not looked into, but for what names it.
#[test]
fn a_known_block_comes_whole_whatever_its_length_and_place() {
    let archive = golden_named("15-gzip");
    let (mut toc, _, reports) = contents(&archive[..]).unwrap();
    let dump_id = reports[0].info.dump_id;
    toc.retain(|entry| entry.dump_id == dump_id);
    let bytes: Vec<u8> = (0..700_000_u32).map(|i| (i % 251) as u8).collect();
    for length in [6, 7, 1_000, 262_144, 262_145, 700_000] {
        let said = [SplicedBlock {
            dump_id,
            length: length as u64,
        }];
        let mut placed = Placed::new(toc.clone(), &said).unwrap().blocks()[0];
        for before_a_page in [0, 1, 5, 6, 4_000] {
            placed.at = placed.at.next_multiple_of(262_144) - before_a_page;
            let mut stored = bytes[..length].to_vec();
            stored[0] = 1;
            let mut out = Vec::new();
            placed.copy_known(&stored[..], &mut out).unwrap();
            assert!(out[6..] == stored[6..] && out[0] == 1 && out.len() == length);
            assert_eq!(out[1..6], [&[0][..], &dump_id.to_le_bytes()].concat());
            let cut = placed.copy_known(&stored[..length - 1], io::sink());
            assert!(matches!(cut, Err(ArchiveError::Truncated { .. })));
            stored[0] = 0;
            let strange = placed.copy_known(&stored[..], io::sink());
            assert!(matches!(strange, Err(ArchiveError::Damaged { .. })));
        }
    }
    let said = [SplicedBlock { dump_id, length: 5 }];
    let short = Placed::new(toc, &said).unwrap().blocks()[0];
    let short = short.copy_known(&bytes[..5], io::sink());
    assert!(matches!(short, Err(ArchiveError::Damaged { .. })));
}

#[test]
fn an_archive_lacking_a_block_or_left_in_one_cannot_be_finished() {
    let (toc, ids) = toc_of("15-gzip", Compression::Gzip(1));
    let mut writer = ArchiveWriter::create(
        Cursor::new(Vec::new()),
        toc.clone(),
        EncodeOptions::default(),
    )
    .unwrap();
    writer.begin_data(ids[0]).unwrap().finish().unwrap();
    assert!(matches!(
        writer.begin_data(ids[0]),
        Err(ArchiveError::UnexpectedBlock(_))
    ));
    assert!(matches!(
        writer.begin_data(i32::MAX),
        Err(ArchiveError::UnexpectedBlock(_))
    ));
    assert!(matches!(
        writer.finish(),
        Err(ArchiveError::MissingBlocks { .. })
    ));

    let mut writer = ArchiveWriter::create(io::sink(), toc, EncodeOptions::default()).unwrap();
    let _given_up = writer.begin_data(ids[0]).unwrap();
    assert!(matches!(
        writer.begin_data(ids[1]),
        Err(ArchiveError::UnfinishedBlock(_))
    ));
    assert!(matches!(
        writer.finish_unseekable(),
        Err(ArchiveError::UnfinishedBlock(_))
    ));
}

/// Takes so many bytes, then fails.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() > self.0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_at_any_place_is_an_error() {
    let (mut toc, ids) = toc_of("15-gzip", Compression::Gzip(1));
    toc.retain(|entry| entry.dump_id == ids[0]);
    let write = |room| {
        let options = EncodeOptions {
            level: None,
            threads: 2,
        };
        let mut writer = ArchiveWriter::create(Full(room), toc.clone(), options)?;
        let mut block = writer.begin_data(ids[0])?;
        // A caller who overlooks a failed write must not get a finished block either.
        let written = block.write_all(&text(2 << 20));
        let finished = block.finish();
        assert!(written.is_ok() || finished.is_err());
        finished?;
        writer.finish_unseekable().map(|finished| finished.length)
    };
    let length = write(usize::MAX).unwrap() as usize;
    for room in (0..length).step_by(50_000) {
        assert!(write(room).is_err(), "with room for {room} of {length}");
    }
    assert_eq!(write(length).unwrap() as usize, length);
}

#[test]
fn payload_that_is_already_compressed_is_framed_and_not_touched() {
    let archive = golden_named("15-gzip");
    let (toc, truth, _) = contents(&archive[..]).unwrap();
    let mut reader = ArchiveReader::new(&archive[..]).unwrap();
    let rows = toc.slice(Entry::is_table_data);
    let mut writer =
        ArchiveWriter::create(Cursor::new(Vec::new()), rows, EncodeOptions::default()).unwrap();
    while let Some(mut block) = reader.next_block().unwrap() {
        let dump_id = block.dump_id();
        match block.raw() {
            Ok(mut raw) => writer.copy_block_raw(dump_id, &mut raw).map(drop).unwrap(),
            Err(error) => assert!(matches!(error, ArchiveError::WrongKind(_))),
        }
    }
    let archive = writer.finish().unwrap().out.into_inner();
    let (_, copied, _) = contents(&archive[..]).unwrap();
    assert!(copied.iter().all(|(key, bytes)| truth[key] == *bytes));
    assert_eq!(
        copied.len(),
        truth.keys().filter(|key| key.1.is_none()).count()
    );
}

#[test]
fn blocks_that_nobody_reads_are_passed_over() {
    let archive = golden_named("15-gzip");
    let mut reader = ArchiveReader::new(&archive[..]).unwrap();
    let mut seen = 0;
    while let Some(mut block) = reader.next_block().unwrap() {
        if seen % 2 == 0 && block.decoded().is_ok() {
            let mut first = [0; 1];
            io::Read::read_exact(&mut block.raw().unwrap(), &mut first).unwrap_or_default();
        }
        seen += 1;
    }
    assert_eq!(
        seen,
        reader
            .toc()
            .entries
            .iter()
            .filter(|entry| entry.has_block())
            .count()
    );
}

#[test]
fn rewriting_lets_the_rows_be_seen() {
    let archive = golden_named("18-zstd");
    let mut reader = ArchiveReader::new(&archive[..]).unwrap();
    let toc = reader.toc().clone().with_compression(Compression::None);
    let mut writer = ArchiveWriter::create(io::sink(), toc, EncodeOptions::default()).unwrap();
    let mut seen = 0;
    let mut plain = 0;
    while let Some(block) = reader.next_block().unwrap() {
        let is_rows = block.kind() == respaldo_archive::BlockKind::Data;
        let report = writer.rewrite_block(block.dump_id(), block, |rows| {
            seen += rows.len() as u64;
            Ok(())
        });
        plain += if is_rows {
            report.unwrap().plain_bytes.unwrap()
        } else {
            0
        };
    }
    assert_eq!(seen, plain);
    drop(rewrite(&archive, |toc| toc, EncodeOptions::default()));
}
