//! What a backup is called, which kind it is and where its objects lie.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize, Serializer};

use crate::object::{ENCRYPTED, ObjectKey};

/// How much of the database a backup carries of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupKind {
    /// Every table.
    Full,
    /// Tables changed since the full.
    Differential,
    /// Tables changed since the newest backup of any kind.
    Incremental,
}

impl BackupKind {
    /// Folder of the kind in a repository, as the existing system names it.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Differential => "differential",
            Self::Incremental => "incremental",
        }
    }

    /// Prefix of the archive's file name, as the existing system spells it.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Differential => "dif",
            Self::Incremental => "inc",
        }
    }

    fn from_prefix(prefix: &str) -> Option<Self> {
        [Self::Full, Self::Differential, Self::Incremental]
            .into_iter()
            .find(|kind| kind.prefix() == prefix)
    }
}

/// Where a backup is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupState {
    /// Due, not begun.
    Pending,
    /// Being made.
    Running,
    /// Sealed: its manifest is in storage.
    Completed,
    /// Ended without a seal.
    Failed,
    /// Sealed and being looked at.
    Validating,
}

/// Who asked for a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// A due time of the schedule.
    Schedule,
    /// A person or a program.
    Operator,
}

/// Number of a backup in the catalog. Numbers are not reused by us, and not known without a
/// catalog: a backup's lasting name is its [`ArchiveName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BackupId(pub i64);

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// File name of an archive, and with it the lasting name of a backup:
/// `full_20261124_021746.backup`, `inc_20261124_230000_7f3a.backup`.
///
/// The time is local time of the machine that made it, in whole seconds. Ours always carry a
/// suffix of four hexadecimal digits, so names never collide between machines nor with the
/// existing system, which has none. That of an encrypted archive ends in `.backup.age`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ArchiveName {
    text: String,
    kind: BackupKind,
}

/// How the names of archives end.
const ARCHIVE: &str = ".backup";

/// A text which is not the name of an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an archive's name such as full_20261124_021746_7f3a.backup")]
pub struct NotAnArchiveName(pub String);

impl ArchiveName {
    /// The name of a backup of `kind` begun at `at` (local time).
    pub fn new(kind: BackupKind, at: DateTime<FixedOffset>, suffix: u16) -> Self {
        let stamp = at.format("%Y%m%d_%H%M%S");
        let text = format!("{}_{stamp}_{suffix:04x}{ARCHIVE}", kind.prefix());
        Self { text, kind }
    }

    /// The name of the same backup, encrypted.
    #[must_use]
    pub fn encrypted(&self) -> Self {
        Self {
            text: format!("{}{ARCHIVE}{ENCRYPTED}", self.stem()),
            kind: self.kind,
        }
    }

    /// Whether the archive is encrypted, and with it the other objects of its set.
    pub fn is_encrypted(&self) -> bool {
        self.text.ends_with(ENCRYPTED)
    }

    /// The name of the archive itself: without the ending of the encryption.
    pub fn plain(&self) -> &str {
        self.text.strip_suffix(ENCRYPTED).unwrap_or(&self.text)
    }

    fn stem(&self) -> &str {
        self.plain().trim_end_matches(ARCHIVE)
    }

    /// How the keys of objects end that are encrypted where the archive is.
    fn ending(&self) -> &'static str {
        match self.is_encrypted() {
            true => ENCRYPTED,
            false => "",
        }
    }

    /// The file name itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The kind that the prefix says.
    pub fn kind(&self) -> BackupKind {
        self.kind
    }

    /// The part that orders names of all kinds by when their backups began, by the clock that made them.
    pub fn moment(&self) -> &str {
        self.text.split_once('_').map_or("", |(_, moment)| moment)
    }

    /// Where the archive lies in a repository.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::trusted(format!("{}/{}", self.kind.folder(), self.text))
    }

    /// Where the manifest that seals it lies; of an encrypted one its header.
    pub fn manifest_key(&self) -> ObjectKey {
        ObjectKey::trusted(format!(
            "{}/{}.manifest.json",
            self.kind.folder(),
            self.text
        ))
    }

    /// Where the whole manifest of an encrypted set lies.
    pub fn whole_manifest_key(&self) -> ObjectKey {
        ObjectKey::trusted(format!("{}{ENCRYPTED}", self.manifest_key()))
    }

    /// Where the detector's readings lie.
    pub fn stats_key(&self) -> ObjectKey {
        let (name, ending) = (self.plain(), self.ending());
        ObjectKey::trusted(format!("stats/{name}.json{ending}"))
    }

    /// Where the roles stored with a full lie.
    pub fn roles_key(&self) -> ObjectKey {
        let (folder, stem, ending) = (self.kind.folder(), self.stem(), self.ending());
        ObjectKey::trusted(format!("{folder}/{stem}.roles.sql{ending}"))
    }

    /// Keys of all objects that its set may have besides the manifest.
    pub fn object_keys(&self) -> Vec<ObjectKey> {
        let mut keys = vec![self.key(), self.stats_key(), self.roles_key()];
        if self.is_encrypted() {
            keys.push(self.whole_manifest_key());
        }
        keys
    }
}

/// The kind that the name of an archive says; `None` where the text is no such name.
fn kind_in(text: &str) -> Option<BackupKind> {
    let plain = text.strip_suffix(ENCRYPTED).unwrap_or(text);
    let mut parts = plain.strip_suffix(ARCHIVE)?.split('_');
    let kind = BackupKind::from_prefix(parts.next()?)?;
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let has_right_parts = (2..=3).contains(&parts.clone().count()) && parts.all(is_plain);
    has_right_parts.then_some(kind)
}

impl FromStr for ArchiveName {
    type Err = NotAnArchiveName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for ArchiveName {
    type Error = NotAnArchiveName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match kind_in(&text) {
            Some(kind) => Ok(Self { text, kind }),
            None => Err(NotAnArchiveName(text)),
        }
    }
}

impl Serialize for ArchiveName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl fmt::Display for ArchiveName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_kind_and_its_keys() {
        let at = DateTime::parse_from_rfc3339("2026-11-24T02:17:46-03:00").unwrap();
        let name = ArchiveName::new(BackupKind::Differential, at, 0x7f3a);
        assert_eq!(name.as_str(), "dif_20261124_021746_7f3a.backup");
        assert_eq!(
            name.key().as_str(),
            "differential/dif_20261124_021746_7f3a.backup"
        );
        assert_eq!(name.as_str().parse(), Ok(name));
    }

    #[test]
    fn the_objects_of_an_encrypted_backup_say_so() {
        let plain: ArchiveName = "full_20261124_021746_7f3a.backup".parse().unwrap();
        let name = plain.encrypted();
        assert_eq!(name.encrypted(), name);
        assert_eq!(name.as_str().parse(), Ok(name.clone()));
        assert!(name.is_encrypted() && !plain.is_encrypted());
        assert_eq!(name.plain(), plain.as_str());
        let keys = name.object_keys();
        assert!(keys.iter().all(ObjectKey::is_encrypted));
        assert!(plain.object_keys().iter().all(|key| !keys.contains(key)));
        assert!(!name.manifest_key().is_encrypted());
    }

    #[test]
    fn names_of_the_existing_system_are_understood_and_paths_are_not() {
        assert!("full_20261124_021746.backup".parse::<ArchiveName>().is_ok());
        for bad in [
            "full_../x.backup",
            "full_1.backup",
            "weekly_1_2.backup",
            "full_1_2.sql",
        ] {
            assert!(bad.parse::<ArchiveName>().is_err(), "{bad}");
        }
    }
}
