//! The four types of the service, by the words of files, columns and commands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A type of legacy backup. All are whole dumps; the type says when it is due and how many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LegacyKind {
    /// Every day at 23:00.
    Daily,
    /// On Sunday at 23:30.
    Weekly,
    /// On day 1 at 00:00.
    Monthly,
    /// When somebody asks for it.
    Manual,
}

/// A word that is none of the four.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not daily, weekly, monthly or manual")]
pub struct UnknownKind(pub String);

impl LegacyKind {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Daily, Self::Weekly, Self::Monthly, Self::Manual];

    /// Those with an hour, in the order in which missed ones are made.
    pub const SCHEDULED: [Self; 3] = [Self::Daily, Self::Weekly, Self::Monthly];

    /// Its word: also its folder.
    pub fn word(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Manual => "manual",
        }
    }
}

impl fmt::Display for LegacyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for LegacyKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.word() == text);
        found.ok_or_else(|| UnknownKind(text.to_owned()))
    }
}
