//! What storage may do to a backup, and who notices: each validation level finds what it promises,
//! and a restore refuses before anything of the target is touched.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "damage/matrix.rs"]
mod matrix;
#[path = "damage/older_tables.rs"]
mod older_tables;
#[path = "damage/store.rs"]
mod store;
#[path = "damage/sweep.rs"]
mod sweep;
