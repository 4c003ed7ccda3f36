//! Changes to an archive: some to its structure, some to the bytes.

use crate::doc::{Block, Doc, Field, Kind, Run, int, text};
use crate::payload::Payload;
use crate::rng::Rng;

/// Texts that a reader looks for, and spellings it must not take.
const WORDS: [&[u8]; 24] = [
    b"TABLE",
    b"TABLE DATA",
    b"BLOB",
    b"BLOBS",
    b"BLOB METADATA",
    b"EXTENSION",
    b"ACL",
    b"COMMENT",
    b"SEQUENCE SET",
    b"MATERIALIZED VIEW DATA",
    b"LARGE OBJECT 1",
    b"LARGE OBJECTS 1..9",
    b"public",
    b"plain",
    b"",
    b"0",
    b"1",
    b"-1",
    b"+1",
    b"007",
    b"2147483647",
    b"4294967296",
    b"\xff\xfe\0\xc3",
    b"COPY \"a\"\"\".\"b (\" (c, \"d\") FROM",
];

/// What a mutation may draw on.
pub struct Stock<'a> {
    pub others: &'a [Doc],
    pub payloads: &'a [Payload],
}

/// Changes the structure, one to four times.
pub fn structure(rng: &mut Rng, doc: &mut Doc, stock: &Stock<'_>) {
    for _ in 0..=rng.small(4) {
        match rng.below(8) {
            0 | 1 => header_or_entries(rng, doc, stock),
            2 => blocks(rng, doc, stock),
            3 | 4 => payloads(rng, doc, stock),
            _ => any_field(rng, doc),
        }
    }
}

fn header_or_entries(rng: &mut Rng, doc: &mut Doc, stock: &Stock<'_>) {
    let at = rng.below(doc.entries.len());
    match rng.below(8) {
        0 if !doc.entries.is_empty() => drop(doc.entries.remove(at)),
        1 if !doc.entries.is_empty() => {
            let mut twin = doc.entries[at].clone();
            if rng.one_in(2) {
                twin[0] = int(rng.small(100_000) as i64);
            }
            doc.entries.push(twin);
        }
        2 if !doc.entries.is_empty() => {
            let other = rng.below(doc.entries.len());
            doc.entries.swap(at, other);
        }
        3 => {
            let other = rng.pick(stock.others);
            let place = rng.below(doc.entries.len() + 1);
            let guests = other.entries.iter().take(rng.small(20)).cloned();
            doc.entries.splice(place..place, guests);
        }
        4 => doc.count = Some(odd_int(rng)),
        5 => doc.header[2].bytes = vec![13 + rng.below(5) as u8],
        6 => doc.header.clone_from(&rng.pick(stock.others).header),
        _ => {
            let at = rng.below(doc.header.len());
            twist(rng, &mut doc.header[at]);
        }
    }
}

fn blocks(rng: &mut Rng, doc: &mut Doc, stock: &Stock<'_>) {
    let at = rng.below(doc.blocks.len());
    match rng.below(6) {
        0 if !doc.blocks.is_empty() => drop(doc.blocks.remove(at)),
        1 if !doc.blocks.is_empty() => {
            let twin = doc.blocks[at].clone();
            doc.blocks.insert(at, twin);
        }
        2 if !doc.blocks.is_empty() => {
            let other = rng.below(doc.blocks.len());
            doc.blocks.swap(at, other);
        }
        3 if !doc.blocks.is_empty() => doc.blocks[at].kind.bytes = vec![1 + rng.below(3) as u8],
        4 if !doc.blocks.is_empty() => doc.blocks[at].dump_id = any_dump_id(rng, doc),
        _ => doc
            .blocks
            .extend(rng.pick(stock.others).blocks.first().cloned()),
    }
}

fn any_dump_id(rng: &mut Rng, doc: &Doc) -> Field {
    let entry = doc.entries.get(rng.below(doc.entries.len()));
    entry.map_or_else(|| odd_int(rng), |entry| entry[0].clone())
}

/// Changes what one run holds, its framing kept right.
fn payloads(rng: &mut Rng, doc: &mut Doc, stock: &Stock<'_>) {
    let algorithm = doc.algorithm();
    let Some(run) = any_run(rng, &mut doc.blocks) else {
        return;
    };
    let mut payload: Vec<u8> = run
        .chunks
        .iter()
        .flat_map(Field::content)
        .copied()
        .collect();
    match rng.below(6) {
        0 => payload.truncate(rng.below(payload.len())),
        1 => bytes(rng, &mut payload, &[]),
        2 => payload.clear(),
        _ => {
            let fitting = stock.payloads.iter().filter(|p| p.algorithm == algorithm);
            let fitting: Vec<_> = fitting.collect();
            match fitting.get(rng.below(fitting.len())) {
                Some(found) => payload.clone_from(&found.bytes),
                None => payload.clone_from(&rng.pick(stock.payloads).bytes),
            }
        }
    }
    let few = payload.len() / 200;
    let size = 1 + if rng.one_in(3) {
        few + rng.small(300)
    } else {
        payload.len()
    };
    run.chunks = payload.chunks(size).map(text).collect();
}

fn any_run<'a>(rng: &mut Rng, blocks: &'a mut [Block]) -> Option<&'a mut Run> {
    let at = rng.below(blocks.len());
    let block = blocks.get_mut(at)?;
    let at = rng.below(block.runs.len());
    block.runs.get_mut(at)
}

fn any_field(rng: &mut Rng, doc: &mut Doc) {
    if rng.one_in(3) {
        let Some(run) = any_run(rng, &mut doc.blocks) else {
            return;
        };
        let at = rng.below(run.chunks.len() + 1);
        match (run.chunks.get_mut(at), &mut run.oid) {
            (Some(chunk), _) => twist(rng, chunk),
            (None, Some(oid)) => twist(rng, oid),
            (None, None) => run.chunks.push(text(b"")),
        }
        return;
    }
    let at = rng.below(doc.entries.len());
    if let Some(entry) = doc.entries.get_mut(at) {
        let at = rng.below(entry.len());
        twist(rng, &mut entry[at]);
    }
}

fn twist(rng: &mut Rng, field: &mut Field) {
    match field.kind {
        Kind::Byte => {
            let at = rng.below(field.bytes.len());
            field.bytes[at] = if rng.one_in(2) {
                rng.byte()
            } else {
                rng.below(20) as u8
            };
        }
        Kind::Int => *field = odd_int(rng),
        Kind::Text => twist_text(rng, field),
        Kind::Offset => {
            field.bytes[0] = rng.below(5) as u8;
            let position = if rng.one_in(2) {
                rng.next()
            } else {
                rng.below(20_000) as u64
            };
            field.bytes[1..].copy_from_slice(&position.to_le_bytes());
        }
    }
}

fn twist_text(rng: &mut Rng, field: &mut Field) {
    match rng.below(6) {
        // The length lies.
        0 => field.bytes[..5].copy_from_slice(&odd_int(rng).bytes),
        // NULL.
        1 => {
            *field = Field {
                kind: Kind::Text,
                bytes: int(-1).bytes,
            }
        }
        2 | 3 => *field = text(WORDS[rng.below(WORDS.len())]),
        4 => {
            let long = field.content().repeat(rng.small(200));
            *field = text(&long);
        }
        _ => {
            let mut content = field.content().to_vec();
            bytes(rng, &mut content, &[]);
            *field = text(&content);
        }
    }
}

/// An int at an edge, or one that pg_dump never writes.
fn odd_int(rng: &mut Rng) -> Field {
    let mut field = int(*rng.pick(&[
        0,
        1,
        2,
        3,
        4,
        5,
        255,
        65_536,
        1 << 20,
        1 << 30,
        i64::from(i32::MAX),
    ]));
    match rng.below(6) {
        0 => field.bytes[0] = 1,
        1 => field.bytes[0] = rng.byte(),
        2 => field.bytes[1 + rng.below(4)] = rng.byte(),
        3 => field.bytes = vec![1, 0, 0, 0, 0x80],
        _ => {}
    }
    field
}

/// Changes bytes, one to five times; `other` lends some of its own.
pub fn bytes(rng: &mut Rng, input: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..=rng.small(4) {
        let at = rng.below(input.len());
        let end = (at + 1 + rng.small(200)).min(input.len());
        match rng.below(9) {
            0 if at < end => input[at] ^= 1 << rng.below(8),
            1 if at < end => input[at] = rng.byte(),
            2 => input.truncate(at),
            3 => drop(input.drain(at..end)),
            4 if input.len() < 200_000 => input.extend_from_within(at..end),
            5 => {
                let new: Vec<u8> = (0..rng.small(40)).map(|_| rng.byte()).collect();
                input.splice(at..at, new);
            }
            6 if at < end => input[at..end].fill(*rng.pick(&[0, 0xff])),
            7 if at + 5 <= input.len() => input[at..at + 5].copy_from_slice(&odd_int(rng).bytes),
            8 => {
                let from = rng.below(other.len());
                let lent = other[from..].iter().take(rng.small(2_000)).copied();
                input.splice(at..end, lent);
            }
            _ => {}
        }
    }
}
