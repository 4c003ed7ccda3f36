//! Objects in a sink: their keys and their checksums.

use std::fmt;

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256(pub [u8; 32]);

/// A text that is not a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a SHA-256 of 64 hexadecimal digits")]
pub struct NotASha256(pub String);

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(NotASha256(text));
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).ok();
            match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                Some(value) => *byte = value,
                None => return Err(NotASha256(text)),
            }
        }
        Ok(Self(bytes))
    }
}

impl From<Sha256> for String {
    fn from(hash: Sha256) -> Self {
        hash.to_string()
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
        assert!(Sha256::try_from("xy".repeat(32)).is_err());
    }
}
