//! Google Cloud Storage, over its JSON interface.
//!
//! A larger object goes through a resumable session: its chunks follow each other, and the last one
//! makes the object under the condition that the session began with (generation 0, which is "no
//! object"). A session that is not finished is forgotten by the store after a week and costs nothing;
//! that of a dead process of this machine is ended by a sweep. CRC32C goes with a whole object and comes back with every one.

mod options;
mod session;
mod words;

use std::sync::Arc;

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, checksum};
use object_store::client::HttpRequest;
use object_store::gcp::GcpCredentialProvider;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use respaldo_domain::object::ObjectKey;
use respaldo_domain::second_place::Provider;
use respaldo_engine::ports::{Fault, FaultKind};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ObjectStoreSink;
use super::parts::{Part, Shape};
use super::place::Place;
use super::store::{Begun, Found, Page, Put, Receipt, Store, Upload};
use super::wire::{Ask, Signer, Wire};
use crate::Kind;

pub use options::Options;

/// Name of this kind of sink in the configuration.
pub const KIND: &str = "gcs";

/// How it is configured.
pub(crate) const DECLARED: Kind = Kind {
    name: KIND,
    options: options::NAMES,
    secrets: &["service_account"],
    files: &["ca_file"],
    folder: Some("prefix"),
    provider: Provider::Gcs,
    make: |wanted| {
        let options: Options = crate::options(wanted.options)?;
        let sink = ObjectStoreSink::new(wanted.name, options.store()?, wanted.notes)?;
        Ok(Arc::new(sink))
    },
};

const MARK: &str = "respaldo-put";

/// A bucket of Google.
struct Gcs {
    place: Place,
    wire: Wire,
    endpoint: Url,
    bucket: String,
    /// `None` where nobody asks who we are.
    credentials: Option<GcpCredentialProvider>,
}

/// An object, as the store describes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    name: String,
    size: String,
    generation: Option<String>,
    crc32c: Option<String>,
    #[serde(default)]
    metadata: Value,
}

impl Resource {
    fn size_bytes(&self) -> u64 {
        self.size.parse().unwrap_or_default()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    #[serde(default)]
    items: Vec<Resource>,
    next_page_token: Option<String>,
}

impl Gcs {
    fn object(&self, method: Method, key: &ObjectKey) -> Ask {
        let name = self.place.name(key);
        let name = utf8_percent_encode(&name, NON_ALPHANUMERIC);
        self.objects(method, "storage/v1", &format!("/{name}"))
    }

    fn objects(&self, method: Method, interface: &str, steps: &str) -> Ask {
        let steps = format!("{interface}/b/{}/o{steps}", self.bucket);
        Ask::new(method, super::place::below(&self.endpoint, &steps))
    }

    fn uploading(&self, how: &str) -> Ask {
        self.objects(Method::POST, "upload/storage/v1", "")
            .query("uploadType", how)
            .query("ifGenerationMatch", "0")
    }

    /// What the store is to keep with an object.
    fn description(&self, put: &Put) -> Value {
        json!({
            "name": self.place.name(&put.key),
            "contentType": "application/octet-stream",
            "metadata": { MARK: put.mark },
        })
    }

    /// Holds what the store made against what was sent. Damaged bytes are taken back.
    async fn ensure_equal(&self, put: &Put, made: &Resource, crc: u64) -> Result<(), Fault> {
        let other_sum = made
            .crc32c
            .as_ref()
            .is_some_and(|told| *told != crc_text(crc));
        if made.size_bytes() == put.size_bytes && !other_sum {
            return Ok(());
        }
        let location = self.place.location(&put.key);
        if let Some(generation) = &made.generation {
            let ask = self
                .object(Method::DELETE, &put.key)
                .query("ifGenerationMatch", generation);
            let subject = format!("take back {location}");
            self.wire.send(self, &subject, &ask).await?;
        }
        let why = "the store got other bytes than were sent";
        Err(Fault::new(
            FaultKind::Corrupt,
            format!("put {location}"),
            why,
        ))
    }
}

fn crc_of(bytes: &[u8]) -> u64 {
    checksum(CrcAlgorithm::Crc32Iscsi, bytes)
}

/// A checksum as the store writes it.
fn crc_text(crc: u64) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode((crc as u32).to_be_bytes())
}

fn resource(subject: &str, body: &Bytes) -> Result<Resource, Fault> {
    read(subject, body)
}

fn read<T: serde::de::DeserializeOwned>(subject: &str, body: &Bytes) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|_| {
        let why = "the answer is not what such a store answers: is `endpoint` right?";
        Fault::new(FaultKind::Invalid, subject, why)
    })
}

impl Signer for Gcs {
    async fn sign(&self, request: &mut HttpRequest, _: Option<[u8; 32]>) -> Result<(), Fault> {
        let Some(credentials) = &self.credentials else {
            return Ok(());
        };
        let subject = "make a token of `service_account`";
        let credential = credentials.get_credential().await;
        let credential =
            credential.map_err(|error| Fault::new(FaultKind::Denied, subject, error))?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", credential.bearer))
            .map_err(|_| Fault::new(FaultKind::Denied, subject, "it is no token"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }

    fn explain(&self, status: StatusCode, _: &HeaderMap, body: &[u8]) -> (FaultKind, String) {
        words::explain(status, body)
    }
}

impl Store for Gcs {
    const SHAPE: Shape = Shape {
        max_object_bytes: 5 * 1024 * 1024 * 1024 * 1024,
        // Chunks are not counted by the store; these keep theirs at the usual size.
        max_parts: u64::MAX,
        // They follow each other.
        at_once: 1,
    };

    fn place(&self) -> &Place {
        &self.place
    }

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn reading(&self, key: &ObjectKey) -> Ask {
        self.object(Method::GET, key).query("alt", "media")
    }

    async fn head(&self, key: &ObjectKey) -> Result<Found, Fault> {
        let subject = format!("look for {}", self.place.location(key));
        let ask = self.object(Method::GET, key);
        let answer = self.wire.send(self, &subject, &ask).await?;
        let found = resource(&subject, &answer.body)?;
        Ok(Found {
            size_bytes: found.size_bytes(),
            mark: found.metadata[MARK].as_str().map(str::to_owned),
        })
    }

    async fn page(&self, prefix: &str, after: Option<&str>) -> Result<Page, Fault> {
        let subject = format!("list {}", self.place.address());
        let mut ask = self
            .objects(Method::GET, "storage/v1", "")
            .query("prefix", &self.place.names(prefix))
            .query("fields", "items(name,size),nextPageToken");
        if let Some(after) = after {
            ask = ask.query("pageToken", after);
        }
        let answer = self.wire.send(self, &subject, &ask).await?;
        let listing: Listing = read(&subject, &answer.body)?;
        let named = |found: Resource| (found.name.clone(), found.size_bytes());
        Ok(Page {
            found: listing.items.into_iter().map(named).collect(),
            next: listing.next_page_token.filter(|next| !next.is_empty()),
        })
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), Fault> {
        let subject = format!("delete {}", self.place.location(key));
        let ask = self.object(Method::DELETE, key);
        match self.wire.send(self, &subject, &ask).await {
            Err(fault) if fault.kind != FaultKind::NotFound => Err(fault),
            _ => Ok(()),
        }
    }

    async fn put_whole(&self, put: &Put, whole: Part) -> Result<(), Fault> {
        let subject = format!("put {}", self.place.location(&put.key));
        let crc = crc_of(&whole.body);
        let mut description = self.description(put);
        description["crc32c"] = crc_text(crc).into();
        let ask = self
            .uploading("multipart")
            .header(
                "content-type",
                format!("multipart/related; boundary={}", put.mark),
            )
            .body(related(&put.mark, &description, &whole.body));
        let answer = self.wire.send(self, &subject, &ask).await?;
        let made = resource(&subject, &answer.body)?;
        self.ensure_equal(put, &made, crc).await
    }

    async fn begin(&self, put: &Put) -> Result<Begun, Fault> {
        let id = self.begin_session(put).await?;
        let repeated = false;
        Ok(Begun { id, repeated })
    }

    async fn put_part(&self, upload: &Upload, part: Part) -> Result<Receipt, Fault> {
        let receipt = session::receipt(&part);
        self.send_chunk(upload, part, None).await?;
        Ok(receipt)
    }

    async fn complete(
        &self,
        upload: &Upload,
        receipts: Vec<Receipt>,
        last: Part,
    ) -> Result<(), Fault> {
        let crc = session::crc_of_all(&receipts, &last);
        let size_bytes = upload.put.size_bytes;
        let made = self.send_chunk(upload, last, Some(size_bytes)).await?;
        match made {
            Some(made) => self.ensure_equal(&upload.put, &made, crc).await,
            None => Err(Fault::new(
                FaultKind::Unavailable,
                format!("put {}", self.place.location(&upload.put.key)),
                "the store has all and did not make the object",
            )),
        }
    }

    async fn abort(&self, upload: &Upload) -> Result<(), Fault> {
        self.end_session(upload).await
    }
}

/// A description and bytes as one body.
fn related(boundary: &str, description: &Value, bytes: &[u8]) -> Bytes {
    let head = format!(
        "--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{description}\r\n\
         --{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let mut body = Vec::with_capacity(head.len() + bytes.len() + tail.len());
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(tail.as_bytes());
    body.into()
}
