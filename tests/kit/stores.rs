//! Throwaway storage servers on loopback, one module each. `scripts/stores.sh` fetches them.

pub mod puppet;
pub mod rclone;
pub mod sshd;

mod process;
