//! Wire words: one table per set of values, read in both directions.
//!
//! A table is an exhaustive match, so a value without a word does not compile. Words in the
//! database, in JSON results and in files are the same ones.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

/// A closed set of values with one wire word each.
///
/// ```
/// use respaldo_contract::labels::Label;
/// use respaldo_domain::backup::BackupKind;
///
/// assert_eq!(BackupKind::Differential.label(), "DIFERENCIAL");
/// assert_eq!(BackupKind::from_label("MANUAL"), Ok(BackupKind::Full));
/// assert!(BackupKind::from_label("weekly").is_err());
/// ```
pub trait Label: Copy + Sized + 'static {
    /// What the set is, for errors.
    const WHAT: &'static str;
    /// Every value.
    const ALL: &'static [Self];
    /// Words that are read but never written.
    const ALIASES: &'static [(&'static str, Self)];

    /// The word of a value.
    fn label(self) -> &'static str;

    /// The value of a word.
    fn from_label(text: &str) -> Result<Self, UnknownLabel> {
        let written = Self::ALL
            .iter()
            .copied()
            .find(|value| value.label() == text);
        let alias = || {
            Self::ALIASES
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, value)| *value)
        };
        written.or_else(alias).ok_or_else(|| UnknownLabel {
            what: Self::WHAT,
            text: text.to_owned(),
        })
    }
}

/// A set of values that plugins extend: an unknown word is a value too.
pub trait OpenLabel: Sized {
    /// The word of a value.
    fn label(&self) -> &str;

    /// The value of a word.
    fn from_label(text: &str) -> Self;
}

/// A word that is in no table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {what}")]
pub struct UnknownLabel {
    /// The set that was asked.
    pub what: &'static str,
    /// The word.
    pub text: String,
}

macro_rules! labels {
    ($type:ty, $what:literal {
        $($variant:ident => $word:literal,)+
        $(; $($alias:literal => $same:ident,)+)?
    }) => {
        impl Label for $type {
            const WHAT: &'static str = $what;
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            const ALIASES: &'static [(&'static str, Self)] = &[$($(($alias, Self::$same)),+)?];

            fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }
    };
}

macro_rules! open_labels {
    ($type:ty { $($variant:ident => $word:literal,)+ }) => {
        impl OpenLabel for $type {
            fn label(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }

            fn from_label(text: &str) -> Self {
                match text {
                    $($word => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

mod events;
mod words;

pub use events::{EventName, ValidationResult};
pub use words::kind_from_word;

/// Serde of a [`Label`] field: `#[serde(with = "wire")]`.
pub(crate) mod wire {
    use super::{Deserializer, Label, Serializer, Word};

    pub(crate) fn serialize<T: Label, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(value.label())
    }

    pub(crate) fn deserialize<'de, T: Label, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        let read = |text: &str| T::from_label(text).map_err(|error| error.to_string());
        from.deserialize_str(Word(T::WHAT, read))
    }
}

/// Serde of an optional [`Label`] field.
pub(crate) mod wire_option {
    use super::{Deserialize, Deserializer, Label, Serializer};

    #[expect(clippy::ref_option, reason = "the signature serde asks for")]
    pub(crate) fn serialize<T: Label, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.serialize_str(value.label()),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, T: Label, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| T::from_label(&text))
            .transpose()
            .map_err(serde::de::Error::custom)
    }
}

/// Serde of an [`OpenLabel`] field.
pub(crate) mod wire_open {
    use super::{Deserializer, OpenLabel, Serializer, Word};

    pub(crate) fn serialize<T: OpenLabel, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(value.label())
    }

    pub(crate) fn deserialize<'de, T: OpenLabel, D: Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        from.deserialize_str(Word("word", |text: &str| Ok(T::from_label(text))))
    }
}

/// Reads a word where it lies. A manifest has some for each table.
struct Word<R>(&'static str, R);

impl<T, R: FnOnce(&str) -> Result<T, String>> Visitor<'_> for Word<R> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}", self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).map_err(E::custom)
    }
}
