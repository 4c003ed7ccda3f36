//! Settings of the dumpers.

use respaldo_archive::EncodeOptions;
use respaldo_domain::manifest::Compression;
use serde::Deserialize;

/// Nearly as small as zlib's own default, in a fifth of its time.
const GZIP_LEVEL: u8 = 2;
/// zstd's own default.
const ZSTD_LEVEL: u8 = 3;
/// PostgreSQL from which on pg_dump and pg_restore know Zstandard.
const ZSTD_SINCE: u32 = 16;

/// How archives are written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Keys")]
pub struct DumperOptions {
    /// How rows are compressed.
    pub method: Method,
    /// Connections that copy rows at once (`parallel` only).
    pub jobs: usize,
    /// What the arguments of one pg_dump may take. Where more relations are to be named, several
    /// are run on the same snapshot and their archives joined.
    pub argument_bytes: usize,
    /// Relations from which on definitions are taken over from an older backup where nothing of
    /// them changed. Below, pg_dump writes them in less time than it takes to prove that.
    pub take_over_from: usize,
}

/// The options as they are written.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Keys {
    compression: Algorithm,
    level: Option<u8>,
    jobs: usize,
    argument_bytes: usize,
    take_over_from: usize,
}

impl Default for Keys {
    fn default() -> Self {
        let usual = DumperOptions::default();
        Self {
            compression: Algorithm::Gzip,
            level: None,
            jobs: usual.jobs,
            argument_bytes: usual.argument_bytes,
            take_over_from: usual.take_over_from,
        }
    }
}

impl TryFrom<Keys> for DumperOptions {
    type Error = NotALevel;

    fn try_from(keys: Keys) -> Result<Self, NotALevel> {
        Ok(Self {
            method: Method::of(keys.compression, keys.level)?,
            jobs: keys.jobs,
            argument_bytes: keys.argument_bytes,
            take_over_from: keys.take_over_from,
        })
    }
}

impl Default for DumperOptions {
    fn default() -> Self {
        Self {
            method: Method::Gzip(GZIP_LEVEL),
            jobs: 2,
            argument_bytes: usual_argument_bytes(),
            take_over_from: 1000,
        }
    }
}

/// Linux gives arguments and environment 2 MiB, macOS 1 MiB, Windows 32 KiB.
fn usual_argument_bytes() -> usize {
    if cfg!(windows) {
        24_000
    } else if cfg!(target_os = "linux") {
        1_500_000
    } else {
        700_000
    }
}

/// An algorithm by its name, which is pg_dump's too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// zlib: every pg_restore reads it.
    Gzip,
    /// Zstandard: tools of PostgreSQL 16 and later read it.
    Zstd,
}

/// An algorithm and its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Rows are stored plain.
    None,
    /// zlib, 1 fast to 9 small.
    Gzip(u8),
    /// Zstandard, 1 fast to 19 small.
    Zstd(u8),
}

/// Not a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{level} is not a level of this compression: {choices} are")]
pub struct NotALevel {
    level: u8,
    choices: &'static str,
}

impl Method {
    /// The usual level where none is given.
    pub fn of(algorithm: Algorithm, level: Option<u8>) -> Result<Self, NotALevel> {
        let refuse = |choices| move |level| NotALevel { level, choices };
        match algorithm {
            Algorithm::Gzip => match level.unwrap_or(GZIP_LEVEL) {
                0 => Ok(Self::None),
                level @ 1..=9 => Ok(Self::Gzip(level)),
                level => Err(refuse("0 to 9")(level)),
            },
            Algorithm::Zstd => match level.unwrap_or(ZSTD_LEVEL) {
                level @ 1..=19 => Ok(Self::Zstd(level)),
                level => Err(refuse("1 to 19")(level)),
            },
        }
    }

    /// What a manifest says of archives made this way.
    pub(crate) fn compression(self) -> Compression {
        match self {
            Self::None => Compression::None,
            Self::Gzip(_) => Compression::Gzip,
            Self::Zstd(_) => Compression::Zstd,
        }
    }

    /// The oldest tools that read such archives, where they are not all.
    pub(crate) fn oldest_tools(self) -> Option<u32> {
        matches!(self, Self::Zstd(_)).then_some(ZSTD_SINCE)
    }

    /// How the archive writer compresses: in a thread of its own.
    pub(crate) fn encoding(self) -> EncodeOptions {
        EncodeOptions {
            level: Some(self.level().into()),
            threads: 1,
        }
    }

    /// The level of zlib pieces, which are never plain.
    pub(crate) fn pieces(self) -> u32 {
        match self {
            Self::Gzip(level) => level.into(),
            Self::None | Self::Zstd(_) => 1,
        }
    }

    /// What the archive's header says.
    pub(crate) fn header(self) -> respaldo_archive::Compression {
        match self {
            Self::None => respaldo_archive::Compression::None,
            Self::Gzip(level) => respaldo_archive::Compression::Gzip(level.into()),
            Self::Zstd(_) => respaldo_archive::Compression::Zstd,
        }
    }

    fn level(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip(level) | Self::Zstd(level) => level,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DumperOptions, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn options_left_out_have_defaults_and_wrong_ones_are_refused() {
        assert_eq!(read("{}").unwrap(), DumperOptions::default());
        let options = read(r#"{"level": 6}"#).unwrap();
        let expected = DumperOptions {
            method: Method::Gzip(6),
            ..DumperOptions::default()
        };
        assert_eq!(options, expected);
        let wrong = [
            r#"{"level": 10}"#,
            r#"{"nivel": 1}"#,
            r#"{"compression": "lzma"}"#,
            r#"{"compression": "zstd", "level": 0}"#,
            r#"{"compression": "zstd", "level": 20}"#,
        ];
        for text in wrong {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_algorithm_has_its_own_levels() {
        let method = |text| read(text).unwrap().method;
        assert_eq!(method(r#"{"level": 0}"#), Method::None);
        assert_eq!(method(r#"{"compression": "zstd"}"#), Method::Zstd(3));
        let small = method(r#"{"compression": "zstd", "level": 19}"#);
        assert_eq!(small, Method::Zstd(19));
        assert_eq!(small.oldest_tools(), Some(16));
        assert_eq!(method("{}").oldest_tools(), None);
    }
}
