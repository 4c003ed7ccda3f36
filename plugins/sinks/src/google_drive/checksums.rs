//! What Drive says of a file against the bytes that went through our hands.

use md5::Md5;
use respaldo_engine::ports::{Fault, FaultKind};
use sha2::{Digest, Sha256};

use super::api::File;

/// Counts and hashes bytes.
#[derive(Default)]
pub(super) struct Tally {
    size_bytes: u64,
    md5: Md5,
    sha256: Sha256,
}

impl Tally {
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.size_bytes += bytes.len() as u64;
        self.md5.update(bytes);
        self.sha256.update(bytes);
    }

    /// Fails unless the file has this size and the checksums that Drive tells, one at least.
    pub(super) fn ensure(self, file: &File, subject: &str) -> Result<(), Fault> {
        let corrupt = |why: String| Err(Fault::new(FaultKind::Corrupt, subject, why));
        if file.size != Some(self.size_bytes) {
            let told = file.size.unwrap_or(0);
            return corrupt(format!("Drive holds {told} bytes of {}", self.size_bytes));
        }
        let pairs = [
            (
                file.sha256_checksum.as_ref(),
                hexadecimal(&self.sha256.finalize()),
            ),
            (
                file.md5_checksum.as_ref(),
                hexadecimal(&self.md5.finalize()),
            ),
        ];
        let told: Vec<_> = pairs
            .iter()
            .filter_map(|(told, own)| told.map(|told| (told, own)))
            .collect();
        match told
            .iter()
            .all(|(told, own)| told.eq_ignore_ascii_case(own))
        {
            _ if told.is_empty() => corrupt("Drive tells no checksum of it".to_owned()),
            true => Ok(()),
            false => corrupt("Drive's checksum is another than that of the bytes".to_owned()),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
