//! Access tokens: asked for, kept, and renewed before they end.

use std::time::{Duration, Instant, SystemTime};

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode, Url};
use respaldo_engine::ports::{Fault, FaultKind};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::account::ServiceAccount;
use super::answer::Trouble;
use super::api::{REQUEST_LIMIT, body_of};
use super::pace::Pace;

/// How long before its end a token is renewed.
const MARGIN: Duration = Duration::from_mins(5);
/// No token is kept longer, whatever was promised.
const LONGEST_LIFE: Duration = Duration::from_hours(24);
const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// By what right tokens are given out.
pub(super) enum Grant {
    /// Somebody consented.
    Person {
        client_id: String,
        client_secret: SecretString,
        refresh_token: SecretString,
    },
    /// An account of its own.
    Account(Box<ServiceAccount>),
}

/// A login that is kept up.
pub(super) struct Login {
    grant: Grant,
    url: Url,
    client: Client,
    held: Mutex<Option<Held>>,
}

struct Held {
    token: SecretString,
    renew_at: Instant,
}

#[derive(Deserialize)]
struct Given {
    access_token: SecretString,
    expires_in: u64,
}

/// A refusal in the words of OAuth.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Login {
    pub(super) fn new(grant: Grant, url: Url, client: Client) -> Self {
        Self {
            grant,
            url,
            client,
            held: Mutex::default(),
        }
    }

    /// By what right.
    pub(super) fn grant(&self) -> &Grant {
        &self.grant
    }

    /// A token that is good for a while.
    pub(super) async fn token(&self) -> Result<SecretString, Fault> {
        let mut held = self.held.lock().await;
        if let Some(good) = held.as_ref().filter(|held| Instant::now() < held.renew_at) {
            return Ok(good.token.clone());
        }
        let given = self.renewed().await?;
        let life = Duration::from_secs(given.expires_in).min(LONGEST_LIFE);
        *held = Some(Held {
            token: given.access_token.clone(),
            renew_at: Instant::now() + life.saturating_sub(MARGIN).max(life / 2),
        });
        Ok(given.access_token)
    }

    /// Drops a token that was refused, unless another was got meanwhile.
    pub(super) async fn forget(&self, refused: &SecretString) {
        let mut held = self.held.lock().await;
        let same = |held: &Held| held.token.expose_secret() == refused.expose_secret();
        if held.as_ref().is_some_and(same) {
            *held = None;
        }
    }

    async fn renewed(&self) -> Result<Given, Fault> {
        let mut pace = Pace::default();
        loop {
            match self.ask().await {
                Ok(given) => return Ok(given),
                Err(trouble) => pace.pause(trouble).await?,
            }
        }
    }

    async fn ask(&self) -> Result<Given, Trouble> {
        let subject = self.subject();
        let form = self.form().map_err(Trouble::lasting)?;
        let request = self.client.post(self.url.clone()).timeout(REQUEST_LIMIT);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let sent = request.body(form.expose_secret().to_owned()).send().await;
        let response = sent.map_err(|error| Trouble::unanswered(&subject, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = body_of(response, &subject).await?;
        if status.is_success() {
            // What the error quotes may be of the token.
            return serde_json::from_slice(&body).map_err(|_| {
                let why = "the answer is no token; see token_url";
                Trouble::lasting(Fault::new(FaultKind::Invalid, subject, why))
            });
        }
        match serde_json::from_slice::<Refusal>(&body) {
            Ok(refusal) if !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                Err(Trouble::lasting(self.refused(subject, &refusal)))
            }
            _ => Err(Trouble::refused(&subject, status, &headers, &body)),
        }
    }

    fn subject(&self) -> String {
        let who = match &self.grant {
            Grant::Person { client_id, .. } => format!("client {client_id}"),
            Grant::Account(account) => account.email().to_owned(),
        };
        format!("log in to Google Drive as {who} at {}", self.url)
    }

    fn form(&self) -> Result<SecretString, Fault> {
        let mut form = self.url.clone();
        form.set_query(None);
        match &self.grant {
            Grant::Person {
                client_id,
                client_secret,
                refresh_token,
            } => form
                .query_pairs_mut()
                .append_pair("grant_type", "refresh_token")
                .append_pair("client_id", client_id)
                .append_pair("client_secret", client_secret.expose_secret())
                .append_pair("refresh_token", refresh_token.expose_secret()),
            Grant::Account(account) => form
                .query_pairs_mut()
                .append_pair("grant_type", BEARER)
                .append_pair(
                    "assertion",
                    account.assertion(SystemTime::now())?.expose_secret(),
                ),
        };
        Ok(form.query().unwrap_or_default().into())
    }

    fn refused(&self, subject: String, refusal: &Refusal) -> Fault {
        let hint = match (refusal.error.as_str(), &self.grant) {
            ("invalid_grant", Grant::Person { .. }) => {
                "the refresh token has ended or was withdrawn: consent again and set refresh_token \
                 anew. While the consent screen is in testing, tokens end after seven days"
            }
            ("invalid_grant", Grant::Account(_)) => {
                "the key was deleted or disabled (make a new one and set service_account), the \
                 subject does not exist, or this machine's clock is wrong"
            }
            ("unauthorized_client", Grant::Account(_)) => {
                "allow the account the scope https://www.googleapis.com/auth/drive under delegation \
                 in the domain's console, or leave out subject"
            }
            ("invalid_client" | "unauthorized_client", _) => {
                "client_id and client_secret are not those of one client: copy them anew from \
                 Google's console"
            }
            _ => "Google does not take these credentials",
        };
        let words: String = refusal.error_description.chars().take(200).collect();
        let why = format!("{hint} ({}: {words})", refusal.error);
        Fault::new(FaultKind::Denied, subject, why)
    }
}
