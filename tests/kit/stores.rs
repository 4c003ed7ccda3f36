//! Throwaway storage servers on loopback, one module each. `scripts/stores.sh` fetches them.

pub mod google_drive;
