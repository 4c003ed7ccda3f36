//! What the engine needs from outside, as narrow, object-safe, blocking traits. The four
//! strategy traits (detector, dumper, sink, validator) may be plugins in another process:
//! everything that goes in or out is data.

mod browse;
mod catalog;
mod context;
mod detector;
mod dumper;
mod encryption;
mod fault;
mod lease_row;
mod notifier;
mod sink;
mod validator;

pub use browse::{Act, Browse, Day, EntryOrder, EntryPage, Event, Part, Sum, Survey, Validated};
pub use catalog::{
    Catalog, CatalogEntry, CatalogFilter, EventLevel, NewBackup, SealedBackup, StoredSchedule,
    ValidationRecord,
};
pub use context::{Context, Interrupt, Progress, Quiet};
pub use detector::{
    BaseReading, ChangeDetector, Detection, DetectionRequest, LargeObjectVerdict, LineageStatus,
    SourceTarget,
};
pub use dumper::{
    ArchiveFile, Definitions, DumpReceipt, DumpRequest, DumpTable, DumpedTable, Dumper,
};
pub use encryption::{Encryption, SeekableRead};
pub use fault::{Fault, FaultKind};
pub use lease_row::{LeaseHolder, LeaseRow, LeaseSeen, LeaseWork};
pub use notifier::Notifier;
pub use sink::{ObjectInfo, PutSource, SinkLimits, StorageSink};
pub use validator::{Inside, ObjectReader, ValidationRequest, Validator, Verified};

use std::collections::BTreeMap;

use respaldo_domain::backup::BackupKind;
use respaldo_domain::manifest::{Header, Manifest};
use respaldo_domain::readings::Readings;
use serde_json::Value;

/// Spelling of manifests and readings in storage; the words are those of the contract, not the
/// engine's.
pub trait Codec: Send + Sync {
    /// The bytes of a manifest.
    fn encode_manifest(&self, manifest: &Manifest) -> Result<Vec<u8>, Fault>;
    /// A manifest from stored bytes; [`FaultKind::Corrupt`] where they are not one.
    fn decode_manifest(&self, bytes: &[u8]) -> Result<Manifest, Fault>;
    /// The bytes of the header of an encrypted manifest.
    fn encode_header(&self, header: &Header) -> Result<Vec<u8>, Fault>;
    /// The header out of the stored bytes of any manifest.
    fn decode_header(&self, bytes: &[u8]) -> Result<Header, Fault>;
    /// The bytes of a backup's readings.
    fn encode_readings(&self, readings: &Readings) -> Result<Vec<u8>, Fault>;
    /// Readings from stored bytes; [`FaultKind::Corrupt`] where they are not.
    fn decode_readings(&self, bytes: &[u8]) -> Result<Readings, Fault>;
    /// Only the figures of stored readings.
    fn decode_figures(&self, bytes: &[u8]) -> Result<BTreeMap<String, Value>, Fault>;
    /// The word for a kind in the catalog.
    fn kind_label(&self, kind: BackupKind) -> String;
}
