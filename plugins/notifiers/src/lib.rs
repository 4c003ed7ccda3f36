//! Ways to tell people and monitors: a webhook, a ping, mail.
//!
//! Each call is bounded in time and told once; [`Herald`] tries again what failed for a reason that
//! may pass. Addresses and passwords are secrets: neither a fault nor a log shows one.

mod healthcheck;
mod herald;
mod http;
mod smtp;
mod webhook;

pub use healthcheck::Healthcheck;
pub use herald::{Herald, Retries, Settled};
pub use smtp::{Smtp, SmtpConfig, SmtpTls};
pub use webhook::Webhook;

use std::time::Duration;

/// Longest time for one try to tell.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);
