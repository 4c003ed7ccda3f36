//! The legacy service: whole dumps, kept and restored without the defects of the existing one
//! (numbers 48 to 52), whatever has become of the engine. The role is the database's owner, no superuser.
#![expect(
    clippy::unwrap_used,
    reason = "test code: what cannot be set up must fail the test at once"
)]

#[path = "legacy/failing.rs"]
mod failing;
#[path = "legacy/independence.rs"]
mod independence;
#[path = "legacy/making.rs"]
mod making;
#[path = "legacy/outside.rs"]
mod outside;
#[path = "legacy/pruning.rs"]
mod pruning;
#[path = "legacy/refusing.rs"]
mod refusing;
#[path = "legacy/restoring.rs"]
mod restoring;
#[path = "legacy/scene.rs"]
mod scene;
#[path = "legacy/taking_over.rs"]
mod taking_over;
