//! The package for the existing application, `legacy/python`: its own tests, and programs written as the
//! application writes them, of which only the imports are changed. The role is the database's owner, no
//! superuser.
#![expect(
    clippy::unwrap_used,
    reason = "test code: what cannot be set up must fail the test at once"
)]

#[path = "python/package.rs"]
mod package;
#[path = "python/programs.rs"]
mod programs;
#[path = "python/scene.rs"]
mod scene;
