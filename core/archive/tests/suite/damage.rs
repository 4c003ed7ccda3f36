//! Archives cut short and changed at every place: an error or the truth, never a panic, never less than what was there.

use crate::common::{Contents, all, contents, golden_named};
use respaldo_archive::{
    ArchiveError, ArchiveReader, BlockKind, Compression, Hashes, SplicedBlock, Toc, Version,
    decode_block, write_spliced,
};
use std::io::{self, Read};

const SUBJECTS: [&str; 5] = ["14-gzip", "15-none", "16-zstd", "17-lz4", "18-gzip"];

#[test]
fn an_archive_cut_anywhere_is_an_error() {
    for name in SUBJECTS {
        let archive = golden_named(name);
        for length in 0..archive.len() {
            assert!(
                contents(&archive[..length]).is_err(),
                "{name} cut at {length}"
            );
        }
    }
}

#[test]
fn an_archive_cut_between_blocks_names_what_is_missing() {
    let archive = golden_named("15-gzip");
    let (.., reports) = contents(&archive[..]).unwrap();
    let last = reports.last().unwrap().info;
    let cut = contents(&archive[..last.offset as usize]);
    assert!(
        matches!(cut, Err(ArchiveError::MissingBlocks { count: 1, first }) if first == last.dump_id)
    );
}

#[test]
fn a_changed_bit_never_panics_and_never_alters_checksummed_rows() {
    for name in SUBJECTS {
        let archive = golden_named(name);
        let (toc, truth, reports) = contents(&archive[..]).unwrap();
        let blocks_start = reports[0].info.offset as usize;
        for at in 0..archive.len() {
            let mut changed = archive.clone();
            changed[at] ^= 1 << (at % 8);
            let Ok((_, found, _)) = contents(&changed[..]) else {
                continue;
            };
            // Only zlib has a checksum of the text in every archive.
            if at >= blocks_start && matches!(toc.header.compression, Compression::Gzip(_)) {
                let same = sorted(&truth) == sorted(&found);
                assert!(same, "{name}: a change at {at} altered the text unnoticed");
            }
        }
    }
}

#[test]
fn random_bytes_after_a_good_beginning_never_panic() {
    let archive = golden_named("17-gzip");
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..2_000 {
        let mut changed = archive.clone();
        for _ in 0..8 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 20) as usize % changed.len();
            changed[at] = (state >> 56) as u8;
        }
        drop(contents(&changed[..]));
    }
}

#[test]
fn lengths_that_lie_cost_no_memory() {
    let mut archive = b"PGDMP\x01\x0e\x00\x04\x08\x01".to_vec();
    archive.extend([0; 5 * 8]);
    archive.extend([0, 0xff, 0xff, 0xff, 0x3f]);
    let error = Toc::read(&mut &archive[..]).unwrap_err();
    assert!(matches!(error, ArchiveError::Truncated { .. }), "{error}");
}

#[test]
fn versions_of_the_future_and_other_formats_are_refused() {
    let mut archive = golden_named("18-gzip");
    archive[6] = 17;
    let future = Version {
        major: 1,
        minor: 17,
        revision: 0,
    };
    assert!(
        matches!(ArchiveReader::new(&archive[..]), Err(ArchiveError::UnsupportedVersion(v)) if v == future)
    );
    archive[6] = 16;
    archive[10] = 3;
    assert!(matches!(
        ArchiveReader::new(&archive[..]),
        Err(ArchiveError::NotAnArchive(_))
    ));
    assert!(matches!(
        ArchiveReader::new(&b"-- SQL, not an archive"[..]),
        Err(ArchiveError::NotAnArchive(_))
    ));
}

/// The framing may be whole while what it holds is not.
#[test]
fn a_compressed_text_cut_anywhere_inside_a_whole_block_is_an_error() {
    for name in ["15-gzip", "16-lz4", "17-zstd"] {
        let archive = golden_named(name);
        let mut reader = ArchiveReader::new(&archive[..]).unwrap();
        let compression = reader.compression();
        while let Some(mut block) = reader.next_block().unwrap() {
            if block.kind() != BlockKind::Data {
                continue;
            }
            let payload = all(block.raw().unwrap()).unwrap();
            for length in 1..payload.len() {
                let cut = framed(&payload[..length]);
                let cut = decode_block(&cut[..], compression).unwrap();
                let ended = cut.finish();
                assert!(
                    matches!(ended, Err(ArchiveError::DamagedData(_))),
                    "{name} cut at {length}: {ended:?}"
                );
            }
        }
    }
}

/// LZ4 keeps text in frame blocks: one that stops between two of them lacks its end mark only.
#[test]
fn an_lz4_text_cut_between_its_frame_blocks_is_an_error() {
    let mut frame = lz4_flex::frame::FrameEncoder::new(Vec::new());
    for piece in 0..3 {
        io::Write::write_all(&mut frame, format!("{piece}\n").repeat(50_000).as_bytes()).unwrap();
        io::Write::flush(&mut frame).unwrap();
        let cut = framed(frame.get_ref());
        let block = decode_block(&cut[..], Compression::Lz4).unwrap();
        assert!(matches!(block.finish(), Err(ArchiveError::DamagedData(_))));
    }
    let whole = framed(&frame.finish().unwrap());
    let block = decode_block(&whole[..], Compression::Lz4).unwrap();
    assert_eq!(block.finish().unwrap(), whole.len() as u64);
}

#[test]
fn lengths_of_blocks_that_no_file_can_have_are_refused() {
    let archive = golden_named("15-gzip");
    let (toc, _) = Toc::read(&mut &archive[..]).unwrap();
    let ids = toc.entries.iter().filter(|entry| entry.has_block());
    let blocks: Vec<_> = ids
        .map(|entry| SplicedBlock {
            dump_id: entry.dump_id,
            length: u64::MAX / 2,
        })
        .collect();
    let ended = write_spliced(io::sink(), toc, &blocks, Hashes::Taken, |_| Ok(&b""[..]));
    assert!(matches!(ended, Err(ArchiveError::TooLong(_))), "{ended:?}");
}

#[test]
fn an_interrupted_read_is_tried_again() {
    let archive = golden_named("17-lz4");
    let interrupted = Interrupted {
        rest: &archive,
        is_next: true,
    };
    assert_eq!(
        contents(interrupted).unwrap().1,
        contents(&archive[..]).unwrap().1
    );
}

/// Interrupts every other read.
struct Interrupted<'a> {
    rest: &'a [u8],
    is_next: bool,
}

impl Read for Interrupted<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.is_next = !self.is_next;
        if self.is_next {
            let most = out.len().min(500);
            return self.rest.read(&mut out[..most]);
        }
        Err(io::ErrorKind::Interrupted.into())
    }
}

#[test]
fn a_second_zlib_stream_in_a_block_is_an_error() {
    let stream = deflated(b"1\n\\.\n\n\n");
    let payload = [&stream[..], &stream].concat();
    let block = framed(&payload);
    let block = decode_block(&block[..], Compression::Gzip(-1)).unwrap();
    assert!(matches!(block.finish(), Err(ArchiveError::DamagedData(_))));
}

/// A block of rows around a payload.
fn framed(payload: &[u8]) -> Vec<u8> {
    let mut block = vec![1, 0, 7, 0, 0, 0, 0];
    block.extend(u32::try_from(payload.len()).unwrap().to_le_bytes());
    block.extend(payload);
    block.extend([0; 5]);
    block
}

fn deflated(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, text).unwrap();
    encoder.finish().unwrap()
}

/// The texts alone: a changed oid names another object and is found by its block's hash.
fn sorted(contents: &Contents) -> Vec<&Vec<u8>> {
    let mut texts: Vec<_> = contents.values().collect();
    texts.sort();
    texts
}
