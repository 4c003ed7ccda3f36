//! Uploads of several parts.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::Method;
use respaldo_engine::ports::{Fault, FaultKind};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::super::parts::Part;
use super::super::store::{Begun, Put, Receipt, Unfinished, Upload};
use super::super::wire::Ask;
use super::super::xml;
use super::{S3, decoded};

/// How long a store may take to make one object of ten thousand parts.
const COMPLETION_LIMIT: Duration = Duration::from_mins(10);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Initiated {
    upload_id: String,
}

/// A page of the uploads that were begun.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Uploads {
    #[serde(default, rename = "Upload")]
    listed: Vec<Listed>,
    is_truncated: Option<bool>,
    next_key_marker: Option<String>,
    next_upload_id_marker: Option<String>,
    encoding_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    key: String,
    upload_id: String,
    initiated: DateTime<Utc>,
}

impl Uploads {
    /// Where the next page begins.
    fn next(&self) -> Option<(String, String)> {
        let key = self.next_key_marker.as_ref().filter(|key| !key.is_empty());
        match (self.is_truncated, key) {
            (Some(true), Some(key)) => Some((
                decoded(key, self.encoding_type.as_deref()),
                self.next_upload_id_marker.clone().unwrap_or_default(),
            )),
            _ => None,
        }
    }
}

impl S3 {
    pub(super) async fn begin_upload(&self, put: &Put) -> Result<Begun, Fault> {
        let subject = format!("begin to put {}", self.place.location(&put.key));
        let mut ask = self
            .making(Method::POST, put)
            .query("uploads", "")
            .sha256(Some(Sha256::digest([]).into()));
        if self.extras.checksum {
            ask = ask.header("x-amz-checksum-algorithm", "SHA256");
        }
        let answer = self.wire.send(self, &subject, &ask).await?;
        let initiated: Initiated = xml::answer(&subject, &answer.body)?;
        Ok(Begun {
            id: initiated.upload_id,
            repeated: answer.tries > 1,
        })
    }

    pub(super) async fn send_part(&self, upload: &Upload, part: Part) -> Result<Receipt, Fault> {
        let location = self.place.location(&upload.put.key);
        let subject = format!("put part {} of {location}", part.number);
        let size_bytes = part.body.len() as u64;
        let ask = self
            .object(Method::PUT, &upload.put.key)
            .query("partNumber", &part.number.to_string())
            .query("uploadId", &upload.id);
        let (ask, checksum) = self.carrying(ask, part.body);
        let answer = self.wire.send(self, &subject, &ask).await?;
        let tag = answer.header("etag").map(str::to_owned).ok_or_else(|| {
            let why = "the store gives no ETag for the part";
            Fault::new(FaultKind::Invalid, &*subject, why)
        })?;
        Ok(Receipt {
            number: part.number,
            size_bytes,
            tag,
            checksum,
        })
    }

    pub(super) async fn complete_upload(
        &self,
        upload: &Upload,
        receipts: &[Receipt],
    ) -> Result<(), Fault> {
        let subject = format!("complete {}", self.place.location(&upload.put.key));
        let body = Bytes::from(completion(receipts));
        let sha256 = Sha256::digest(&body).into();
        let ask = self
            .object(Method::POST, &upload.put.key)
            .query("uploadId", &upload.id)
            .header("if-none-match", "*")
            .header("content-type", "application/xml")
            .body(body)
            .sha256(Some(sha256))
            .patience(COMPLETION_LIMIT);
        self.wire.send(self, &subject, &ask).await.map(drop)
    }

    pub(super) async fn unfinished_uploads(&self) -> Result<Vec<Unfinished>, Fault> {
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let page = self.uploads_page(next.as_ref()).await?;
            let after = page.next();
            let encoding = page.encoding_type;
            found.extend(page.listed.into_iter().filter_map(|listed| {
                let key = self.place.key(&decoded(&listed.key, encoding.as_deref()))?;
                Some(Unfinished {
                    upload: Upload {
                        put: Put::new(&key, 0),
                        id: listed.upload_id,
                    },
                    begun_at: listed.initiated,
                })
            }));
            if after.is_none() || after == next {
                return Ok(found);
            }
            next = after;
        }
    }

    async fn uploads_page(&self, after: Option<&(String, String)>) -> Result<Uploads, Fault> {
        let subject = format!("list unfinished uploads of {}", self.place.address());
        let mut ask = Ask::new(Method::GET, self.bucket.clone())
            .query("uploads", "")
            .query("encoding-type", "url")
            .query("prefix", &self.place.names(""));
        if let Some((key, id)) = after {
            ask = ask.query("key-marker", key).query("upload-id-marker", id);
        }
        let answer = self.wire.send(self, &subject, &ask).await?;
        xml::answer(&subject, &answer.body)
    }
}

fn completion(receipts: &[Receipt]) -> String {
    let mut text =
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
    for receipt in receipts {
        let checksum = receipt.checksum.as_ref().map_or(String::new(), |checksum| {
            format!(
                "<ChecksumSHA256>{}</ChecksumSHA256>",
                xml::escaped(checksum)
            )
        });
        let _ = write!(
            text,
            "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>{checksum}</Part>",
            receipt.number,
            xml::escaped(&receipt.tag)
        );
    }
    text + "</CompleteMultipartUpload>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_uploads_tells_what_it_holds_and_where_the_next_begins() {
        let body = Bytes::from_static(
            b"<?xml version=\"1.0\"?><ListMultipartUploadsResult xmlns=\"x\"><Bucket>b</Bucket>\
              <NextKeyMarker>full%2Fy</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker>\
              <IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>\
              <Upload><Key>full%2Fx</Key><UploadId>1</UploadId><Owner><ID>o</ID></Owner>\
              <Initiated>2026-11-10T20:48:33.000Z</Initiated></Upload>\
              <Upload><Key>full%2Fy</Key><UploadId>2</UploadId>\
              <Initiated>2026-11-10T20:48:34.000Z</Initiated></Upload></ListMultipartUploadsResult>",
        );
        let page: Uploads = xml::answer("x", &body).unwrap();
        assert_eq!(page.listed.len(), 2);
        assert_eq!(page.next(), Some(("full/y".to_owned(), "2".to_owned())));
    }

    #[test]
    fn a_completion_names_each_part_and_its_checksum() {
        let receipt = Receipt {
            number: 1,
            size_bytes: 1,
            tag: "\"e\"".to_owned(),
            checksum: Some("c=".to_owned()),
        };
        let text = completion(&[receipt]);
        assert!(text.contains(
            "<Part><PartNumber>1</PartNumber><ETag>&quot;e&quot;</ETag>\
             <ChecksumSHA256>c=</ChecksumSHA256></Part>"
        ));
    }
}
