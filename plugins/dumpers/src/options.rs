//! Settings of the dumpers.

use respaldo_archive::EncodeOptions;
use respaldo_domain::manifest::Compression;
use serde::{Deserialize, Serialize};

/// How archives are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DumperOptions {
    /// Compression: 0 none, 1 fast to 9 small (zlib).
    pub level: Level,
    /// Connections that copy rows at once (`parallel` only).
    pub jobs: usize,
    /// What the arguments of one pg_dump may take. Where more relations are to be named, several
    /// are run on the same snapshot and their archives joined.
    pub argument_bytes: usize,
    /// Relations from which on definitions are taken over from an older backup where nothing of
    /// them changed. Below, pg_dump writes them in less time than it takes to prove that.
    pub take_over_from: usize,
}

impl Default for DumperOptions {
    fn default() -> Self {
        Self {
            level: Level(2),
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

/// A compression level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Level(u8);

/// Not a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a compression level: 0 to 9 are")]
pub struct NotALevel(u8);

impl TryFrom<u8> for Level {
    type Error = NotALevel;

    fn try_from(level: u8) -> Result<Self, NotALevel> {
        if level <= 9 {
            Ok(Self(level))
        } else {
            Err(NotALevel(level))
        }
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        level.0
    }
}

impl Level {
    /// What a manifest says of archives of this level.
    pub(crate) fn compression(self) -> Compression {
        if self.0 == 0 {
            Compression::None
        } else {
            Compression::Gzip
        }
    }

    /// How the archive writer compresses: in a thread of its own.
    pub(crate) fn encoding(self) -> EncodeOptions {
        EncodeOptions {
            level: Some(self.0.into()),
            threads: 1,
        }
    }

    /// The level for pieces, which are never plain.
    pub(crate) fn pieces(self) -> u32 {
        u32::from(self.0.max(1))
    }

    /// What the archive's header says.
    pub(crate) fn header(self) -> respaldo_archive::Compression {
        match self.0 {
            0 => respaldo_archive::Compression::None,
            level => respaldo_archive::Compression::Gzip(level.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_left_out_have_defaults_and_wrong_ones_are_refused() {
        let options: DumperOptions = serde_json::from_str(r#"{"level": 6}"#).unwrap();
        assert_eq!(
            options,
            DumperOptions {
                level: Level(6),
                ..DumperOptions::default()
            }
        );
        assert!(serde_json::from_str::<DumperOptions>(r#"{"level": 10}"#).is_err());
        assert!(serde_json::from_str::<DumperOptions>(r#"{"nivel": 1}"#).is_err());
    }
}
