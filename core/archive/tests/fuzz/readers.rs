//! The ways in which the product reads an archive. Each gives how much it read; a promise that does not hold panics.

use std::io::{self, Cursor, Read};
use std::sync::LazyLock;

use respaldo_archive::{
    ArchiveError, ArchiveReader, ArchiveWriter, BlockKind, Compression, CopyLines, EncodeOptions,
    Hashes, Placed, Skimmed, Splice, SplicedBlock, Toc, Version, decode_block, write_spliced,
};

use crate::corpus;

type Ended = Result<u64, ArchiveError>;

/// One way of reading.
pub struct Reader {
    pub name: &'static str,
    pub run: fn(&[u8], u64) -> Ended,
    /// Memory it may hold whatever the input, in bytes. LZ4 blocks may have 8 MiB, and one is held before and after.
    pub free: usize,
}

pub const ALL: &[Reader] = &[
    Reader {
        name: "toc",
        run: toc,
        free: 1 << 20,
    },
    Reader {
        name: "skim",
        run: skim,
        free: 1 << 20,
    },
    Reader {
        name: "stream",
        run: stream,
        free: 20 << 20,
    },
    Reader {
        name: "copy",
        run: copy,
        free: 4 << 20,
    },
    Reader {
        name: "rewrite",
        run: rewrite,
        free: 24 << 20,
    },
    Reader {
        name: "block",
        run: block,
        free: 20 << 20,
    },
    Reader {
        name: "splice",
        run: splice,
        free: 4 << 20,
    },
];

/// No text is read further than this.
const ENOUGH: u64 = 1 << 20;
const INLINE: EncodeOptions = EncodeOptions {
    level: None,
    threads: 0,
};

/// A source that gives a few bytes at a time, and is interrupted now and then, as a pipe may be.
struct Drip<'a> {
    rest: &'a [u8],
    at_once: usize,
    is_interrupted: bool,
}

fn drip(input: &[u8], knob: u64) -> Drip<'_> {
    let at_once = match knob % 4 {
        0 => 1 + (knob >> 8) as usize % 64,
        _ => usize::MAX,
    };
    Drip {
        rest: input,
        at_once,
        is_interrupted: knob.is_multiple_of(8),
    }
}

impl Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if std::mem::take(&mut self.is_interrupted) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = out.len().min(self.at_once);
        self.rest.read(&mut out[..most])
    }
}

/// Reads text up to `ENOUGH`; gives how much.
fn sip(text: impl Read) -> Ended {
    let mut text = text.take(ENOUGH);
    let read = io::copy(&mut text, &mut io::sink());
    if read.is_err() {
        let again = text.read(&mut [0; 64]);
        assert!(again.is_err(), "text goes on after damage");
    }
    Ok(read?)
}

/// Header and entries: what is read can be written, and is then read alike.
fn toc(input: &[u8], _: u64) -> Ended {
    let (toc, _) = Toc::read(&mut &*input)?;
    let again = through_bytes(&toc)?;
    assert_eq!(again, toc, "a table of contents changed on its way");
    for entry in &toc.entries {
        let _ = (
            entry.copy_columns(),
            entry.is_of_large_objects(),
            entry.is_data(),
        );
    }
    through_bytes(&toc.schema_only())?;
    let mut newest = toc.clone();
    newest.upgrade(Version::V1_16)?;
    if !matches!(newest.header.compression, Compression::Gzip(_))
        || toc.header.version == Version::V1_16
    {
        assert_eq!(
            through_bytes(&newest)?,
            newest,
            "an upgraded table of contents changed"
        );
    }
    Ok(toc.entries.len() as u64)
}

/// The same without taking it apart: what is read so is what is read otherwise.
fn skim(input: &[u8], _: u64) -> Ended {
    let Ok((toc, length)) = Toc::read(&mut &*input) else {
        let skimmed = Skimmed::of(input)?;
        return Ok(skimmed.entries.len() as u64);
    };
    let skimmed = Skimmed::of(&input[..length as usize])?;
    assert_eq!(skimmed.entries.len(), toc.entries.len());
    for (skim, entry) in skimmed.entries.iter().zip(&toc.entries) {
        assert_eq!(skim.entry()?, *entry, "an entry was skimmed to another one");
        assert_eq!(skim.has_block(), entry.has_block());
    }
    let mut bytes = Vec::new();
    skimmed.write(&mut bytes)?;
    assert_eq!(Toc::read(&mut &bytes[..])?.0.entries, toc.entries);
    Ok(toc.entries.len() as u64)
}

fn through_bytes(toc: &Toc) -> Result<Toc, ArchiveError> {
    let mut bytes = Vec::new();
    toc.write(&mut bytes)?;
    assert_eq!(bytes.len() as u64, toc.encoded_len()?);
    let (again, length) = Toc::read(&mut &bytes[..])?;
    assert_eq!(length, bytes.len() as u64);
    Ok(again)
}

/// The whole archive from a pipe: some blocks decoded, some raw, some begun, some passed over.
fn stream(input: &[u8], knob: u64) -> Ended {
    let mut reader = ArchiveReader::new(drip(input, knob))?;
    if knob & 0x10 != 0 {
        reader = reader.with_hashes();
    }
    let mut read = 0;
    while let Some(mut block) = reader.next_block()? {
        let choice = (knob >> (16 + block.dump_id() % 16)) % 4;
        match block.kind() {
            BlockKind::Data if choice == 0 => read += sip(block.raw()?)?,
            BlockKind::Data if choice < 3 => read += sip(block.decoded()?)?,
            BlockKind::Blobs if choice < 3 => {
                while let Some(mut blob) = block.next_blob()? {
                    assert_ne!(blob.oid(), 0, "a large object has no oid");
                    read += sip(blob.decoded()?)?;
                }
            }
            _ => {}
        }
        let report = block.finish()?;
        assert!(report.info.offset + report.info.length <= input.len() as u64);
    }
    Ok(read)
}

/// Every block copied as it is: what was accepted is read again, to the end.
fn copy(input: &[u8], knob: u64) -> Ended {
    let mut reader = ArchiveReader::new(drip(input, knob))?;
    let toc = reader.toc().clone();
    let mut writer = ArchiveWriter::create(Cursor::new(Vec::new()), toc, INLINE)?;
    while let Some(block) = reader.next_block()? {
        writer.copy_block(block.dump_id(), block)?;
    }
    let finished = writer.finish()?;
    let copied = finished.out.into_inner();
    assert_eq!(copied.len() as u64, finished.length);
    assert_eq!(pass_over(&copied), finished.blocks.len() as u64);
    Ok(finished.blocks.len() as u64)
}

/// Reads what we wrote ourselves.
fn pass_over(archive: &[u8]) -> u64 {
    let mut reader = ArchiveReader::new(archive).unwrap().with_hashes();
    let mut count = 0;
    while let Some(block) = reader.next_block().unwrap() {
        block.finish().unwrap();
        count += 1;
    }
    count
}

/// Every block decoded and compressed anew, as plain text.
fn rewrite(input: &[u8], knob: u64) -> Ended {
    let mut reader = ArchiveReader::new(drip(input, knob))?;
    let toc = reader.toc().clone().with_compression(Compression::None);
    let mut writer = ArchiveWriter::create(io::sink(), toc, INLINE)?;
    let mut read = 0;
    while let Some(block) = reader.next_block()? {
        writer.rewrite_block(block.dump_id(), block, |text| {
            read += text.len() as u64;
            if read > ENOUGH {
                return Err(ArchiveError::DamagedData("enough"));
            }
            Ok(())
        })?;
    }
    writer.finish_unseekable()?;
    Ok(read)
}

/// One block fetched by its place, its rows counted.
fn block(input: &[u8], knob: u64) -> Ended {
    let (compression, start) = match Toc::read(&mut &*input) {
        Ok((toc, length)) => (toc.header.compression, length as usize),
        Err(_) => (some_compression(knob), 0),
    };
    let mut block = decode_block(drip(&input[start..], knob), compression)?;
    let mut lines = CopyLines::new();
    let mut buffer = [0; 8 << 10];
    let mut text = (&mut block).take(ENOUGH);
    loop {
        let got = text.read(&mut buffer)?;
        if got == 0 {
            break;
        }
        lines.push(&buffer[..got], |_| {})?;
    }
    let stored = block.finish()?;
    assert!(stored <= (input.len() - start) as u64);
    lines.finish()
}

fn some_compression(knob: u64) -> Compression {
    let all = [
        Compression::None,
        Compression::Gzip(-1),
        Compression::Lz4,
        Compression::Zstd,
    ];
    all[(knob >> 4) as usize % 4]
}

static GOOD: LazyLock<Vec<Toc>> = LazyLock::new(|| {
    let toc = |(_, archive): (String, Vec<u8>)| Toc::read(&mut &archive[..]).unwrap().0;
    corpus::golden().into_iter().map(toc).collect()
});

/// The hostile archive joined with a good one, as schema or as what lends its rows; lengths may lie.
fn splice(input: &[u8], knob: u64) -> Ended {
    let (hostile, length) = Toc::read(&mut &*input)?;
    let good = &GOOD[(knob >> 8) as usize % GOOD.len()];
    let (schema, lender) = match knob % 2 {
        0 => (good.schema_only(), &hostile),
        _ => (hostile.schema_only(), good),
    };
    let mut splice = Splice::new(schema)?;
    splice.raise_to(lender.header.version)?;
    splice.check_compression(lender.header.compression)?;
    for entry in lender.table_data() {
        // A table that the other does not have is no reason to stop.
        let _ = splice.add(entry);
    }
    if knob & 2 != 0 {
        splice.add_large_objects(lender)?;
    }
    let toc = splice.finish();
    let rest = &input[length as usize..];
    let stored: &[u8] = if knob & 4 != 0 {
        rest
    } else {
        b"\x01\0\x07\0\0\0\0\x02\0\0\0ab\0\0\0\0\0"
    };
    join(
        toc,
        stored,
        if knob & 0x18 == 0x18 {
            knob
        } else {
            stored.len() as u64
        },
    )
}

fn join(toc: Toc, stored: &[u8], length: u64) -> Ended {
    let ids = toc.entries.iter().filter(|entry| entry.has_block());
    let blocks: Vec<_> = ids
        .map(|entry| SplicedBlock {
            dump_id: entry.dump_id,
            length,
        })
        .collect();
    if let Ok(placed) = Placed::new(toc.clone(), &blocks) {
        for block in placed.blocks() {
            let _ = block.copy_known(stored, io::sink());
            let _ = block.copy(stored, io::sink());
        }
    }
    let made = write_spliced(Vec::new(), toc, &blocks, Hashes::Taken, |_| Ok(stored))?;
    assert_eq!(pass_over(&made.out), blocks.len() as u64);
    Ok(blocks.len() as u64)
}
