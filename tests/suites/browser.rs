//! The pages of the panel in a real browser, against a real service on a real server. `scripts/browser.sh` fetches the
//! browser. Pictures of every page are kept in target/screenshots.
//!
//! A few long tests rather than many short ones: each has a cluster, a service and a browser of its own.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "test code: what cannot be set up must fail the test at once"
)]

#[path = "browser/catalogue.rs"]
mod catalogue;
#[path = "browser/flows.rs"]
mod flows;
#[path = "browser/keyboard.rs"]
mod keyboard;
#[path = "browser/person.rs"]
mod person;
#[path = "browser/restart.rs"]
mod restart;
#[path = "browser/roles.rs"]
mod roles;
#[path = "browser/scene.rs"]
mod scene;
#[path = "browser/several.rs"]
mod several;
#[path = "browser/sources.rs"]
mod sources;
#[path = "browser/tour.rs"]
mod tour;
