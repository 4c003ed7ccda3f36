//! The manifest: the object that seals a backup set and from which alone it is restored.
//!
//! It lists every table of the database with the archive that holds its newest data, so a
//! restore needs the manifest of one backup and never a replay of the chain.

use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::backup::{ArchiveName, BackupKind, Trigger};
use crate::base::FullReason;
use crate::changes::Reason;
use crate::coverage::Coverage;
use crate::fingerprint::RowFingerprint;
use crate::object::{ObjectRole, Plain, SealedObject, Sha256};
use crate::source::SourceFacts;
use crate::table::{Column, Oid, RelationKind, TableName};

/// Format of a whole manifest.
pub const FORMAT: u32 = 1;
/// Format of the header of an encrypted one, and the newest that this version reads.
pub const HEADER_FORMAT: u32 = 2;

/// [`Tools::dumper`] of a full that was made from a chain, without a dumper.
pub const FROM_CHAIN: &str = "from-chain";
/// Name in [`Tools::dumper`] of sets that were made by the existing system and taken over.
pub const ADOPTED: &str = "adopted";

/// Label of an adopted dump that our own legacy service made.
pub const FALLBACK: &str = "legacy";

/// A sealed backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What may be known of it without a key.
    pub header: Header,
    /// The table of contents of its archive, where a later backup may take definitions from it.
    pub contents: Option<Contents>,
    /// Every table, materialized view and foreign table of the database.
    pub tables: Vec<TableEntry>,
    /// All large objects as one unit.
    pub large_objects: LargeObjects,
    /// What the role could not read.
    pub coverage: Coverage,
    /// Schemas of the database outside the system's. `public` missing here was dropped there.
    pub schemas: Vec<String>,
    /// Roles that own, may use or are named by objects of the database.
    pub roles: Vec<String>,
}

/// What base choice, retention, the catalog and copies need of a backup. Of an encrypted one it is
/// readable without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Lasting name.
    pub archive: ArchiveName,
    /// Kind actually made.
    pub kind: BackupKind,
    /// Free text of the operator.
    pub label: Option<String>,
    /// Who asked.
    pub trigger: Trigger,
    /// The run that made it.
    pub run: Uuid,
    /// Position in the repository's history: one more than the newest backup known to the run.
    /// Orders backups whatever the clocks did.
    pub sequence: u64,
    /// What this backup was compared with.
    pub base: Option<ArchiveName>,
    /// The full at the root of its chain (itself for a full).
    pub full: ArchiveName,
    /// Why a full was made where another kind was asked for.
    pub full_reason: Option<FullReason>,
    /// Start of the run, clock of the machine that made it.
    pub started_at: DateTime<FixedOffset>,
    /// When the archive was complete.
    pub finished_at: DateTime<FixedOffset>,
    /// Server time of the snapshot: the restore point.
    pub snapshot_at: DateTime<FixedOffset>,
    /// WAL position at the snapshot, where the server tells it.
    pub lsn_start: Option<String>,
    /// WAL position after the dump.
    pub lsn_end: Option<String>,
    /// The database it is of.
    pub source: SourceFacts,
    /// What made it.
    pub tools: Tools,
    /// Objects of this set, the archive first.
    pub objects: Vec<SealedObject>,
    /// The archive that holds the definitions, where it is not its own: backups of the existing
    /// system carried none but in their fulls.
    pub definitions: Option<ArchiveName>,
    /// Every archive in which data of this restore point lies, its own included.
    pub archives: Vec<ArchiveFacts>,
    /// Relations excluded by configuration, quoted; a base with other exclusions is no base.
    pub excluded: Vec<String>,
    /// How much it is of.
    pub counts: Counts,
}

/// Figures of a backup that tell no names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Tables of the database.
    pub tables: usize,
    /// Tables whose rows its own archive holds.
    pub dumped: usize,
    /// The role could read everything.
    pub is_complete: bool,
}

impl Counts {
    /// Counts for the backup `archive`.
    pub fn of(archive: &ArchiveName, tables: &[TableEntry], coverage: &Coverage) -> Self {
        let dumped = tables.iter().filter(|table| table.holds_data_in(archive));
        Self {
            tables: tables.len(),
            dumped: dumped.count(),
            is_complete: coverage.is_complete(),
        }
    }
}

/// A manifest is read as its header, and more.
impl Deref for Manifest {
    type Target = Header;

    fn deref(&self) -> &Header {
        &self.header
    }
}

impl Manifest {
    /// The same with the counts that its tables and its coverage give.
    #[must_use]
    pub fn counted(mut self) -> Self {
        self.header.counts = Counts::of(&self.archive, &self.tables, &self.coverage);
        self
    }

    /// Tables whose rows this backup's own archive holds.
    pub fn dumped(&self) -> impl Iterator<Item = &TableEntry> {
        self.tables
            .iter()
            .filter(|table| table.holds_data_in(&self.archive))
    }
}

impl Header {
    /// Names of all archives it needs, its own last.
    pub fn archives_needed(&self) -> impl Iterator<Item = &ArchiveFacts> {
        self.archives.iter()
    }

    /// The archive its definitions are restored from.
    pub fn definitions_in(&self) -> &ArchiveName {
        self.definitions.as_ref().unwrap_or(&self.archive)
    }

    /// Whether its archive, its tables and all else of it are readable with a key only.
    pub fn is_encrypted(&self) -> bool {
        self.archive.is_encrypted()
    }

    /// Whether it is a whole dump of our own legacy service, adopted afterwards.
    pub fn is_of_fallback(&self) -> bool {
        self.is_adopted() && self.label.as_deref() == Some(FALLBACK)
    }

    /// Whether it was adopted: no run of the engine made it.
    pub fn is_adopted(&self) -> bool {
        self.tools.dumper == ADOPTED
    }

    /// Whether it was made from a chain, without a look at the database.
    pub fn is_from_chain(&self) -> bool {
        self.tools.dumper == FROM_CHAIN
    }

    /// The facts of one archive.
    pub fn archive_facts(&self, name: &ArchiveName) -> Option<&ArchiveFacts> {
        self.archives.iter().find(|facts| &facts.name == name)
    }

    /// The object with a role in this set.
    pub fn object(&self, role: ObjectRole) -> Option<&SealedObject> {
        self.objects.iter().find(|object| object.role == role)
    }

    /// Size of everything this set stored, the manifest aside.
    pub fn stored_bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.size_bytes).sum()
    }

    /// The part of it that is stored in the clear beside an encrypted set: nothing of what is
    /// inside but sizes and counts.
    #[must_use]
    pub fn public(&self) -> Self {
        let mut public = self.clone();
        let properties = &mut public.source.properties;
        properties.owner.clear();
        properties.acl = None;
        properties.comment = None;
        properties.settings.clear();
        for object in &mut public.objects {
            object.plain = None;
        }
        for facts in &mut public.archives {
            *facts = facts.public();
        }
        public
    }
}

/// Programs that took part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tools {
    /// Version of respaldo.
    pub respaldo: String,
    /// Name of the dumper.
    pub dumper: String,
    /// Version of pg_dump behind it.
    pub pg_dump: String,
    /// Name of the detector.
    pub detector: String,
    /// Name of the row fingerprint's algorithm.
    pub fingerprint: String,
    /// Libraries of others that took part.
    pub plugins: Vec<PluginUse>,
}

/// A library of others that a backup was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginUse {
    /// Its name in the configuration.
    pub name: String,
    /// `vendor.name`.
    pub id: String,
    /// Version.
    pub version: String,
    /// Hash of the library.
    pub sha256: Sha256,
}

/// What a reader must know of an archive to decode a block without its table of contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveFacts {
    /// Its name.
    pub name: ArchiveName,
    /// Stored size.
    pub size_bytes: u64,
    /// Hash of the stored bytes.
    pub sha256: Sha256,
    /// Compression of its blocks.
    pub compression: Compression,
    /// Header version, for example "1.14.0".
    pub header_version: String,
    /// Everything of it that is no block of rows; `None` where others made it.
    #[serde(default)]
    pub rest: Option<ArchiveRest>,
    /// What is in it, where what is stored is encrypted.
    #[serde(default)]
    pub plain: Option<Plain>,
}

impl ArchiveFacts {
    /// What of them is told without a key.
    #[must_use]
    pub fn public(&self) -> Self {
        Self {
            rest: self.rest.clone().filter(|_| !self.name.is_encrypted()),
            plain: None,
            ..self.clone()
        }
    }

    /// Size of the archive that pg_restore reads.
    pub fn archive_bytes(&self) -> u64 {
        self.plain.map_or(self.size_bytes, |plain| plain.size_bytes)
    }

    /// Hash of the archive that pg_restore reads.
    pub fn archive_sha256(&self) -> Sha256 {
        self.plain.map_or(self.sha256, |plain| plain.sha256)
    }
}

/// Header, definitions and large objects of an archive: what has no block of a table to vouch for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveRest {
    /// Where it lies: offsets and lengths, ascending.
    pub ranges: Vec<(u64, u64)>,
    /// Hash of these bytes one after the other.
    pub sha256: Sha256,
}

/// The table of contents at the beginning of an archive: all definitions, and what they depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Hash of everything that the definitions depend on, meaningful within one lineage.
    pub key: Sha256,
    /// Its bytes, from the first of the archive.
    pub size_bytes: u64,
    /// Hash of these bytes.
    pub sha256: Sha256,
    /// The backup whose definitions these are; `None` where pg_dump wrote them anew.
    pub taken_from: Option<ArchiveName>,
}

/// Compression of an archive's blocks. One per chain: blocks of different algorithms cannot be
/// spliced into one archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Plain.
    None,
    /// One zlib stream per block.
    Gzip,
    /// LZ4 frames.
    Lz4,
    /// Zstandard frames.
    Zstd,
}

/// One relation of the database at the restore point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableEntry {
    /// Identity within the lineage.
    pub oid: Oid,
    /// Name at this restore point (the archive holding its data may know it by an older one).
    pub name: TableName,
    /// What it is.
    pub kind: RelationKind,
    /// Columns of its COPY data, in order.
    pub columns: Arc<[Column]>,
    /// Load through this ancestor instead.
    pub load_via: Option<TableName>,
    /// Why it was dumped or not.
    pub reason: Reason,
    /// Where its rows lie; `None` where no dump holds rows of it.
    pub data: Option<TableData>,
}

impl TableEntry {
    /// Whether `archive` is where its rows lie.
    pub fn holds_data_in(&self, archive: &ArchiveName) -> bool {
        self.data
            .as_ref()
            .is_some_and(|data| &data.archive == archive)
    }
}

/// Rows of a table in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableData {
    /// The archive.
    pub archive: ArchiveName,
    /// The block in it.
    pub block: BlockRef,
    /// Size of the COPY text.
    pub plain_bytes: u64,
    /// Count and hash of the rows.
    pub fingerprint: RowFingerprint,
}

/// A data block of an archive and the proof that it is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRef {
    /// Dump id of its entry in that archive.
    pub dump_id: i32,
    /// First byte (the block type) in the archive.
    pub offset: u64,
    /// Bytes up to and with the terminating zero length.
    pub length: u64,
    /// Hash of exactly these stored bytes.
    pub sha256: Sha256,
}

/// All large objects, dumped or kept together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LargeObjects {
    /// How many there are.
    pub count: u64,
    /// Why they were dumped or not.
    pub reason: Reason,
    /// The archive that holds them; `None` where there are none.
    pub archive: Option<ArchiveName>,
    /// Server-side hash of contents, owners and grants, where the role may read it.
    pub fingerprint: Option<String>,
}
