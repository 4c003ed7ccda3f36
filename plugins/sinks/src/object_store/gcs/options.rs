//! What can be configured, and what is wrong with it.

use std::path::PathBuf;

use object_store::gcp::{GcpCredentialProvider, GoogleCloudStorageBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::super::place::{self, Place, check_bucket, wrong};
use super::super::wire::Wire;
use super::Gcs;
use crate::Problem;
use crate::remote;

pub(super) const NAMES: &[&str] = &[
    "bucket",
    "prefix",
    "service_account",
    "anonymous",
    "endpoint",
    "ca_file",
    "allow_http",
];

const GOOGLE: &str = "https://storage.googleapis.com";

/// What can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The bucket. It must be there.
    pub bucket: String,
    /// What the names of all objects begin with.
    pub prefix: Option<String>,
    /// The key of a service account: the text of its JSON file.
    pub service_account: Option<SecretString>,
    /// Without any credentials.
    #[serde(default)]
    pub anonymous: bool,
    /// Address of a store that is not Google's.
    pub endpoint: Option<String>,
    /// Further certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// Without TLS, to another machine too.
    #[serde(default)]
    pub allow_http: bool,
}

impl Options {
    /// The store of these options. Nothing is asked.
    pub(super) fn store(&self) -> Result<Gcs, Problem> {
        check_bucket("bucket", &self.bucket)?;
        let endpoint = self.endpoint.as_deref().unwrap_or(GOOGLE);
        let client = remote::patient_client(place::file(self.ca_file.as_ref()))?;
        let address = match &self.endpoint {
            Some(endpoint) => format!("{}/{}", endpoint.trim_end_matches('/'), self.bucket),
            None => format!("gs://{}", self.bucket),
        };
        Ok(Gcs {
            place: Place::new(address, self.prefix.as_deref())?,
            wire: Wire::new(client),
            endpoint: place::endpoint(endpoint, self.allow_http)?,
            bucket: self.bucket.clone(),
            credentials: self.credentials()?,
        })
    }

    fn credentials(&self) -> Result<Option<GcpCredentialProvider>, Problem> {
        match (&self.service_account, self.anonymous) {
            (Some(key), false) => Ok(Some(self.provider(key)?)),
            (None, true) => Ok(None),
            (None, false) => Err(wrong(
                "service_account",
                "give the text of the key file of a service account (credentials that lie about \
                 on this machine are not used unasked)",
            )),
            (Some(_), true) => Err(wrong(
                "service_account",
                "it and `anonymous` exclude each other",
            )),
        }
    }

    fn provider(&self, key: &SecretString) -> Result<GcpCredentialProvider, Problem> {
        let store = GoogleCloudStorageBuilder::new()
            .with_bucket_name(&self.bucket)
            .with_service_account_key(key.expose_secret())
            .build();
        // The error is not shown: it may quote the key.
        let store = store.map_err(|_| {
            let why = "it is not the text of a key file: JSON with `client_email`, \
                       `private_key_id` and `private_key`";
            wrong("service_account", why)
        })?;
        Ok(store.credentials().clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mistake_names_its_option_and_no_secret() {
        for (values, option) in [
            (json!({ "bucket": "b b", "anonymous": true }), "bucket"),
            (json!({ "bucket": "bbb" }), "service_account"),
            (
                json!({ "bucket": "bbb", "service_account": "the-secret" }),
                "service_account",
            ),
            (
                json!({ "bucket": "bbb", "anonymous": true, "endpoint": "http://x.example.org" }),
                "endpoint",
            ),
        ] {
            let options: Options = serde_json::from_value(values.clone()).unwrap();
            let text = options.store().err().unwrap().to_string();
            assert!(text.starts_with(&format!("{option}: ")), "{values}: {text}");
            assert!(!text.contains("the-secret"), "{text}");
        }
    }
}
