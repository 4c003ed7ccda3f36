//! Bytes between a stream and a file, a piece at a time.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind, PutSource};
use respaldo_engine::store::fault_of_io;

const PIECE_BYTES: usize = 256 * 1024;

/// Writes exactly what the source promised to `file` and makes it durable.
pub(super) fn into_file(
    source: &mut dyn PutSource,
    file: &mut File,
    target: &Path,
    cx: &Context,
) -> Result<(), Fault> {
    let size_bytes = source.size_bytes();
    let writing = |error| Fault::io(format!("write {}", target.display()), error);
    let reading = |error| fault_of_io(format!("read the source of {}", target.display()), error);
    let mut copied = 0;
    let mut buffer = vec![0; PIECE_BYTES];
    loop {
        cx.check()?;
        let got = read_piece(source, &mut buffer).map_err(reading)?;
        copied += got as u64;
        if got == 0 || copied > size_bytes {
            break;
        }
        file.write_all(&buffer[..got]).map_err(writing)?;
    }
    if copied != size_bytes {
        let subject = format!(
            "the source of {} does not have the {size_bytes} bytes it promised",
            target.display()
        );
        return Err(Fault::bare(FaultKind::Corrupt, subject));
    }
    file.sync_all().map_err(writing)
}

/// Writes `file` to its end to `into`; it must give all that its limit allows.
pub(super) fn out_of_file(
    file: &mut io::Take<File>,
    into: &mut (dyn Write + Send),
    key: &ObjectKey,
    cx: &Context,
) -> Result<(), Fault> {
    let mut buffer = vec![0; PIECE_BYTES.min(file.limit() as usize)];
    while file.limit() > 0 {
        cx.check()?;
        let got = read_piece(file, &mut buffer)
            .map_err(|error| Fault::io(format!("read {key}"), error))?;
        if got == 0 {
            return Err(Fault::bare(
                FaultKind::Corrupt,
                format!("{key} was cut while it was read"),
            ));
        }
        into.write_all(&buffer[..got])
            .map_err(|error| fault_of_io(format!("hand out {key}"), error))?;
    }
    Ok(())
}

fn read_piece(source: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
