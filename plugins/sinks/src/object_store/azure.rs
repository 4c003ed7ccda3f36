//! Azure Blob Storage.
//!
//! A larger object is sent as blocks, and the list of blocks makes it, under the same condition as a
//! whole one. The names of blocks hold the mark of their put, so that two puts under one key cannot
//! mix theirs. How those of no list are dropped: see [`ending`].

mod ending;
mod listing;
mod options;
mod words;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use md5::{Digest, Md5};
use object_store::azure::{AzureAuthorizer, AzureCredential};
use object_store::client::HttpRequest;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, Url};
use respaldo_domain::object::ObjectKey;
use respaldo_domain::second_place::Provider;
use respaldo_engine::ports::{Fault, FaultKind};

use super::ObjectStoreSink;
use super::parts::{Part, Shape};
use super::place::{self, Place};
use super::store::{Begun, Found, Page, Put, Receipt, Store, Unfinished, Upload};
use super::wire::{Answer, Ask, Signer, Wire};
use super::xml;
use crate::Kind;

pub use options::Options;

/// Name of this kind of sink in the configuration.
pub const KIND: &str = "azure";

/// How it is configured.
pub(crate) const DECLARED: Kind = Kind {
    name: KIND,
    options: options::NAMES,
    secrets: &["access_key", "sas_token"],
    files: &["ca_file"],
    folder: Some("prefix"),
    provider: Provider::Azure,
    make: |wanted| {
        let options: Options = crate::options(wanted.options)?;
        let sink = ObjectStoreSink::new(wanted.name, options.store()?, wanted.notes)?;
        Ok(Arc::new(sink))
    },
};

/// Names of metadata are identifiers here.
const MARK: &str = "x-ms-meta-respaldo_put";
/// How long the store may take to make one object of all its blocks.
const COMPLETION_LIMIT: Duration = Duration::from_mins(10);

/// A container of Azure.
struct Azure {
    place: Place,
    wire: Wire,
    account: String,
    /// Address of the container itself.
    container: Url,
    credential: AzureCredential,
}

impl Azure {
    fn object(&self, method: Method, key: &ObjectKey) -> Ask {
        Ask::new(method, place::below(&self.container, &self.place.name(key)))
    }

    async fn look(&self, key: &ObjectKey) -> Result<Answer, Fault> {
        let ask = self.object(Method::HEAD, key);
        self.send("look for", key, &ask).await
    }

    async fn send(&self, doing: &str, key: &ObjectKey, ask: &Ask) -> Result<Answer, Fault> {
        let subject = format!("{doing} {}", self.place.location(key));
        self.wire.send(self, &subject, ask).await
    }
}

/// Bytes with the checksum that the store holds against them.
fn carrying(ask: Ask, body: Bytes) -> Ask {
    ask.header("content-md5", base64(&Md5::digest(&body)))
        .header("content-length", body.len().to_string())
        .body(body)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

/// The name of a block: all of one object have the same length.
fn block_id(put: &Put, number: u64) -> String {
    base64(format!("{}-{number:06}", put.mark).as_bytes())
}

impl Signer for Azure {
    async fn sign(&self, request: &mut HttpRequest, _: Option<[u8; 32]>) -> Result<(), Fault> {
        AzureAuthorizer::new(&self.credential, &self.account)
            .try_authorize(request)
            .map_err(|error| Fault::new(FaultKind::Internal, "sign a request", error))
    }

    fn explain(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> (FaultKind, String) {
        words::explain(status, headers, body)
    }
}

impl Store for Azure {
    const SHAPE: Shape = Shape {
        // 50,000 blocks of 4000 MiB.
        max_object_bytes: 50_000 * 4000 * 1024 * 1024,
        max_parts: 50_000,
        at_once: 2,
    };
    const ENDS_AT_ONCE: bool = false;

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
        if ending::is_of(&answer.headers) {
            let subject = format!("look for {}", self.place.location(key));
            return Err(Fault::bare(FaultKind::NotFound, subject));
        }
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

    fn is_object(&self, headers: &HeaderMap) -> bool {
        !ending::is_of(headers)
    }

    async fn page(&self, prefix: &str, after: Option<&str>) -> Result<Page, Fault> {
        let listing = self.listing(prefix, after).await?;
        Ok(Page {
            found: listing.objects().collect(),
            next: listing.next().map(str::to_owned),
        })
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), Fault> {
        let ask = self
            .object(Method::DELETE, key)
            .header("x-ms-delete-snapshots", "include");
        match self.send("delete", key, &ask).await {
            Err(fault) if fault.kind != FaultKind::NotFound => Err(fault),
            _ => Ok(()),
        }
    }

    async fn put_whole(&self, put: &Put, whole: Part) -> Result<(), Fault> {
        let ask = self
            .object(Method::PUT, &put.key)
            .header("x-ms-blob-type", "BlockBlob")
            .header("if-none-match", "*")
            .header(MARK, &put.mark);
        let ask = carrying(ask, whole.body);
        match self.send("put", &put.key, &ask).await {
            Err(fault) if fault.kind == FaultKind::Exists && self.clear(&put.key).await? => {
                self.send("put", &put.key, &ask).await.map(drop)
            }
            put => put.map(drop),
        }
    }

    async fn begin(&self, put: &Put) -> Result<Begun, Fault> {
        self.clear(&put.key).await?;
        // Blocks need no beginning; their names hold the mark.
        let (id, repeated) = (put.mark.clone(), false);
        Ok(Begun { id, repeated })
    }

    async fn put_part(&self, upload: &Upload, part: Part) -> Result<Receipt, Fault> {
        let receipt = Receipt {
            number: part.number,
            size_bytes: part.body.len() as u64,
            tag: block_id(&upload.put, part.number),
            checksum: None,
        };
        let ask = self
            .object(Method::PUT, &upload.put.key)
            .query("comp", "block")
            .query("blockid", &receipt.tag);
        let ask = carrying(ask, part.body);
        let doing = format!("put part {} of", part.number);
        self.send(&doing, &upload.put.key, &ask).await?;
        Ok(receipt)
    }

    async fn complete(
        &self,
        upload: &Upload,
        mut receipts: Vec<Receipt>,
        last: Part,
    ) -> Result<(), Fault> {
        receipts.push(self.put_part(upload, last).await?);
        let ask = self
            .object(Method::PUT, &upload.put.key)
            .query("comp", "blocklist")
            .header("if-none-match", "*")
            .header(MARK, &upload.put.mark);
        let ask = carrying(ask, block_list(&receipts).into()).patience(COMPLETION_LIMIT);
        self.send("complete", &upload.put.key, &ask).await.map(drop)
    }

    async fn abort(&self, upload: &Upload) -> Result<(), Fault> {
        self.end(upload).await
    }

    /// Blocks of no list are in no listing with their age: those that a crash leaves are noted. What
    /// ended an upload is not dropped by the store.
    async fn unfinished(&self) -> Result<Vec<Unfinished>, Fault> {
        self.endings().await
    }
}

fn block_list(receipts: &[Receipt]) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>".to_owned();
    for receipt in receipts {
        let id = xml::escaped(&receipt.tag);
        let _ = write!(text, "<Uncommitted>{id}</Uncommitted>");
    }
    text + "</BlockList>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_two_puts_never_share_a_name() {
        let key = ObjectKey::parse("x").unwrap();
        let (one, other) = (Put::new(&key, 1), Put::new(&key, 1));
        assert_ne!(block_id(&one, 1), block_id(&other, 1));
        assert_eq!(block_id(&one, 1).len(), block_id(&other, 50_000).len());
    }
}
