//! A validator that reads an archive to its end and checks that it begins as one, and that its size and its SHA-256
//! are those that were recorded when it was made.
#![forbid(unsafe_code)]

use std::io::BufRead;

use respaldo_sdk::records::{Finding, Severity, Subject};
use respaldo_sdk::{Context, Each, NoOptions, Plugin, Result, Validator};
use sha2::{Digest, Sha256};

/// What an archive of pg_dump in the custom format begins with.
const MAGIC: &[u8] = b"PGDMP";

/// Without state.
pub struct Magic;

impl Plugin for Magic {
    const ID: &'static str = "example.magic";
    const NAME: &'static str = "Magic and checksum";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "Checks beginning, size and SHA-256 of the archive.";
    type Options = NoOptions;

    fn create(_: NoOptions) -> Result<Self> {
        Ok(Self)
    }
}

/// What was read.
#[derive(Default)]
struct Seen {
    begin: Vec<u8>,
    size_bytes: u64,
    hash: Sha256,
}

impl Seen {
    fn of(archive: &mut dyn BufRead, total: u64, cx: &dyn Context) -> Result<Self> {
        let mut seen = Self::default();
        loop {
            cx.check()?;
            let bytes = archive.fill_buf()?;
            if bytes.is_empty() {
                return Ok(seen);
            }
            let missing = MAGIC.len() - seen.begin.len();
            seen.begin.extend(bytes.iter().take(missing));
            seen.hash.update(bytes);
            let len = bytes.len();
            seen.size_bytes += len as u64;
            archive.consume(len);
            cx.progress(seen.size_bytes, total);
        }
    }
}

impl Validator for Magic {
    fn validate(
        &self,
        subject: &Subject,
        archive: &mut dyn BufRead,
        each: Each<'_, Finding>,
        cx: &dyn Context,
    ) -> Result<()> {
        let seen = Seen::of(archive, subject.size_bytes, cx)?;
        let hash: String = seen.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut find = |wrong: bool, code: &str, detail: String| {
            let (severity, code, subject) = (Severity::Error, code.to_owned(), subject.key.clone());
            let finding = Finding {
                severity,
                code,
                subject,
                detail,
            };
            if wrong { each(finding) } else { Ok(()) }
        };
        find(seen.begin != MAGIC, "not-an-archive", "it does not begin with PGDMP".to_owned())?;
        let sizes = format!("{} bytes, {} recorded", seen.size_bytes, subject.size_bytes);
        find(seen.size_bytes != subject.size_bytes, "wrong-size", sizes)?;
        let same = hash.eq_ignore_ascii_case(&subject.sha256);
        find(!same, "wrong-checksum", format!("{hash}, {} recorded", subject.sha256))
    }
}

respaldo_sdk::export_plugins!(validator: Magic);
