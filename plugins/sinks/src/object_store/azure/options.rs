//! What can be configured, and what is wrong with it.

use std::path::PathBuf;

use object_store::azure::{AzureAccessKey, AzureCredential, split_sas};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::super::place::{self, Place, check_bucket, check_word, wrong};
use super::super::wire::Wire;
use super::Azure;
use crate::Problem;
use crate::remote;

pub(super) const NAMES: &[&str] = &[
    "account",
    "container",
    "prefix",
    "access_key",
    "sas_token",
    "endpoint",
    "ca_file",
    "allow_http",
];

/// What can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The storage account.
    pub account: String,
    /// The container. It must be there.
    pub container: String,
    /// What the names of all objects begin with.
    pub prefix: Option<String>,
    /// A key of the account.
    pub access_key: Option<SecretString>,
    /// Or a shared access signature.
    pub sas_token: Option<SecretString>,
    /// Address of the account where it is not the usual one.
    pub endpoint: Option<String>,
    /// Further certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// Without TLS, to another machine too.
    #[serde(default)]
    pub allow_http: bool,
}

impl Options {
    /// The store of these options. Nothing is asked.
    pub(super) fn store(&self) -> Result<Azure, Problem> {
        self.check_account()?;
        check_bucket("container", &self.container)?;
        let usual = format!("https://{}.blob.core.windows.net", self.account);
        let endpoint = self.endpoint.as_deref().unwrap_or(&usual);
        let endpoint = place::endpoint(endpoint, self.allow_http)?;
        let container = place::below(&endpoint, &self.container);
        let client = remote::patient_client(place::file(self.ca_file.as_ref()))?;
        Ok(Azure {
            place: Place::new(container.to_string(), self.prefix.as_deref())?,
            wire: Wire::new(client),
            account: self.account.clone(),
            container,
            credential: self.credential()?,
        })
    }

    fn check_account(&self) -> Result<(), Problem> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        match (3..=24).contains(&self.account.len()) && self.account.bytes().all(legal) {
            true => Ok(()),
            false => Err(wrong("account", "it has 3 to 24 small letters and digits")),
        }
    }

    fn credential(&self) -> Result<AzureCredential, Problem> {
        match (&self.access_key, &self.sas_token) {
            (Some(key), None) => {
                let key = AzureAccessKey::try_new(key.expose_secret().trim());
                let key = key.map_err(|_| wrong("access_key", "it is no key in Base64"))?;
                Ok(AzureCredential::AccessKey(key))
            }
            (None, Some(token)) => {
                check_word("sas_token", token.expose_secret())?;
                let pairs = split_sas(token.expose_secret());
                let pairs = pairs
                    .ok()
                    .filter(|pairs| pairs.iter().any(|(k, _)| k == "sig"));
                let why = "it is no token such as sv=...&sig=...";
                Ok(AzureCredential::SASToken(
                    pairs.ok_or_else(|| wrong("sas_token", why))?,
                ))
            }
            (None, None) => Err(wrong("access_key", "give it, or a `sas_token`")),
            (Some(_), Some(_)) => Err(wrong("sas_token", "it and `access_key` exclude each other")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_mistake_names_its_option_and_no_secret() {
        let base = || json!({ "account": "account", "container": "backups" });
        let with = |more: Value| {
            let mut values = base();
            for (name, value) in more.as_object().unwrap() {
                values[name] = value.clone();
            }
            values
        };
        for (values, option) in [
            (base(), "access_key"),
            (with(json!({ "account": "A" })), "account"),
            (with(json!({ "container": "a/b" })), "container"),
            (with(json!({ "access_key": "the-secret" })), "access_key"),
            (with(json!({ "sas_token": "the-secret" })), "sas_token"),
            (
                with(json!({ "access_key": "aaaa", "sas_token": "sig=1" })),
                "sas_token",
            ),
        ] {
            let options: Options = serde_json::from_value(values.clone()).unwrap();
            let text = options.store().err().unwrap().to_string();
            assert!(text.starts_with(&format!("{option}: ")), "{values}: {text}");
            assert!(!text.contains("the-secret"), "{text}");
        }
    }
}
