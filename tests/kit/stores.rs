//! Throwaway storage servers on loopback, one module each. `scripts/stores.sh` fetches them.

pub mod azurite;
pub mod fake_gcs;
pub mod google_drive;
pub mod meddler;
pub mod moto;
mod process;
pub mod puppet;
pub mod rclone;
pub mod seaweedfs;
pub mod server;
pub mod sshd;
pub mod strict_gcs;
pub mod tap;
