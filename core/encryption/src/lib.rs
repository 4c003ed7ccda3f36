//! Encryption of objects at rest in the format of age (<https://c2sp.org/age>): for X25519 recipients,
//! in authenticated pieces of 64 KiB, so that a part of an object is read without the rest. What it
//! writes is opened by any program that knows age.

mod identity;
mod opened;

use std::fmt;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::OnceLock;

use age::x25519::{Identity, Recipient};
use age::{DecryptError, Decryptor, Encryptor};
use respaldo_engine::ports::{Context, Encryption, Fault, FaultKind, SeekableRead};

pub use identity::{IdentityError, IdentitySource, Key};
use opened::Opened;

/// Bytes of what is inside that are encrypted together.
const PIECE_BYTES: u64 = 64 * 1024;
/// The same as they are stored: with their tag.
const STORED_PIECE_BYTES: u64 = PIECE_BYTES + 16;
const BUFFER_BYTES: usize = 256 * 1024;

/// Encrypts for its recipients; decrypts where it has an identity, which is read when it is first
/// needed.
pub struct Age {
    recipients: Vec<Recipient>,
    source: Option<IdentitySource>,
    identities: OnceLock<Result<Vec<Identity>, String>>,
}

/// A text that is not a recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{recipient:?} is no recipient (age1...): {why}")]
pub struct NotARecipient {
    /// The text. A recipient is public; of anything else only the beginning.
    pub recipient: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Debug for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.recipients.len();
        write!(f, "Age for {count} recipients")
    }
}

impl Age {
    /// Encryption for these recipients (`age1...`), and decryption with an identity.
    pub fn new(
        recipients: &[String],
        source: Option<IdentitySource>,
    ) -> Result<Self, NotARecipient> {
        let recipients = recipients.iter().map(|text| recipient(text));
        Ok(Self {
            recipients: recipients.collect::<Result<_, _>>()?,
            source,
            identities: OnceLock::new(),
        })
    }

    /// Recipients of the identity at hand, as text.
    pub fn own_recipients(&self) -> Result<Vec<String>, Fault> {
        let own = self.identities()?.iter();
        Ok(own.map(|own| own.to_public().to_string()).collect())
    }

    fn identities(&self) -> Result<&[Identity], Fault> {
        let Some(source) = &self.source else {
            let hint = "set [encryption] identity to the file with the key";
            return Err(Fault::new(FaultKind::NoKey, "it is encrypted", hint));
        };
        let read = || source.read().map_err(|error| identity::chain(&error));
        match self.identities.get_or_init(read) {
            Ok(identities) => Ok(identities),
            Err(why) => {
                let subject = format!("the key in {source} cannot be used");
                Err(Fault::new(FaultKind::NoKey, subject, why.clone()))
            }
        }
    }
}

fn recipient(text: &str) -> Result<Recipient, NotARecipient> {
    let text = text.trim();
    if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
        return Err(NotARecipient {
            recipient: "AGE-SECRET-KEY-...".to_owned(),
            why: "this is the secret key; `age-keygen -y` tells its recipient",
        });
    }
    text.parse().map_err(|why| NotARecipient {
        recipient: text.chars().take(70).collect(),
        why,
    })
}

impl Encryption for Age {
    fn encrypts(&self) -> bool {
        !self.recipients.is_empty()
    }

    fn key(&self) -> Result<(), Fault> {
        self.identities().map(drop)
    }

    fn encrypt(
        &self,
        plain: &mut dyn Read,
        into: &mut dyn Write,
        cx: &Context,
    ) -> Result<(), Fault> {
        let failed = |error: io::Error| {
            let fault = error.downcast::<Fault>();
            fault.unwrap_or_else(|error| Fault::io("encrypting", error))
        };
        let recipients = self.recipients.iter().map(|one| one as &dyn age::Recipient);
        let encryptor = Encryptor::with_recipients(recipients)
            .map_err(|error| Fault::new(FaultKind::Internal, "encrypting", error))?;
        let mut out = encryptor.wrap_output(into).map_err(failed)?;
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            cx.check()?;
            match plain.read(&mut buffer) {
                Ok(0) => break,
                Ok(got) => out.write_all(&buffer[..got]).map_err(failed)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        out.finish().map(drop).map_err(failed)
    }

    fn decrypt<'a>(
        &self,
        stored: Box<dyn SeekableRead + 'a>,
    ) -> Result<Box<dyn SeekableRead + 'a>, Fault> {
        let identities = self.identities()?;
        let decryptor = Decryptor::new(stored).map_err(unopened)?;
        let identities = identities.iter().map(|one| one as &dyn age::Identity);
        let plain = decryptor.decrypt(identities).map_err(unopened)?;
        Ok(Box::new(Opened(plain)))
    }

    fn span(&self, inside: &Range<u64>) -> u64 {
        let first = inside.start / PIECE_BYTES;
        let pieces = inside.end.div_ceil(PIECE_BYTES).saturating_sub(first);
        pieces.saturating_mul(STORED_PIECE_BYTES)
    }
}

/// Why what is stored was not opened. A fault of the store comes out as it went in.
fn unopened(error: DecryptError) -> Fault {
    match error {
        DecryptError::Io(error) => opened::fault(error),
        DecryptError::NoMatchingKeys => {
            let hint = "it was encrypted for others: use the key of one of its recipients";
            Fault::new(FaultKind::NoKey, "the key at hand does not open it", hint)
        }
        DecryptError::UnknownFormat => {
            let hint = "a newer version of age wrote it";
            Fault::new(
                FaultKind::Invalid,
                "it is encrypted in an unknown way",
                hint,
            )
        }
        error => {
            let subject = "what is encrypted was changed or is damaged";
            Fault::new(FaultKind::Corrupt, subject, error.to_string())
        }
    }
}

#[cfg(test)]
mod tests;
