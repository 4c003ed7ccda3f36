//! What can be configured, checked as far as that goes without the network.

use std::net::IpAddr;
use std::path::PathBuf;

use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;

use super::account::ServiceAccount;
use super::login::Grant;
use crate::Problem;

const BASE_URL: &str = "https://www.googleapis.com";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

/// What can be configured.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The folder that holds the objects: the last part of its address.
    pub folder_id: String,
    /// The JSON key of a service account.
    pub service_account: Option<SecretString>,
    /// The account as which a service account acts (delegation in the whole domain).
    pub subject: Option<String>,
    /// The OAuth client of a person's login.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<SecretString>,
    /// What that person's consent gave.
    pub refresh_token: Option<SecretString>,
    /// Where the API is, when not at Google's own address.
    pub base_url: Option<String>,
    /// Where tokens are given out, when not at Google's own address.
    pub token_url: Option<String>,
    /// Authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Speaks HTTP without TLS to other machines, too.
    #[serde(default)]
    pub allow_http: bool,
}

impl Options {
    /// The folder's id.
    pub(super) fn folder(&self) -> Result<String, Problem> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        match self.folder_id.is_empty() || !self.folder_id.bytes().all(legal) {
            true => Err(wrong(
                "folder_id",
                "give the id of the folder alone: what follows /folders/ in its address",
            )),
            false => Ok(self.folder_id.clone()),
        }
    }

    /// Where the API is.
    pub(super) fn base(&self) -> Result<Url, Problem> {
        let text = self.base_url.as_deref().unwrap_or(BASE_URL);
        self.address("base_url", text)
    }

    /// Where tokens are given out.
    pub(super) fn tokens(&self) -> Result<Url, Problem> {
        let text = self.token_url.as_deref().unwrap_or(TOKEN_URL);
        self.address("token_url", text)
    }

    /// How to log in: one of the two ways, and that one complete.
    pub(super) fn grant(&self) -> Result<Grant, Problem> {
        let person = (&self.client_id, &self.client_secret, &self.refresh_token);
        match (&self.service_account, person) {
            (Some(key), (None, None, None)) => {
                let audience = self.tokens()?.to_string();
                let account = ServiceAccount::parse(key, self.subject.clone(), audience)?;
                Ok(Grant::Account(Box::new(account)))
            }
            (None, (Some(id), Some(secret), Some(token))) => self.person(id, secret, token),
            (Some(_), _) => Err(wrong(
                "service_account",
                "give either this or client_id, client_secret and refresh_token, not both",
            )),
            (None, (None, None, None)) => Err(wrong(
                "service_account",
                "give this, or client_id, client_secret and refresh_token",
            )),
            (None, (None, _, _)) => Err(wrong("client_id", LACKING)),
            (None, (_, None, _)) => Err(wrong("client_secret", LACKING)),
            (None, (_, _, None)) => Err(wrong("refresh_token", LACKING)),
        }
    }

    fn person(
        &self,
        client_id: &str,
        client_secret: &SecretString,
        refresh_token: &SecretString,
    ) -> Result<Grant, Problem> {
        if self.subject.is_some() {
            let why = "only a service account can act as another account; leave it out";
            return Err(wrong("subject", why));
        }
        Ok(Grant::Person {
            client_id: client_id.to_owned(),
            client_secret: client_secret.clone(),
            refresh_token: refresh_token.clone(),
        })
    }

    fn address(&self, option: &'static str, text: &str) -> Result<Url, Problem> {
        let url = Url::parse(text)
            .map_err(|error| wrong(option, format!("it is no address: {error}")))?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        match url.scheme() {
            _ if !plain => Err(wrong(option, "give scheme, host, port and path only")),
            "https" => Ok(url),
            "http" if self.allow_http || is_loopback(&url) => Ok(url),
            "http" => Err(wrong(
                option,
                "without TLS anybody on the way reads the token; use https, or set allow_http",
            )),
            _ => Err(wrong(option, "use https")),
        }
    }
}

const LACKING: &str = "a person's login needs client_id, client_secret and refresh_token";

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// An option that is of no use.
pub(super) fn wrong(option: &'static str, why: impl Into<String>) -> Problem {
    Problem::value(option, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Options {
        Options {
            folder_id: "1aB-_x".to_owned(),
            client_id: Some("id".to_owned()),
            client_secret: Some("hidden".into()),
            refresh_token: Some("hidden".into()),
            ..Options::default()
        }
    }

    fn refused(options: &Options) -> String {
        let tried = options.folder().map(drop);
        let tried = tried.and(options.base().map(drop));
        match tried.and(options.grant().map(drop)) {
            Err(Problem::Value { option, .. }) => option,
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_named() {
        assert!(person().grant().is_ok());
        let with = |change: fn(&mut Options)| {
            let mut options = person();
            change(&mut options);
            refused(&options)
        };
        assert_eq!(
            with(|o| o.folder_id = "https://x/folders/1".into()),
            "folder_id"
        );
        assert_eq!(with(|o| o.client_secret = None), "client_secret");
        assert_eq!(with(|o| o.refresh_token = None), "refresh_token");
        assert_eq!(with(|o| o.client_id = None), "client_id");
        assert_eq!(with(|o| o.subject = Some("a@b.example".into())), "subject");
        assert_eq!(
            with(|o| o.service_account = Some("{}".into())),
            "service_account"
        );
        assert_eq!(
            with(|o| o.base_url = Some("http://drive.example".into())),
            "base_url"
        );
        assert_eq!(
            with(|o| o.base_url = Some("ftp://drive.example".into())),
            "base_url"
        );
    }

    #[test]
    fn http_goes_to_this_machine_or_where_it_was_allowed() {
        let mut options = person();
        for text in ["http://127.0.0.1:1", "http://[::1]:1", "http://localhost"] {
            options.base_url = Some(text.to_owned());
            assert!(options.base().is_ok(), "{text}");
        }
        options.base_url = Some("http://drive.example".to_owned());
        options.allow_http = true;
        assert!(options.base().is_ok());
    }
}
