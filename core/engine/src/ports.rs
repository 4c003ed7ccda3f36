//! What the engine needs from outside, as narrow, object-safe, blocking traits. The four
//! strategy traits (detector, dumper, sink, validator) may be plugins in another process:
//! everything that goes in or out is data.

mod catalog;
mod context;
mod detector;
mod dumper;
mod fault;
mod sink;
mod validator;

pub use catalog::{
    Catalog, CatalogEntry, CatalogFilter, EventLevel, NewBackup, SealedBackup, ValidationRecord,
};
pub use context::{Context, Interrupt, Progress, Quiet};
pub use detector::{
    BaseReading, BaseTable, ChangeDetector, Detection, DetectionRequest, LargeObjectVerdict, LineageStatus,
    SourceTarget,
};
pub use dumper::{ArchiveFile, DumpReceipt, DumpRequest, DumpTable, DumpedTable, Dumper};
pub use fault::{Fault, FaultKind};
pub use sink::{ObjectInfo, PutSource, SinkLimits, StorageSink};
pub use validator::{ObjectReader, ValidationRequest, Validator};

use respaldo_domain::manifest::Manifest;

/// Spelling of manifests in storage; the words are those of the contract, not the engine's.
pub trait ManifestCodec: Send + Sync {
    /// The bytes to store.
    fn encode(&self, manifest: &Manifest) -> Result<Vec<u8>, Fault>;
    /// A manifest from stored bytes; [`FaultKind::Corrupt`] where they are not one.
    fn decode(&self, bytes: &[u8]) -> Result<Manifest, Fault>;
}
