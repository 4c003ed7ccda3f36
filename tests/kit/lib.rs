//! The test kit: throwaway PostgreSQL clusters, an oracle that compares whole databases, a schema
//! holding every kind of object, a mutator, the existing application's schema and a driver of the
//! `respaldo` binary.
//!
//! It uses nothing of the product, so that a mistake there cannot hide itself here.
//! Whatever cannot be set up panics with the reason: a test that cannot run fails.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "test code: what cannot be set up must fail the test at once"
)]

pub mod age;
pub mod app_fixture;
pub mod browser;
pub mod client;
pub mod cluster;
pub mod install;
pub mod journey;
pub mod littlebank;
pub mod mutator;
pub mod oracle;
pub mod pipeline;
pub mod plugins;
pub mod ports;
pub mod proxy;
pub mod repository;
pub mod respaldo;
pub mod scene;
pub mod schema;
pub mod service;
pub mod stores;

pub use browser::Browser;
pub use client::Client;
pub use cluster::{Cluster, ClusterBuilder};
pub use journey::{Journey, RestorePoint};
pub use mutator::Mutator;
pub use oracle::{DbImage, Snapshot, assert_equal, diff};
pub use proxy::Proxy;
pub use repository::Repository;
pub use respaldo::{Outcome, Respaldo};
pub use scene::Scene;
pub use service::Service;
