//! The service: what is due is made, by the engine or, while that cannot start, by the legacy service.
//! The role is the database's owner, no superuser.
#![expect(
    clippy::unwrap_used,
    reason = "test code: what cannot be set up must fail the test at once"
)]

#[path = "serve/causes.rs"]
mod causes;
#[path = "serve/scene.rs"]
mod scene;
#[path = "serve/serving.rs"]
mod serving;
