//! How a reader ended, as a short name: inputs that end in the same way are alike.

use respaldo_archive::ArchiveError;

/// The name.
pub fn of(ended: &Result<u64, ArchiveError>) -> String {
    match ended {
        // How much was read, to the power of two.
        Ok(read) => format!("read {}", u64::BITS - read.leading_zeros()),
        Err(error) => of_error(error),
    }
}

fn of_error(error: &ArchiveError) -> String {
    match error {
        ArchiveError::Damaged { problem, .. } => (*problem).to_owned(),
        ArchiveError::Truncated { reading, .. } => format!("cut in {reading}"),
        ArchiveError::DamagedData(problem) | ArchiveError::NotAnArchive(problem) => {
            (*problem).to_owned()
        }
        other => {
            let debug = format!("{other:?}");
            let variant = debug.split(|c: char| !c.is_alphanumeric()).next();
            variant.unwrap_or_default().to_owned()
        }
    }
}
