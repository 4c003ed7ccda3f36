//! Broken on purpose: every step of a backup and of a restore fails once and is killed once, disks
//! fill up, servers die, runs meet. Afterwards there is a whole backup or none, and the next run
//! works.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "faults/backups.rs"]
mod backups;
#[path = "faults/clock.rs"]
mod clock;
#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/restores.rs"]
mod restores;
#[path = "faults/server.rs"]
mod server;
#[path = "faults/spool.rs"]
mod spool;
