//! Encryption of what is stored.

use std::io::{Read, Seek, Write};
use std::ops::Range;

use super::{Context, Fault};

/// Encrypts for recipients, of whom this machine need not be one, and opens what is encrypted where
/// it has a key.
pub trait Encryption: Send + Sync {
    /// Whether new sets are encrypted.
    fn encrypts(&self) -> bool;

    /// Ok where a key is at hand; [`super::FaultKind::NoKey`] where none is, or it cannot be read.
    fn key(&self) -> Result<(), Fault>;

    /// Encrypts a stream from its first byte to its end.
    fn encrypt(
        &self,
        plain: &mut dyn Read,
        into: &mut dyn Write,
        cx: &Context,
    ) -> Result<(), Fault>;

    /// What is encrypted in an object. [`super::FaultKind::NoKey`] where no key at hand is one of
    /// its recipients'; reading fails with [`super::FaultKind::Corrupt`] where it is damaged or cut off.
    fn decrypt<'a>(
        &self,
        stored: Box<dyn SeekableRead + 'a>,
    ) -> Result<Box<dyn SeekableRead + 'a>, Fault>;

    /// How many stored bytes hold a range of what is inside, from where its first byte is looked for.
    fn span(&self, inside: &Range<u64>) -> u64;
}

/// A stream that is read from any place.
pub trait SeekableRead: Read + Seek + Send {}

impl<T: Read + Seek + Send> SeekableRead for T {}
