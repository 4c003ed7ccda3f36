//! The panel's API over a real socket, with a real database behind it: who may do what, what cannot be forged, what nothing
//! breaks. The role is the database's owner, no superuser.
#![expect(
    clippy::unwrap_used,
    reason = "test code: what cannot be set up must fail the test at once"
)]

#[path = "panel/access.rs"]
mod access;
#[path = "panel/audit.rs"]
mod audit;
#[path = "panel/away.rs"]
mod away;
#[path = "panel/forging.rs"]
mod forging;
#[path = "panel/hostile.rs"]
mod hostile;
#[path = "panel/jobs.rs"]
mod jobs;
#[path = "panel/people.rs"]
mod people;
#[path = "panel/restoring.rs"]
mod restoring;
#[path = "panel/scale.rs"]
mod scale;
#[path = "panel/scene.rs"]
mod scene;
#[path = "panel/surface.rs"]
mod surface;
#[path = "panel/ways_in.rs"]
mod ways_in;
