//! Storage over networks: every kind of sink against a real server of its kind.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: what cannot be set up must fail the test at once"
)]

#[path = "storage/google_drive.rs"]
mod google_drive;
#[path = "storage/google_drive_fake.rs"]
mod google_drive_fake;
#[path = "storage/google_drive_faults.rs"]
mod google_drive_faults;
