//! The header of an archive.

use std::fmt;
use std::io::{Read, Write};

use crate::error::{ArchiveError, Result};
use crate::text::Text;
use crate::wire::{WireReader, put_int, put_string};

const MAGIC: &[u8; 5] = b"PGDMP";
const INT_SIZE: u8 = 4;
const OFFSET_SIZE: u8 = 8;
const FORMAT_CUSTOM: u8 = 1;

/// Version of the archive format, not of PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Always 1.
    pub major: u8,
    /// Decides the layout.
    pub minor: u8,
    /// Carried along.
    pub revision: u8,
}

impl Version {
    /// PostgreSQL 12 to 15.
    pub const V1_14: Self = Self {
        major: 1,
        minor: 14,
        revision: 0,
    };
    /// PostgreSQL 16.
    pub const V1_15: Self = Self {
        major: 1,
        minor: 15,
        revision: 0,
    };
    /// PostgreSQL 17 and 18.
    pub const V1_16: Self = Self {
        major: 1,
        minor: 16,
        revision: 0,
    };

    pub(crate) fn check_supported(self) -> Result<Self> {
        if self.major == 1 && (14..=16).contains(&self.minor) {
            return Ok(self);
        }
        Err(ArchiveError::UnsupportedVersion(self))
    }

    /// From 1.15 on the header names the algorithm instead of the zlib level.
    pub(crate) fn names_algorithm(self) -> bool {
        self.minor >= 15
    }

    pub(crate) fn has_relkind(self) -> bool {
        self.minor >= 16
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.revision)
    }
}

/// How every data block of an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Plain text.
    None,
    /// One zlib stream per block. The level is known up to 1.14 only (-1, zlib's default, otherwise).
    Gzip(i32),
    /// One LZ4 frame per block (1.15 on).
    Lz4,
    /// One Zstandard frame per block (1.15 on).
    Zstd,
}

impl Compression {
    /// The algorithm's name as pg_dump's `--compress` spells it.
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip(_) => "gzip",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    fn from_level(level: i32) -> Self {
        if level == 0 {
            Self::None
        } else {
            Self::Gzip(level)
        }
    }

    fn from_algorithm(algorithm: u8) -> Result<Self> {
        match algorithm {
            0 => Ok(Self::None),
            1 => Ok(Self::Gzip(-1)),
            2 => Ok(Self::Lz4),
            3 => Ok(Self::Zstd),
            other => Err(ArchiveError::UnknownCompression(other.into())),
        }
    }

    /// Level as 1.14 states it; the newer algorithms cannot be said there.
    fn level(self) -> Result<i32> {
        match self {
            Self::None => Ok(0),
            // 0 would read back as "not compressed".
            Self::Gzip(0) => Ok(-1),
            Self::Gzip(level) => Ok(level),
            Self::Lz4 => Err(ArchiveError::UnknownCompression(2)),
            Self::Zstd => Err(ArchiveError::UnknownCompression(3)),
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip(_) => 1,
            Self::Lz4 => 2,
            Self::Zstd => 3,
        }
    }
}

/// The header of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Layout of everything after it.
    pub version: Version,
    /// Bytes of an int's magnitude: always 4.
    pub int_size: u8,
    /// Bytes of an offset: always 8.
    pub offset_size: u8,
    /// Always 1, custom.
    pub format: u8,
    /// Of every data block.
    pub compression: Compression,
    /// Local time of the dump as C's `struct tm` has it: s, min, h, day, month from 0, years since 1900, daylight saving.
    pub created: [i32; 7],
    /// Name of the dumped database.
    pub database: Option<Text>,
    /// Version text of the server.
    pub server_version: Option<Text>,
    /// Version text of pg_dump.
    pub dump_version: Option<Text>,
}

impl Header {
    pub(crate) fn read<R: Read>(wire: &mut WireReader<R>) -> Result<Self> {
        let version = read_version(wire)?;
        let [int_size, offset_size, format] = read_shape(wire)?;
        Ok(Self {
            version,
            int_size,
            offset_size,
            format,
            compression: read_compression(wire, version)?,
            created: read_created(wire)?,
            database: wire.string("the database's name")?,
            server_version: wire.string("the server's version")?,
            dump_version: wire.string("the version of pg_dump")?,
        })
    }

    /// The major version of the dumped server, as the archive says it: `18.6 (Debian ...)`.
    pub fn server_major(&self) -> Option<u32> {
        let text = self.server_version.as_ref()?.as_str()?;
        let digits = text.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> Result<()> {
        let version = self.version.check_supported()?;
        out.write_all(MAGIC)?;
        out.write_all(&[version.major, version.minor, version.revision])?;
        out.write_all(&[self.int_size, self.offset_size, self.format])?;
        if version.names_algorithm() {
            out.write_all(&[self.compression.number()])?;
        } else {
            put_int(out, self.compression.level()?)?;
        }
        for part in self.created {
            put_int(out, part)?;
        }
        put_string(out, self.database.as_deref())?;
        put_string(out, self.server_version.as_deref())?;
        put_string(out, self.dump_version.as_deref())
    }
}

fn read_version<R: Read>(wire: &mut WireReader<R>) -> Result<Version> {
    if wire.bytes("the header")? != *MAGIC {
        return Err(ArchiveError::NotAnArchive("it does not begin with PGDMP"));
    }
    let [major, minor, revision] = wire.bytes("the version")?;
    Version {
        major,
        minor,
        revision,
    }
    .check_supported()
}

fn read_shape<R: Read>(wire: &mut WireReader<R>) -> Result<[u8; 3]> {
    let shape = wire.bytes("the header")?;
    match shape {
        [INT_SIZE, OFFSET_SIZE, FORMAT_CUSTOM] => Ok(shape),
        [INT_SIZE, OFFSET_SIZE, _] => Err(ArchiveError::NotAnArchive(
            "it is of another format than custom",
        )),
        _ => Err(ArchiveError::NotAnArchive("its integers have another size")),
    }
}

fn read_compression<R: Read>(wire: &mut WireReader<R>, version: Version) -> Result<Compression> {
    if version.names_algorithm() {
        return Compression::from_algorithm(wire.byte("the compression")?);
    }
    Ok(Compression::from_level(wire.int("the compression")?))
}

fn read_created<R: Read>(wire: &mut WireReader<R>) -> Result<[i32; 7]> {
    let mut created = [0; 7];
    for part in &mut created {
        *part = wire.int("the time of the dump")?;
    }
    Ok(created)
}
