//! One entry of the table of contents.

use std::io::{Read, Write};

use crate::columns::of_copy;
use crate::error::Result;
use crate::header::Version;
use crate::text::Text;
use crate::wire::{WireReader, put_int, put_string};

/// Where in a restore an entry belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Comments, grants and the like, which follow their object.
    None,
    /// Definitions needed before any row.
    PreData,
    /// Rows, large objects, sequence values.
    Data,
    /// Indexes, constraints, triggers, rules.
    PostData,
}

impl Section {
    pub(crate) fn from_number(number: i32) -> Option<Self> {
        [Self::None, Self::PreData, Self::Data, Self::PostData]
            .into_iter()
            .find(|s| s.number() == number)
    }

    fn number(self) -> i32 {
        match self {
            Self::None => 1,
            Self::PreData => 2,
            Self::Data => 3,
            Self::PostData => 4,
        }
    }
}

/// Where an entry's data block begins, in bytes from the start of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Offset {
    /// There is a block, and the archive does not say where (it was written to a pipe).
    NotSet,
    /// There.
    At(u64),
    /// The entry has no block.
    NoData,
}

/// One entry; every field as stored, NULL apart from empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Names the entry within its archive.
    pub dump_id: i32,
    /// Whether pg_dump had a routine to dump data for it.
    pub had_dumper: bool,
    /// Oid of the object's catalog; 0 for rows.
    pub table_oid: u32,
    /// Oid of the object in the dumped database.
    pub oid: u32,
    /// Its name.
    pub tag: Text,
    /// Its kind: `TABLE`, `TABLE DATA`, `INDEX` ...
    pub desc: Text,
    /// When a restore takes it.
    pub section: Section,
    /// SQL to make it.
    pub defn: Option<Text>,
    /// SQL to drop it.
    pub drop_stmt: Option<Text>,
    /// The COPY statement of rows.
    pub copy_stmt: Option<Text>,
    /// Its schema.
    pub namespace: Option<Text>,
    /// Its tablespace.
    pub tablespace: Option<Text>,
    /// Its table access method.
    pub table_am: Option<Text>,
    /// Its `relkind` byte; stored from 1.16 on.
    pub relkind: Option<i32>,
    /// Its owner.
    pub owner: Option<Text>,
    /// `false` ever since tables lost their oids; kept as stored.
    pub with_oids: Option<Text>,
    /// Dump ids of what it needs.
    pub dependencies: Vec<i32>,
    /// Its data block.
    pub offset: Offset,
}

impl Entry {
    /// Whether its kind is this one.
    pub fn is(&self, desc: &str) -> bool {
        self.desc == desc
    }

    /// Whether it holds the rows of a table.
    pub fn is_table_data(&self) -> bool {
        self.is("TABLE DATA")
    }

    /// Whether it is large objects, or what is said about one of them: comments, grants.
    pub fn is_of_large_objects(&self) -> bool {
        is_of_large_objects(&self.desc, &self.tag)
    }

    /// The columns of its rows, as its COPY statement names them; `None` where it has none that is understood.
    pub fn copy_columns(&self) -> Option<Vec<String>> {
        of_copy(self.copy_stmt.as_ref()?.as_str()?)
    }

    /// Whether a data block belongs to it.
    pub fn has_block(&self) -> bool {
        self.offset != Offset::NoData
    }

    /// Whether `pg_dump --schema-only` leaves it out: rows, large objects, sequence values, contents of materialised views.
    pub fn is_data(&self) -> bool {
        const KINDS: [&str; 3] = ["BLOB", "BLOB METADATA", "MATERIALIZED VIEW DATA"];
        self.section == Section::Data || self.has_block() || KINDS.iter().any(|kind| self.is(kind))
    }

    pub(crate) fn read<R: Read>(wire: &mut WireReader<R>, version: Version) -> Result<Self> {
        Ok(Self {
            dump_id: read_dump_id(wire)?,
            had_dumper: wire.int("an entry")? != 0,
            table_oid: read_number(wire)?,
            oid: read_number(wire)?,
            tag: wire.text("an entry's name")?,
            desc: wire.text("an entry's kind")?,
            section: read_section(wire)?,
            defn: wire.string("a definition")?,
            drop_stmt: wire.string("a drop statement")?,
            copy_stmt: wire.string("a copy statement")?,
            namespace: wire.string("a schema's name")?,
            tablespace: wire.string("a tablespace's name")?,
            table_am: wire.string("an access method")?,
            relkind: if version.has_relkind() {
                Some(wire.int("a relation's kind")?)
            } else {
                None
            },
            owner: wire.string("an owner")?,
            with_oids: wire.string("an entry")?,
            dependencies: read_dependencies(wire)?,
            offset: read_offset(wire)?,
        })
    }

    pub(crate) fn write(&self, out: &mut impl Write, version: Version) -> Result<()> {
        put_int(out, self.dump_id)?;
        put_int(out, i32::from(self.had_dumper))?;
        put_number(out, &self.table_oid)?;
        put_number(out, &self.oid)?;
        put_string(out, Some(&self.tag))?;
        put_string(out, Some(&self.desc))?;
        put_int(out, self.section.number())?;
        for text in [
            &self.defn,
            &self.drop_stmt,
            &self.copy_stmt,
            &self.namespace,
            &self.tablespace,
            &self.table_am,
        ] {
            put_string(out, text.as_deref())?;
        }
        if version.has_relkind() {
            put_int(out, self.relkind.unwrap_or(0))?;
        }
        put_string(out, self.owner.as_deref())?;
        put_string(out, self.with_oids.as_deref())?;
        for dependency in &self.dependencies {
            put_number(out, dependency)?;
        }
        put_string(out, None)?;
        write_offset(out, self.offset)
    }
}

/// Whether an entry of this kind and name is of large objects.
pub(crate) fn is_of_large_objects(desc: &[u8], tag: &[u8]) -> bool {
    const KINDS: [&[u8]; 3] = [b"BLOB", b"BLOBS", b"BLOB METADATA"];
    const ABOUT: [&[u8]; 3] = [b"ACL", b"COMMENT", b"SECURITY LABEL"];
    KINDS.contains(&desc) || (ABOUT.contains(&desc) && tag.starts_with(b"LARGE OBJECT"))
}

fn read_dump_id<R: Read>(wire: &mut WireReader<R>) -> Result<i32> {
    let id = wire.int("an entry")?;
    if id < 1 {
        Err(wire.damaged("a dump id is not positive"))
    } else {
        Ok(id)
    }
}

fn read_section<R: Read>(wire: &mut WireReader<R>) -> Result<Section> {
    let number = wire.int("an entry's section")?;
    Section::from_number(number).ok_or_else(|| wire.damaged("a section is not known"))
}

/// A number stored as text; only the spelling we would write ourselves is taken, so that nothing changes on the way.
fn read_number<R: Read, N: std::str::FromStr + ToString>(wire: &mut WireReader<R>) -> Result<N> {
    let text = wire.text("a number")?;
    parse_number(&text).ok_or_else(|| wire.damaged("a number is malformed"))
}

fn parse_number<N: std::str::FromStr + ToString>(text: &Text) -> Option<N> {
    let number: N = text.as_str()?.parse().ok()?;
    (*text == *number.to_string()).then_some(number)
}

fn put_number(out: &mut impl Write, number: &impl ToString) -> Result<()> {
    put_string(out, Some(number.to_string().as_bytes()))
}

fn read_dependencies<R: Read>(wire: &mut WireReader<R>) -> Result<Vec<i32>> {
    let mut dependencies = Vec::new();
    while let Some(text) = wire.string("a dependency")? {
        dependencies
            .push(parse_number(&text).ok_or_else(|| wire.damaged("a dependency is malformed"))?);
    }
    Ok(dependencies)
}

fn read_offset<R: Read>(wire: &mut WireReader<R>) -> Result<Offset> {
    let encoded = wire.bytes("an offset")?;
    offset_from(encoded).ok_or_else(|| wire.damaged("an offset's state is not known"))
}

/// Decodes an offset; `None` where its state is not known.
pub(crate) fn offset_from([state, position @ ..]: [u8; 9]) -> Option<Offset> {
    match state {
        1 => Some(Offset::NotSet),
        2 => Some(Offset::At(u64::from_le_bytes(position))),
        3 => Some(Offset::NoData),
        _ => None,
    }
}

fn write_offset(out: &mut impl Write, offset: Offset) -> Result<()> {
    let (state, position) = match offset {
        Offset::NotSet => (1, 0),
        Offset::At(position) => (2, position),
        Offset::NoData => (3, 0),
    };
    out.write_all(&[state])?;
    Ok(out.write_all(&position.to_le_bytes())?)
}
