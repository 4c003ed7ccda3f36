//! Pings as healthchecks.io and its relatives take them: the address itself when a run succeeded,
//! `/start` when it begins, `/fail` when it failed. They raise the alarm when a ping is missing, so
//! this is the way that still works when the whole machine does not.

use std::time::Duration;

use reqwest::blocking::Client;
use respaldo_domain::alert::{Notice, NoticeKind};
use respaldo_engine::ports::{Fault, FaultKind, Notifier};
use secrecy::SecretString;
use url::Url;

use crate::http;

/// A monitor that counts pings.
pub struct Healthcheck {
    url: Url,
    client: Client,
}

impl Healthcheck {
    /// One at an address, which is a secret: who knows it may ping.
    pub fn new(address: &SecretString, limit: Duration) -> Result<Self, Fault> {
        let url = http::address("healthcheck", address)?;
        if url.cannot_be_a_base() {
            let why = "the address of the healthcheck has no path";
            return Err(Fault::bare(FaultKind::Invalid, why));
        }
        Ok(Self {
            url,
            client: http::client(limit)?,
        })
    }

    /// The address with a last part, before its query.
    fn address(&self, part: Option<&str>) -> Url {
        let mut url = self.url.clone();
        if let Some(part) = part {
            // Was checked to have a path.
            if let Ok(mut segments) = url.path_segments_mut() {
                segments.pop_if_empty().push(part);
            }
        }
        url
    }
}

impl Notifier for Healthcheck {
    fn name(&self) -> &'static str {
        "healthcheck"
    }

    fn tell(&self, notice: &Notice) -> Result<(), Fault> {
        let part = match notice.kind {
            NoticeKind::RunStarted => Some("start"),
            NoticeKind::RunSucceeded => None,
            NoticeKind::RunFailed => Some("fail"),
            NoticeKind::Began(_) | NoticeKind::Ended(_) => return Ok(()),
        };
        let request = self.client.post(self.address(part));
        http::send("healthcheck", request.body(notice.subject.clone()))
    }
}
