//! Objects in a sink: their keys and their checksums.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How the names of encrypted objects end.
pub const ENCRYPTED: &str = ".age";

/// Longest key a sink must take, in bytes.
pub const MAX_KEY_BYTES: usize = 512;

/// Name of an object: relative, `/`-separated, ASCII letters, digits, `.`, `_`, `-`; no part is
/// empty or starts with a dot, so a key can never leave its folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectKey(String);

/// A text that is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an object key (relative, letters, digits, '.', '_' and '-', '/' between)")]
pub struct NotAKey(pub String);

impl ObjectKey {
    /// Checks a text that came from outside.
    pub fn parse(text: impl Into<String>) -> Result<Self, NotAKey> {
        let text = text.into();
        let good_part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        if text.len() <= MAX_KEY_BYTES && text.split('/').all(good_part) {
            Ok(Self(text))
        } else {
            Err(NotAKey(text))
        }
    }

    /// A key built from parts that were checked before.
    pub(crate) fn trusted(text: String) -> Self {
        debug_assert!(Self::parse(text.clone()).is_ok(), "{text}");
        Self(text)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what lies under it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.ends_with(ENCRYPTED)
    }

    /// The last part.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(text)
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// SHA-256 of stored bytes, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256(pub [u8; 32]);

/// A text that is not a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a SHA-256 of 64 hexadecimal digits")]
pub struct NotASha256(pub String);

impl Sha256 {
    fn of_text(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let digits = text.as_bytes();
        if digits.len() != 2 * bytes.len() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            *byte = (digit(0)? << 4 | digit(1)?) as u8;
        }
        Some(Self(bytes))
    }

    /// Does `write` with the digits, for which no memory is taken: a manifest has one for each table.
    fn with_digits<T>(&self, write: impl FnOnce(&str) -> T) -> T {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [b'0'; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        write(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_digits(|digits| f.write_str(digits))
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_digits(|digits| serializer.serialize_str(digits))
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;

        impl Visitor<'_> for Digits {
            type Value = Sha256;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a SHA-256 of 64 hexadecimal digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Sha256, E> {
                Sha256::of_text(text).ok_or_else(|| E::custom(NotASha256(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Digits)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl TryFrom<String> for Sha256 {
    type Error = NotASha256;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::of_text(&text).ok_or(NotASha256(text))
    }
}

/// What an object of a backup set is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectRole {
    /// The pg_dump archive.
    Archive,
    /// The detector's readings.
    Stats,
    /// `CREATE ROLE` statements without passwords.
    Roles,
    /// The whole manifest of an encrypted set.
    Manifest,
}

/// An object of a sealed set, as the manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedObject {
    /// What it is for.
    pub role: ObjectRole,
    /// Its key in every sink.
    pub key: ObjectKey,
    /// Stored size.
    pub size_bytes: u64,
    /// Hash of the stored bytes.
    pub sha256: Sha256,
    /// What is in it, where what is stored is encrypted.
    #[serde(default)]
    pub plain: Option<Plain>,
}

impl SealedObject {
    /// Hash of what is in it.
    pub fn content_sha256(&self) -> Sha256 {
        self.plain.map_or(self.sha256, |plain| plain.sha256)
    }
}

/// Bytes that are stored encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plain {
    /// How many.
    pub size_bytes: u64,
    /// Their hash.
    pub sha256: Sha256,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_cannot_leave_its_folder() {
        for bad in [
            "",
            "/a",
            "a//b",
            "../a",
            "a/../b",
            "a/.hidden",
            "a\\b",
            "a b",
            "a\n",
        ] {
            assert!(ObjectKey::parse(bad).is_err(), "{bad:?}");
        }
        assert!(ObjectKey::parse("full/full_1_2.backup.manifest.json").is_ok());
    }

    #[test]
    fn a_checksum_survives_its_text() {
        let hash = Sha256([0xab; 32]);
        assert_eq!(Sha256::try_from(hash.to_string()), Ok(hash));
        assert_eq!(hash.to_string(), "ab".repeat(32));
        for wrong in ["xy".repeat(32), "+a".repeat(32), "ab".repeat(31)] {
            assert_eq!(
                Sha256::try_from(wrong.clone()),
                Err(NotASha256(wrong.clone()))
            );
            let stored = serde_json::to_string(&wrong).unwrap();
            assert!(serde_json::from_str::<Sha256>(&stored).is_err());
        }
        let stored = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<Sha256>(&stored).unwrap(), hash);
    }
}
