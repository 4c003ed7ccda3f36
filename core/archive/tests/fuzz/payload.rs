//! Payloads as other programs could have made them: every shape of frame the formats allow, whole, cut, doubled, bloated.

use std::io::Write;

use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

use crate::rng::Rng;

/// A payload of an algorithm numbered as in a header of 1.15.
pub struct Payload {
    pub algorithm: u8,
    pub bytes: Vec<u8>,
}

/// A few hundred of them, the same for the same seed.
pub fn make(rng: &mut Rng) -> Vec<Payload> {
    let mut made = Vec::new();
    for _ in 0..80 {
        let text = words(rng);
        for (algorithm, whole) in [
            (0, text.clone()),
            (1, zlib(rng, &text)),
            (2, lz4(rng, &text)),
            (3, zstd(rng, &text)),
        ] {
            let bytes = maim(rng, whole);
            // What is not small stored is no news, and slow.
            if bytes.len() < 100_000 {
                made.push(Payload { algorithm, bytes });
            }
        }
    }
    made
}

fn words(rng: &mut Rng) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..rng.small(200) {
        match rng.below(4) {
            0 => text.extend_from_slice(b"\\N\t\\\\.\n"),
            1 => text.extend(std::iter::repeat_n(rng.byte(), rng.small(9_000))),
            2 => text.extend((0..rng.small(60)).map(|_| rng.byte())),
            _ => text.extend_from_slice(b"1\tone\n"),
        }
    }
    // A bomb now and then: little to store, much to give.
    if rng.one_in(20) {
        text.extend(std::iter::repeat_n(b'0', 3 << 20));
    }
    if !rng.one_in(4) {
        text.extend_from_slice(b"\n\\.\n\n\n");
    }
    text
}

fn zlib(rng: &mut Rng, text: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::new(rng.below(10) as u32);
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
    encoder.write_all(text).unwrap();
    if rng.one_in(3) {
        encoder.flush().unwrap();
    }
    encoder.finish().unwrap()
}

fn lz4(rng: &mut Rng, text: &[u8]) -> Vec<u8> {
    let sizes = [
        BlockSize::Max64KB,
        BlockSize::Max256KB,
        BlockSize::Max1MB,
        BlockSize::Max4MB,
    ];
    let modes = [BlockMode::Independent, BlockMode::Linked];
    let frame = FrameInfo::new()
        .block_size(*rng.pick(&sizes))
        .block_mode(*rng.pick(&modes))
        .block_checksums(rng.one_in(2))
        .content_checksum(rng.one_in(2))
        .content_size(rng.one_in(4).then_some(text.len() as u64));
    let mut encoder = FrameEncoder::with_frame_info(frame, Vec::new());
    for piece in text.chunks(70_000) {
        encoder.write_all(piece).unwrap();
        if rng.one_in(3) {
            encoder.flush().unwrap();
        }
    }
    let mut made = encoder.finish().unwrap();
    // The frame of old that has no end mark.
    if rng.one_in(16) {
        made[..4].copy_from_slice(&0x184C_2102_u32.to_le_bytes());
    }
    made
}

fn zstd(rng: &mut Rng, text: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), rng.below(5) as i32).unwrap();
    encoder.include_checksum(rng.one_in(2)).unwrap();
    encoder.window_log(10 + rng.below(18) as u32).unwrap();
    if rng.one_in(2) {
        encoder
            .set_pledged_src_size(Some(text.len() as u64))
            .unwrap();
    }
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn maim(rng: &mut Rng, mut payload: Vec<u8>) -> Vec<u8> {
    match rng.below(6) {
        0 => payload.truncate(rng.below(payload.len())),
        1 => payload.extend_from_within(..),
        2 if !payload.is_empty() => {
            let at = rng.below(payload.len());
            payload[at] ^= rng.byte();
        }
        3 => payload.push(rng.byte()),
        _ => {}
    }
    payload
}
