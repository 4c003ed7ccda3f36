//! Storage over networks: every kind of sink against a real server of its kind.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

#[path = "storage/azure.rs"]
mod azure;
#[path = "storage/gcs.rs"]
mod gcs;
#[path = "storage/s3.rs"]
mod s3;
#[path = "storage/s3_lock.rs"]
mod s3_lock;
#[path = "storage/s3_sweep.rs"]
mod s3_sweep;
#[path = "storage/s3_tls.rs"]
mod s3_tls;
#[path = "storage/stores.rs"]
mod stores;
