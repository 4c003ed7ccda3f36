//! Alarms as JSON, sent by POST.

use std::time::Duration;

use reqwest::blocking::Client;
use respaldo_domain::alert::Notice;
use respaldo_engine::ports::{Fault, Notifier};
use secrecy::SecretString;
use url::Url;

use crate::http;

/// A webhook.
pub struct Webhook {
    url: Url,
    client: Client,
}

impl Webhook {
    /// One at an address, which is a secret: who knows it may post there.
    pub fn new(address: &SecretString, limit: Duration) -> Result<Self, Fault> {
        Ok(Self {
            url: http::address("webhook", address)?,
            client: http::client(limit)?,
        })
    }
}

impl Notifier for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn tell(&self, notice: &Notice) -> Result<(), Fault> {
        if !notice.kind.is_for_people() {
            return Ok(());
        }
        let request = self.client.post(self.url.clone()).json(notice);
        http::send("webhook", request)
    }
}
