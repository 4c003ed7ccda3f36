//! Everything a person reads, in English and Spanish.
//!
//! The two texts of a message stand side by side, in one table per area; macros turn a table into
//! an enum whose fields are the message's arguments. A language that is missing, an argument that
//! one of the two does not use and a placeholder nobody fills are compile errors, so there is no
//! "untranslated" state to fall into.

use std::str::FromStr;

/// A message with named arguments, `{argument}` in its texts.
macro_rules! catalogue {
    ($(#[$meta:meta])* $enum:ident {
        $($name:ident { $($arg:ident),* $(,)? } => $en:literal, $es:literal;)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy)]
        pub enum $enum<'a> {
            $(
                #[doc = $en]
                $name {
                    $(
                        #[doc = concat!("Stands for `{", stringify!($arg), "}`.")]
                        $arg: &'a dyn std::fmt::Display,
                    )*
                },
            )+
        }

        impl $enum<'_> {
            /// The message in a language.
            pub fn text(&self, lang: $crate::messages::Lang) -> String {
                match lang {
                    $crate::messages::Lang::En => self.english(),
                    $crate::messages::Lang::Es => self.spanish(),
                }
            }

            fn english(&self) -> String {
                match self {
                    $(Self::$name { $($arg),* } => format!($en),)+
                }
            }

            fn spanish(&self) -> String {
                match self {
                    $(Self::$name { $($arg),* } => format!($es),)+
                }
            }
        }

        #[cfg(test)]
        impl<'a> $enum<'a> {
            /// Each message with the same value for every argument.
            pub(crate) fn samples(sample: &'a dyn std::fmt::Display) -> Vec<Self> {
                vec![$(Self::$name { $($arg: sample),* }),+]
            }
        }
    };
}

/// A short phrase for each value of a set.
macro_rules! spoken {
    ($type:ty { $($variant:ident => $en:literal, $es:literal;)+ $(| $other:ident)? }) => {
        impl Spoken for $type {
            fn spoken(&self, lang: Lang) -> &str {
                let (english, spanish) = match self {
                    $(Self::$variant => ($en, $es),)+
                    $(Self::$other(word) => (word.as_str(), word.as_str()),)?
                };
                lang.choose(english, spanish)
            }
        }
    };
}

mod alerts;
mod demo;
mod doctor;
mod errors;
mod escape_kit;
mod exit;
mod headers;
mod legacy;
mod numbers;
mod panel;
mod phrases;
mod progress;
mod results;

pub use alerts::{Alert, alert};
pub use demo::Demo;
pub use doctor::Doctor;
pub use errors::{ErrorCode, ErrorText};
pub use escape_kit::escape_kit_guide;
pub use exit::ExitCode;
pub use headers::Header;
pub use legacy::{LegacyFate, LegacyNotice, LegacyOwner};
pub use numbers::{duration, size};
pub use panel::PanelCode;
pub use phrases::{EngineState, FateWord, ScheduleSource};
pub use progress::Progress;
pub use results::Outcome;

/// A language for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

/// A language we do not speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a language of respaldo: en or es")]
pub struct UnknownLang(pub String);

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Es];

    /// What the environment's `LC_ALL` and `LANG` ask for; English where they ask for another.
    ///
    /// ```
    /// use respaldo_contract::messages::Lang;
    ///
    /// assert_eq!(Lang::from_env(None, Some("es_AR.UTF-8")), Lang::Es);
    /// assert_eq!(Lang::from_env(Some("C"), Some("es_AR.UTF-8")), Lang::En);
    /// assert_eq!(Lang::from_env(Some(""), Some("es")), Lang::Es);
    /// ```
    pub fn from_env(lc_all: Option<&str>, lang: Option<&str>) -> Self {
        let asked = [lc_all, lang]
            .into_iter()
            .flatten()
            .find(|value| !value.is_empty());
        let language = asked.and_then(|locale| locale.split(['_', '.', '@', '-']).next());
        match language {
            Some(word) if word.eq_ignore_ascii_case("es") => Self::Es,
            _ => Self::En,
        }
    }

    /// Its code: `en` or `es`.
    pub fn code(self) -> &'static str {
        self.choose("en", "es")
    }

    /// One of two texts.
    pub fn choose<T>(self, english: T, spanish: T) -> T {
        match self {
            Self::En => english,
            Self::Es => spanish,
        }
    }
}

impl FromStr for Lang {
    type Err = UnknownLang;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let same = |lang: &Self| lang.code().eq_ignore_ascii_case(text);
        Self::ALL
            .into_iter()
            .find(same)
            .ok_or_else(|| UnknownLang(text.to_owned()))
    }
}

/// A value that has a short phrase for people.
pub trait Spoken {
    /// The phrase; a plugin's own word as it is.
    ///
    /// ```
    /// use respaldo_contract::messages::{Lang, Spoken};
    /// use respaldo_domain::changes::Reason;
    ///
    /// assert_eq!(Reason::New.spoken(Lang::En), "created since the base");
    /// assert_eq!(Reason::New.spoken(Lang::Es), "creada después de la base");
    /// ```
    fn spoken(&self, lang: Lang) -> &str;
}

#[cfg(test)]
mod tests;
