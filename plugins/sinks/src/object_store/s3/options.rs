//! What can be configured, and what is wrong with it.

use std::path::PathBuf;

use object_store::RetryConfig;
use object_store::aws::{AmazonS3Builder, AwsCredential, AwsCredentialProvider};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::super::place::{self, Place, check_bucket, check_word, wrong};
use super::super::wire::Wire;
use super::{Extras, Identity, Lock, S3};
use crate::Problem;
use crate::remote;

pub(super) const NAMES: &[&str] = &[
    "bucket",
    "prefix",
    "region",
    "endpoint",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "anonymous",
    "instance_role",
    "path_style",
    "ca_file",
    "allow_http",
    "sse",
    "kms_key",
    "storage_class",
    "object_lock_days",
    "object_lock_mode",
    "checksum",
];

/// The longest lock that is not taken for a slip: a hundred years.
const MAX_LOCK_DAYS: u32 = 36_500;

/// What can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The bucket. It must be there.
    pub bucket: String,
    /// What the names of all objects begin with.
    pub prefix: Option<String>,
    /// The bucket's region; `us-east-1` unless told otherwise.
    pub region: Option<String>,
    /// Address of a store that is not Amazon's.
    pub endpoint: Option<String>,
    /// Name of the key.
    pub access_key_id: Option<String>,
    /// The key.
    pub secret_access_key: Option<SecretString>,
    /// Goes with keys that expire.
    pub session_token: Option<SecretString>,
    /// Without any credentials.
    #[serde(default)]
    pub anonymous: bool,
    /// With the credentials that the cloud gives to the machine.
    #[serde(default)]
    pub instance_role: bool,
    /// Whether the bucket is a part of the path, not of the host's name.
    pub path_style: Option<bool>,
    /// Further certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// Without TLS, to another machine too.
    #[serde(default)]
    pub allow_http: bool,
    /// Encryption by the store.
    pub sse: Option<Encryption>,
    /// The key of the store's key service.
    pub kms_key: Option<String>,
    /// The class of new objects.
    pub storage_class: Option<String>,
    /// For how many days the store keeps each object against everybody.
    pub object_lock_days: Option<u32>,
    /// Against whom.
    pub object_lock_mode: Option<LockMode>,
    /// What the store checks each part with.
    #[serde(default)]
    pub checksum: Checksum,
}

/// Encryption by the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Encryption {
    /// With a key of the store.
    #[serde(rename = "AES256")]
    Aes256,
    /// With a key of its key service.
    #[serde(rename = "aws:kms")]
    Kms,
}

/// Against whom an object is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LockMode {
    /// Against everybody.
    Compliance,
    /// Against all who lack a special right.
    Governance,
}

/// What the store checks each part with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checksum {
    /// SHA-256.
    #[default]
    Sha256,
    /// Nothing, for stores that do not know the headers.
    None,
}

impl Options {
    /// The store of these options. Nothing is asked.
    pub(super) fn store(&self) -> Result<S3, Problem> {
        self.check()?;
        let (bucket, address) = self.addresses()?;
        let client = remote::patient_client(place::file(self.ca_file.as_ref()))?;
        Ok(S3 {
            place: Place::new(address, self.prefix.as_deref())?,
            wire: Wire::new(client),
            bucket,
            region: self.region().to_owned(),
            identity: self.identity()?,
            extras: self.extras()?,
        })
    }

    fn region(&self) -> &str {
        self.region.as_deref().unwrap_or("us-east-1")
    }

    fn check(&self) -> Result<(), Problem> {
        check_bucket("bucket", &self.bucket)?;
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if self.region().is_empty() || !self.region().bytes().all(legal) {
            return Err(wrong("region", "it is a name such as eu-west-1"));
        }
        if self.kms_key.is_some() && self.sse != Some(Encryption::Kms) {
            return Err(wrong("kms_key", "it goes with sse = \"aws:kms\" only"));
        }
        for (option, text) in [
            ("kms_key", &self.kms_key),
            ("storage_class", &self.storage_class),
            ("access_key_id", &self.access_key_id),
        ] {
            text.as_ref()
                .map_or(Ok(()), |text| check_word(option, text))?;
        }
        Ok(())
    }

    /// The bucket's address for requests, and for people.
    fn addresses(&self) -> Result<(Url, String), Problem> {
        let amazon = format!("https://s3.{}.amazonaws.com", self.region());
        let endpoint = self.endpoint.as_deref().unwrap_or(&amazon);
        let endpoint = place::endpoint(endpoint, self.allow_http)?;
        // A dot in a bucket's name is none that a certificate covers.
        let path_style = self
            .path_style
            .unwrap_or(self.endpoint.is_some() || self.bucket.contains('.'));
        let bucket = match path_style {
            true => place::below(&endpoint, &self.bucket),
            false => self.host_style(endpoint)?,
        };
        let address = match self.endpoint {
            Some(_) => bucket.as_str().trim_end_matches('/').to_owned(),
            None => format!("s3://{}", self.bucket),
        };
        Ok((bucket, address))
    }

    fn host_style(&self, mut endpoint: Url) -> Result<Url, Problem> {
        let host = format!(
            "{}.{}",
            self.bucket,
            endpoint.host_str().unwrap_or_default()
        );
        match endpoint.set_host(Some(&host)) {
            Ok(()) if endpoint.domain().is_some() => Ok(endpoint),
            _ => Err(wrong(
                "path_style",
                "the bucket cannot become a part of this endpoint's name: set it to true",
            )),
        }
    }

    fn identity(&self) -> Result<Identity, Problem> {
        let keys = match (&self.access_key_id, &self.secret_access_key) {
            (Some(id), Some(secret)) => Some(self.keys(id, secret)?),
            (None, None) => None,
            (Some(_), None) => {
                return Err(wrong("secret_access_key", "it goes with `access_key_id`"));
            }
            (None, Some(_)) => {
                return Err(wrong("access_key_id", "it goes with `secret_access_key`"));
            }
        };
        match (keys, self.anonymous, self.instance_role) {
            (Some(keys), false, false) => Ok(Identity::Keys(keys)),
            (None, true, false) => Ok(Identity::Anonymous),
            (None, false, true) => Ok(Identity::Role(self.role()?)),
            (None, false, false) => Err(wrong(
                "access_key_id",
                "give it with `secret_access_key`, or say instance_role = true (credentials that \
                 lie about on this machine are not used unasked)",
            )),
            _ => Err(wrong(
                "access_key_id",
                "keys, `anonymous` and `instance_role` exclude each other",
            )),
        }
    }

    fn keys(&self, id: &str, secret: &SecretString) -> Result<AwsCredential, Problem> {
        check_word("secret_access_key", secret.expose_secret())?;
        let token = self.session_token.as_ref();
        let token = token.map(|token| token.expose_secret().to_owned());
        if let Some(token) = &token {
            check_word("session_token", token)?;
        }
        Ok(AwsCredential {
            key_id: id.to_owned(),
            secret_key: secret.expose_secret().to_owned(),
            token,
        })
    }

    /// The credentials of the machine, renewed as they expire.
    fn role(&self) -> Result<AwsCredentialProvider, Problem> {
        let store = AmazonS3Builder::new()
            .with_bucket_name(&self.bucket)
            .with_region(self.region())
            .with_retry(RetryConfig {
                max_retries: 2,
                ..RetryConfig::default()
            })
            .build()
            .map_err(|error| wrong("instance_role", error.to_string()))?;
        Ok(store.credentials().clone())
    }

    fn extras(&self) -> Result<Extras, Problem> {
        let mut headers = Vec::new();
        match self.sse {
            Some(Encryption::Aes256) => {
                headers.push(("x-amz-server-side-encryption", "AES256".to_owned()));
            }
            Some(Encryption::Kms) => {
                headers.push(("x-amz-server-side-encryption", "aws:kms".to_owned()));
            }
            None => {}
        }
        if let Some(key) = &self.kms_key {
            let name = "x-amz-server-side-encryption-aws-kms-key-id";
            headers.push((name, key.clone()));
        }
        if let Some(class) = &self.storage_class {
            headers.push(("x-amz-storage-class", class.clone()));
        }
        Ok(Extras {
            headers,
            lock: self.lock()?,
            checksum: self.checksum == Checksum::Sha256,
        })
    }

    fn lock(&self) -> Result<Option<Lock>, Problem> {
        let (days, mode) = match (self.object_lock_days, self.object_lock_mode) {
            (None, None) => return Ok(None),
            (Some(days), Some(mode)) => (days, mode),
            (Some(_), None) => {
                let why = "say COMPLIANCE (nobody can delete) or GOVERNANCE (a special right can)";
                return Err(wrong("object_lock_mode", why));
            }
            (None, Some(_)) => {
                return Err(wrong("object_lock_days", "say for how many days to lock"));
            }
        };
        if !(1..=MAX_LOCK_DAYS).contains(&days) {
            return Err(wrong("object_lock_days", "it is 1 to 36500 days"));
        }
        if self.checksum == Checksum::None {
            let why = "a locked object needs one: leave it at \"sha256\"";
            return Err(wrong("checksum", why));
        }
        let mode = match mode {
            LockMode::Compliance => "COMPLIANCE",
            LockMode::Governance => "GOVERNANCE",
        };
        Ok(Some(Lock { mode, days }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn with(more: &Value) -> Result<S3, Problem> {
        let mut values = json!({
            "bucket": "backups",
            "access_key_id": "id",
            "secret_access_key": "the-secret",
        });
        for (name, value) in more.as_object().unwrap() {
            values[name] = value.clone();
        }
        let options: Options = serde_json::from_value(values).unwrap();
        options.store()
    }

    #[test]
    fn a_mistake_names_its_option_and_no_secret() {
        for (more, option) in [
            (json!({ "bucket": "a b" }), "bucket"),
            (json!({ "secret_access_key": null }), "secret_access_key"),
            (json!({ "access_key_id": null }), "access_key_id"),
            (json!({ "anonymous": true }), "access_key_id"),
            (json!({ "endpoint": "http://s3.example.org" }), "endpoint"),
            (json!({ "region": "a/b" }), "region"),
            (json!({ "kms_key": "k" }), "kms_key"),
            (json!({ "object_lock_days": 1 }), "object_lock_mode"),
            (
                json!({ "object_lock_mode": "GOVERNANCE" }),
                "object_lock_days",
            ),
            (
                json!({ "object_lock_mode": "COMPLIANCE", "object_lock_days": 0 }),
                "object_lock_days",
            ),
            (json!({ "session_token": "a\nb" }), "session_token"),
            (json!({ "prefix": "../x" }), "prefix"),
            (json!({ "ca_file": "/no/such/file" }), "ca_file"),
        ] {
            let text = with(&more).err().unwrap().to_string();
            assert!(text.starts_with(&format!("{option}: ")), "{more}: {text}");
            assert!(!text.contains("the-secret"), "{text}");
        }
    }

    #[test]
    fn addresses_are_of_the_style_that_fits() {
        let bucket = |more: &Value| with(more).unwrap().bucket.to_string();
        assert_eq!(
            bucket(&json!({ "region": "eu-west-1" })),
            "https://backups.s3.eu-west-1.amazonaws.com/"
        );
        assert_eq!(
            bucket(&json!({ "endpoint": "http://127.0.0.1:9000/" })),
            "http://127.0.0.1:9000/backups"
        );
        assert_eq!(
            bucket(&json!({ "endpoint": "https://s3.example.org", "path_style": false })),
            "https://backups.s3.example.org/"
        );
        assert_eq!(
            bucket(&json!({ "bucket": "a.b" })),
            "https://s3.us-east-1.amazonaws.com/a.b"
        );
    }
}
