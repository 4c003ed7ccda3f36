//! Several sinks, and storage over networks: each kind of sink against real servers of its kind.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

#[path = "storage/azure.rs"]
mod azure;
#[path = "storage/chain.rs"]
mod chain;
#[path = "storage/encryption.rs"]
mod encryption;
#[path = "storage/encryption_parts.rs"]
mod encryption_parts;
#[path = "storage/folders.rs"]
mod folders;
#[path = "storage/gcs.rs"]
mod gcs;
#[path = "storage/google_drive.rs"]
mod google_drive;
#[path = "storage/google_drive_fake.rs"]
mod google_drive_fake;
#[path = "storage/google_drive_faults.rs"]
mod google_drive_faults;
#[path = "storage/kept.rs"]
mod kept;
#[path = "storage/killed.rs"]
mod killed;
#[path = "storage/panel.rs"]
mod panel;
#[path = "storage/s3.rs"]
mod s3;
#[path = "storage/s3_lock.rs"]
mod s3_lock;
#[path = "storage/s3_sweep.rs"]
mod s3_sweep;
#[path = "storage/s3_tls.rs"]
mod s3_tls;
#[path = "storage/several.rs"]
mod several;
#[path = "storage/stores.rs"]
mod stores;
#[path = "storage/vault.rs"]
mod vault;
#[path = "storage/wayward.rs"]
mod wayward;

/// What `make soak` runs besides.
mod soak {
    #[test]
    fn six_gigabytes_are_uploaded_in_legal_parts() {
        super::s3::six_gigabytes_are_uploaded_in_legal_parts();
    }
}
