//! A page of the container's listing.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use reqwest::Method;
use respaldo_engine::ports::Fault;
use serde::Deserialize;

use super::super::wire::Ask;
use super::super::xml;
use super::Azure;

/// A page, as the store writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    blobs: Blobs,
    next_marker: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Blobs {
    #[serde(default, rename = "Blob")]
    blobs: Vec<Blob>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Blob {
    name: String,
    properties: Properties,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Properties {
    #[serde(rename = "Content-Length")]
    content_length: u64,
    #[serde(default, rename = "Last-Modified")]
    last_modified: String,
}

/// What ended an upload.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ending<'a> {
    /// The mark of the upload.
    pub(super) mark: &'a str,
    pub(super) made_at: DateTime<Utc>,
}

impl Blob {
    /// The mark of the upload that it ended, if it is no object. Whoever passes a request on may write
    /// the names of headers in other letters.
    fn ended(&self) -> Option<&str> {
        let mut named = self.metadata.iter();
        let ended = named.find(|(name, _)| name.eq_ignore_ascii_case("respaldo_ended"));
        ended.map(|(_, mark)| mark.as_str())
    }
}

impl Listing {
    /// Names and sizes of the objects.
    pub(super) fn objects(&self) -> impl Iterator<Item = (String, u64)> {
        let blobs = self.blobs.blobs.iter();
        let objects = blobs.filter(|blob| blob.ended().is_none());
        objects.map(|blob| (blob.name.clone(), blob.properties.content_length))
    }

    /// What is no object, by its name. A mark becomes a part of an address: one that is none of ours
    /// must not lead to another object.
    pub(super) fn endings(&self) -> impl Iterator<Item = (&str, Ending<'_>)> {
        self.blobs.blobs.iter().filter_map(|blob| {
            let made_at = DateTime::parse_from_rfc2822(&blob.properties.last_modified).ok()?;
            let ending = Ending {
                mark: blob.ended().filter(|mark| is_mark(mark))?,
                made_at: made_at.to_utc(),
            };
            Some((blob.name.as_str(), ending))
        })
    }

    /// What to ask the next page with.
    pub(super) fn next(&self) -> Option<&str> {
        self.next_marker.as_deref().filter(|next| !next.is_empty())
    }
}

fn is_mark(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl Azure {
    /// The page of keys that start with `prefix` after a marker.
    pub(super) async fn listing(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Listing, Fault> {
        let subject = format!("list {}", self.place.address());
        let mut ask = Ask::new(Method::GET, self.container.clone())
            .query("restype", "container")
            .query("comp", "list")
            .query("include", "metadata")
            .query("prefix", &self.place.names(prefix));
        if let Some(after) = after {
            ask = ask.query("marker", after);
        }
        let answer = self.wire.send(self, &subject, &ask).await?;
        xml::answer(&subject, &answer.body)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn an_empty_listing_is_one() {
        let body = Bytes::from_static(
            b"\xef\xbb\xbf<?xml version=\"1.0\"?><EnumerationResults><Prefix>x</Prefix><Blobs />\
              <NextMarker /></EnumerationResults>",
        );
        let listing: Listing = xml::answer("x", &body).unwrap();
        assert_eq!(listing.objects().count(), 0);
        assert_eq!(listing.next(), None);
    }

    #[test]
    fn what_ended_an_upload_is_no_object() {
        let blob = |name: &str, metadata: &str| {
            format!(
                "<Blob><Name>{name}</Name><Properties><Last-Modified>Sun, 29 Nov 2026 21:05:31 GMT\
                 </Last-Modified><Content-Length>0</Content-Length></Properties>{metadata}</Blob>"
            )
        };
        let body = format!(
            "<EnumerationResults><Blobs>{}{}{}{}</Blobs><NextMarker>2!x</NextMarker></EnumerationResults>",
            blob(
                "a",
                "<Metadata><respaldo_put>1</respaldo_put><other>2</other></Metadata>"
            ),
            blob(
                "b",
                "<Metadata><Respaldo_Ended>mark</Respaldo_Ended></Metadata>"
            ),
            blob("c", "<Metadata />"),
            blob(
                "d",
                "<Metadata><respaldo_ended>x/../../full/y</respaldo_ended></Metadata>"
            ),
        );
        let listing: Listing = xml::answer("x", &Bytes::from(body)).unwrap();
        let objects: Vec<(String, u64)> = listing.objects().collect();
        assert_eq!(objects, [("a".to_owned(), 0), ("c".to_owned(), 0)]);
        let made_at = "2026-11-29T21:05:31Z".parse().unwrap();
        let mark = "mark";
        let endings: Vec<_> = listing.endings().collect();
        assert_eq!(endings, [("b", Ending { mark, made_at })]);
        assert_eq!(listing.next(), Some("2!x"));
    }
}
