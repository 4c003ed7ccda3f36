//! Amazon S3, and the stores that speak like it and heed `If-None-Match`.
//!
//! The completion of a multipart upload carries the condition too. With a lock, every object is put
//! with the day until which the store keeps it (`lock`).

mod lock;
mod multipart;
mod options;
mod words;

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use object_store::aws::{AwsAuthorizer, AwsCredential, AwsCredentialProvider};
use object_store::client::HttpRequest;
use percent_encoding::percent_decode_str;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, Url};
use respaldo_domain::object::ObjectKey;
use respaldo_domain::second_place::Provider;
use respaldo_engine::ports::{Fault, FaultKind};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::ObjectStoreSink;
use super::parts::{Part, Shape};
use super::place::Place;
use super::store::{Begun, Found, Page, Put, Receipt, Store, Unfinished, Upload};
use super::wire::{Answer, Ask, Signer, Wire};
use super::xml;
use crate::Kind;
use lock::Lock;

pub use options::Options;

/// Name of this kind of sink in the configuration.
pub const KIND: &str = "s3";

/// How it is configured.
pub(crate) const DECLARED: Kind = Kind {
    name: KIND,
    options: options::NAMES,
    secrets: &["secret_access_key", "session_token"],
    files: &["ca_file"],
    folder: Some("prefix"),
    provider: Provider::S3,
    make: |wanted| {
        let options: Options = crate::options(wanted.options)?;
        let sink = ObjectStoreSink::new(wanted.name, options.store()?, wanted.notes)?;
        Ok(Arc::new(sink))
    },
};

const MARK: &str = "x-amz-meta-respaldo-put";

/// A bucket of S3.
struct S3 {
    place: Place,
    wire: Wire,
    /// Address of the bucket itself.
    bucket: Url,
    region: String,
    identity: Identity,
    extras: Extras,
}

/// Who we are to the store.
enum Identity {
    Anonymous,
    Keys(AwsCredential),
    Role(AwsCredentialProvider),
}

/// What every new object is given.
#[derive(Debug)]
struct Extras {
    /// Encryption and storage class, as headers.
    headers: Vec<(&'static str, String)>,
    lock: Option<Lock>,
    /// Whether checksums are sent.
    checksum: bool,
}

impl S3 {
    fn object(&self, method: Method, key: &ObjectKey) -> Ask {
        Ask::new(
            method,
            super::place::below(&self.bucket, &self.place.name(key)),
        )
    }

    /// The request that makes an object, or an upload of one.
    fn making(&self, method: Method, put: &Put) -> Ask {
        let mut ask = self.object(method, &put.key).header(MARK, &put.mark);
        for (name, value) in &self.extras.headers {
            ask = ask.header(name, value);
        }
        match &self.extras.lock {
            None => ask,
            Some(lock) => lock.on(ask),
        }
    }

    /// Bytes with their checksum, where it serves for something.
    fn carrying(&self, ask: Ask, body: Bytes) -> (Ask, Option<String>) {
        let https = self.bucket.scheme() == "https";
        // Over HTTPS the bytes are safe from others, if not from damage beyond it.
        if !self.extras.checksum && https {
            return (ask.body(body), None);
        }
        let sha256: [u8; 32] = Sha256::digest(&body).into();
        let ask = ask.body(body).sha256(Some(sha256));
        if !self.extras.checksum {
            return (ask, None);
        }
        let text = base64(&sha256);
        (ask.header("x-amz-checksum-sha256", &text), Some(text))
    }

    async fn look(&self, key: &ObjectKey) -> Result<Answer, Fault> {
        let subject = format!("look for {}", self.place.location(key));
        let ask = self.object(Method::HEAD, key);
        self.wire.send(self, &subject, &ask).await
    }
}

fn ignoring_absence(answer: Result<Answer, Fault>) -> Result<(), Fault> {
    match answer {
        Err(fault) if fault.kind != FaultKind::NotFound => Err(fault),
        _ => Ok(()),
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

impl Signer for S3 {
    async fn sign(&self, request: &mut HttpRequest, sha256: Option<[u8; 32]>) -> Result<(), Fault> {
        let role;
        let credential = match &self.identity {
            Identity::Anonymous => return Ok(()),
            Identity::Keys(credential) => credential,
            Identity::Role(provider) => {
                role = provider.get_credential().await.map_err(|error| {
                    let subject = "ask this machine for its role's credentials";
                    Fault::new(FaultKind::Unavailable, subject, error)
                })?;
                &*role
            }
        };
        // A body whose checksum is not told is not signed; see `carrying`.
        let bodyless = matches!(
            *request.method(),
            Method::GET | Method::HEAD | Method::DELETE
        );
        AwsAuthorizer::new(credential, "s3", &self.region)
            .with_sign_payload(sha256.is_some() || bodyless)
            .try_authorize(request, sha256.as_ref().map(<[u8; 32]>::as_slice))
            .map_err(|error| Fault::new(FaultKind::Internal, "sign a request", error))
    }

    fn explain(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> (FaultKind, String) {
        words::explain(status, headers, body)
    }

    /// Some requests are answered before they are done, and their refusal comes as a body.
    fn hides_refusal(&self, body: &[u8]) -> bool {
        let start = &body[..body.len().min(300)];
        String::from_utf8_lossy(start).contains("<Error>")
    }
}

/// A page of a listing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    #[serde(default)]
    contents: Vec<Listed>,
    next_continuation_token: Option<String>,
    encoding_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    key: String,
    size: u64,
}

/// A name out of a listing, which may be encoded so that any name fits into XML.
fn decoded(name: &str, encoding: Option<&str>) -> String {
    match encoding {
        Some("url") => percent_decode_str(&name.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned(),
        _ => name.to_owned(),
    }
}

impl Store for S3 {
    const SHAPE: Shape = Shape {
        max_object_bytes: 5 * 1024 * 1024 * 1024 * 1024,
        max_parts: 10_000,
        at_once: 2,
    };
    const LISTS_UNFINISHED: bool = true;

    fn place(&self) -> &Place {
        &self.place
    }

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn reading(&self, key: &ObjectKey) -> Ask {
        self.object(Method::GET, key)
    }

    async fn head(&self, key: &ObjectKey) -> Result<Found, Fault> {
        let answer = self.look(key).await?;
        let size_bytes = answer.header("content-length").and_then(|n| n.parse().ok());
        let size_bytes = size_bytes.ok_or_else(|| {
            let why = "the store does not tell its size";
            Fault::new(FaultKind::Invalid, format!("look for {key}"), why)
        })?;
        Ok(Found {
            size_bytes,
            mark: answer.header(MARK).map(str::to_owned),
        })
    }

    async fn page(&self, prefix: &str, after: Option<&str>) -> Result<Page, Fault> {
        let subject = format!("list {}", self.place.address());
        let mut ask = Ask::new(Method::GET, self.bucket.clone())
            .query("list-type", "2")
            .query("encoding-type", "url")
            .query("prefix", &self.place.names(prefix));
        if let Some(after) = after {
            ask = ask.query("continuation-token", after);
        }
        let answer = self.wire.send(self, &subject, &ask).await?;
        let listing: Listing = xml::answer(&subject, &answer.body)?;
        let encoding = listing.encoding_type.as_deref();
        let named = |listed: Listed| (decoded(&listed.key, encoding), listed.size);
        Ok(Page {
            found: listing.contents.into_iter().map(named).collect(),
            next: listing
                .next_continuation_token
                .filter(|next| !next.is_empty()),
        })
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), Fault> {
        if self.extras.lock.is_some() {
            return self.delete_version(key).await;
        }
        let subject = format!("delete {}", self.place.location(key));
        let ask = self.object(Method::DELETE, key);
        ignoring_absence(self.wire.send(self, &subject, &ask).await)
    }

    async fn locked_until(&self, key: &ObjectKey) -> Result<Option<DateTime<Utc>>, Fault> {
        self.lock_of(key).await
    }

    async fn lock_until(&self, key: &ObjectKey, until: DateTime<Utc>) -> Result<(), Fault> {
        self.prolong(key, until).await
    }

    async fn put_whole(&self, put: &Put, whole: Part) -> Result<(), Fault> {
        let subject = format!("put {}", self.place.location(&put.key));
        let ask = self.making(Method::PUT, put).header("if-none-match", "*");
        let (ask, _) = self.carrying(ask, whole.body);
        self.wire.send(self, &subject, &ask).await.map(drop)
    }

    async fn begin(&self, put: &Put) -> Result<Begun, Fault> {
        self.begin_upload(put).await
    }

    async fn put_part(&self, upload: &Upload, part: Part) -> Result<Receipt, Fault> {
        self.send_part(upload, part).await
    }

    async fn complete(
        &self,
        upload: &Upload,
        mut receipts: Vec<Receipt>,
        last: Part,
    ) -> Result<(), Fault> {
        receipts.push(self.send_part(upload, last).await?);
        self.complete_upload(upload, &receipts).await
    }

    async fn abort(&self, upload: &Upload) -> Result<(), Fault> {
        let subject = format!("end an upload of {}", self.place.location(&upload.put.key));
        let ask = self
            .object(Method::DELETE, &upload.put.key)
            .query("uploadId", &upload.id);
        ignoring_absence(self.wire.send(self, &subject, &ask).await)
    }

    async fn unfinished(&self) -> Result<Vec<Unfinished>, Fault> {
        self.unfinished_uploads().await
    }
}
