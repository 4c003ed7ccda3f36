//! The service: what is due is made, by the engine or, while that cannot start, by the legacy service.
//! The role is the database's owner, no superuser.
#![expect(
    clippy::unwrap_used,
    reason = "test code: what cannot be set up must fail the test at once"
)]

#[path = "serve/causes.rs"]
mod causes;
#[path = "serve/ears.rs"]
mod ears;
#[path = "serve/fleet.rs"]
mod fleet;
#[path = "serve/following.rs"]
mod following;
#[path = "serve/idle.rs"]
mod idle;
#[path = "serve/leading.rs"]
mod leading;
#[path = "serve/owing.rs"]
mod owing;
#[path = "serve/scene.rs"]
mod scene;
#[path = "serve/serving.rs"]
mod serving;
#[path = "serve/systemd.rs"]
mod systemd;
#[path = "serve/telling.rs"]
mod telling;
#[path = "serve/tools.rs"]
mod tools;

/// What `make soak` runs besides.
mod soak {
    use std::time::Duration;

    #[test]
    fn an_hour_at_rest_changes_nothing() {
        super::idle::idles_for(Duration::from_hours(1));
    }
}
