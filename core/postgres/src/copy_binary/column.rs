//! The types whose values are known both as text and in binary.

use super::{moment, number, text};

/// How values of a column are written. Each `fn` below takes the text from where a value begins, adds length and bytes
/// of the value, and returns the text from where it ends; `None`: it is not written as a server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    /// Any string of the client's encoding.
    Text,
    Jsonb,
    Bytea,
    Uuid,
    Date,
    Time,
    /// Without a time zone.
    Timestamp,
    Timestamptz,
}

impl Kind {
    /// By the function of `pg_catalog` that reads the type's binary form.
    pub(super) fn read_by(function: &str) -> Option<Self> {
        Some(match function {
            "boolrecv" => Self::Bool,
            "int2recv" => Self::Int2,
            "int4recv" => Self::Int4,
            "int8recv" => Self::Int8,
            "oidrecv" => Self::Oid,
            "float4recv" => Self::Float4,
            "float8recv" => Self::Float8,
            "numeric_recv" => Self::Numeric,
            "textrecv" | "varcharrecv" | "bpcharrecv" | "json_recv" | "enum_recv" => Self::Text,
            "jsonb_recv" => Self::Jsonb,
            "bytearecv" => Self::Bytea,
            "uuid_recv" => Self::Uuid,
            "date_recv" => Self::Date,
            "time_recv" => Self::Time,
            "timestamp_recv" => Self::Timestamp,
            "timestamptz_recv" => Self::Timestamptz,
            _ => return None,
        })
    }

    /// Adds the value with which `from` begins; returns what follows it.
    #[inline]
    pub(super) fn value<'t>(self, from: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
        match self {
            Self::Bool => truth(from, out),
            Self::Int2 => {
                number::integer(from, out, |n| Some(i16::try_from(n).ok()?.to_be_bytes()))
            }
            Self::Int4 => {
                number::integer(from, out, |n| Some(i32::try_from(n).ok()?.to_be_bytes()))
            }
            Self::Int8 => number::integer(from, out, |n| Some(n.to_be_bytes())),
            Self::Oid => number::integer(from, out, |n| Some(u32::try_from(n).ok()?.to_be_bytes())),
            Self::Float4 => number::float4(from, out),
            Self::Float8 => number::float8(from, out),
            Self::Numeric => number::numeric(from, out),
            Self::Text => text::string(from, out, &[]),
            Self::Jsonb => text::string(from, out, &[text::JSONB_VERSION]),
            Self::Bytea => text::bytea(from, out),
            Self::Uuid => text::uuid(from, out),
            Self::Date => moment::date(from, out),
            Self::Time => moment::time(from, out),
            Self::Timestamp => moment::timestamp(from, out),
            Self::Timestamptz => moment::timestamptz(from, out),
        }
    }
}

/// Adds a value of fixed length.
#[inline]
pub(super) fn put<const N: usize>(out: &mut Vec<u8>, value: [u8; N]) {
    let length = u32::try_from(N).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&value);
}

fn truth<'t>(from: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (first, rest) = from.split_first()?;
    let value = match first {
        b't' => 1,
        b'f' => 0,
        _ => return None,
    };
    put(out, [value]);
    Some(rest)
}
