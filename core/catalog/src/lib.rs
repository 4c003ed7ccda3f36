//! The catalog in schema `seguridad`: our record of backups, beside the existing application's.
//!
//! Both systems keep their backups in one table, `backup_manifest`; rows of ours say
//! `motor: respaldo` in their metadata (docs/adr/0003). The catalog is an index: whatever it says
//! can be said again from the manifests in storage, so every write here is idempotent by the
//! backup's name, and a lost row comes back when its manifest is sealed again.
//!
//! One catalog serves one source database; it may live in that database or in another.

mod browse;
mod chain;
mod connection;
mod entry;
mod error;
mod event;
mod labels;
mod lease;
mod migrations;
mod pg_catalog;
mod row;
mod runs;
mod settings;
mod validation;
mod witness;

pub use connection::CatalogLimits;
pub use pg_catalog::PgCatalog;
