//! The pg-dump dumper on a real server, as a role that is not a superuser.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

#[path = "pg_dump/bench.rs"]
mod bench;
#[path = "pg_dump/faults.rs"]
mod faults;
#[path = "pg_dump/scope.rs"]
mod scope;
#[path = "pg_dump/sizes.rs"]
mod sizes;
