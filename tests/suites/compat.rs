//! Where the existing system loses or falsifies data, ours must be right: one test for each defect
//! proven there, named for what must hold. The role is the database's owner, no superuser.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: what cannot be set up must fail the test at once"
)]

#[path = "compat/adoption.rs"]
mod adoption;
#[path = "compat/changes.rs"]
mod changes;
#[path = "compat/definitions.rs"]
mod definitions;
#[path = "compat/making.rs"]
mod making;
#[path = "compat/month.rs"]
mod month;
#[path = "compat/names.rs"]
mod names;
#[path = "compat/restoring.rs"]
mod restoring;
#[path = "compat/restoring_damaged.rs"]
mod restoring_damaged;
#[path = "compat/restoring_live.rs"]
mod restoring_live;
#[path = "compat/rights.rs"]
mod rights;
#[path = "compat/scene.rs"]
mod scene;
#[path = "compat/scripts.rs"]
mod scripts;
#[path = "compat/whereabouts.rs"]
mod whereabouts;
