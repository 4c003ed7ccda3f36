//! Resumable sessions.

use std::time::Duration;

use crc_fast::{CrcAlgorithm, checksum_combine};
use reqwest::{Method, StatusCode, Url};
use respaldo_engine::ports::{Fault, FaultKind};

use super::super::parts::Part;
use super::super::store::{Put, Receipt, Upload};
use super::super::wire::{Answer, Ask, Setback};
use super::{Gcs, Resource, crc_of, resource};

/// How long the store may take over the last chunk.
const COMPLETION_LIMIT: Duration = Duration::from_mins(10);

/// What is remembered of a chunk: its checksum.
pub(super) fn receipt(part: &Part) -> Receipt {
    Receipt {
        number: part.number,
        size_bytes: part.body.len() as u64,
        tag: crc_of(&part.body).to_string(),
        checksum: None,
    }
}

/// The checksum of all chunks together.
pub(super) fn crc_of_all(receipts: &[Receipt], last: &Part) -> u64 {
    let chunks = receipts
        .iter()
        .map(|receipt| (receipt.tag.parse().unwrap_or_default(), receipt.size_bytes));
    let last = (crc_of(&last.body), last.body.len() as u64);
    chunks.chain([last]).fold(0, |whole, (crc, size_bytes)| {
        checksum_combine(CrcAlgorithm::Crc32Iscsi, whole, crc, size_bytes)
    })
}

/// What the store says of a session.
enum Progress {
    /// It has so many bytes and waits for more.
    Has(u64),
    /// It has made the object.
    Made(Resource),
}

impl Gcs {
    pub(super) async fn begin_session(&self, put: &Put) -> Result<String, Fault> {
        let location = self.place.location(&put.key);
        let subject = format!("begin to put {location}");
        let description = self.description(put).to_string();
        let ask = self
            .uploading("resumable")
            .query("name", &self.place.name(&put.key))
            .header("content-type", "application/json; charset=UTF-8")
            .header("x-upload-content-length", put.size_bytes.to_string())
            .body(description.into());
        let answer = self.wire.send(self, &subject, &ask).await?;
        let session = answer.header("location").and_then(|at| Url::parse(at).ok());
        // Our token goes with every chunk, so no other server may be named.
        match session.filter(|session| session.origin() == self.endpoint.origin()) {
            Some(session) => Ok(session.into()),
            None => {
                let why = "the store names no session on the same server";
                Err(Fault::new(FaultKind::Invalid, subject, why))
            }
        }
    }

    pub(super) async fn end_session(&self, upload: &Upload) -> Result<(), Fault> {
        let subject = format!("end an upload of {}", self.place.location(&upload.put.key));
        let ask = Ask::new(Method::DELETE, session(upload)?);
        // It answers 499 when it has done so; what it does not end it forgets.
        let _ = self.wire.once(self, &subject, &ask).await;
        Ok(())
    }

    /// Sends a chunk until the store has all of it, asking after each setback how much it has.
    pub(super) async fn send_chunk(
        &self,
        upload: &Upload,
        part: Part,
        size_bytes: Option<u64>,
    ) -> Result<Option<Resource>, Fault> {
        let location = self.place.location(&upload.put.key);
        let subject = format!("put bytes from {} of {location}", part.offset);
        let end = part.offset + part.body.len() as u64;
        let mut from = part.offset;
        let mut tries = 0;
        while size_bytes.is_some() || from < end {
            tries += 1;
            match self
                .send_rest(upload, &subject, &part, from, size_bytes)
                .await
            {
                Ok(Progress::Made(made)) => return Ok(Some(made)),
                Ok(Progress::Has(upto)) if upto > from && upto <= end => {
                    from = upto;
                    tries = 0;
                }
                Ok(Progress::Has(_)) => stalled(&subject).pause(tries).await?,
                Err(setback) => {
                    setback.pause(tries).await?;
                    match self.ask_progress(upload, &subject).await? {
                        Progress::Made(made) => return Ok(Some(made)),
                        Progress::Has(upto) if (from..=end).contains(&upto) => from = upto,
                        Progress::Has(_) => return Err(lost(&subject)),
                    }
                }
            }
        }
        Ok(None)
    }

    async fn send_rest(
        &self,
        upload: &Upload,
        subject: &str,
        part: &Part,
        from: u64,
        size_bytes: Option<u64>,
    ) -> Result<Progress, Setback> {
        let rest = part.body.slice((from - part.offset) as usize..);
        let total = size_bytes.map_or("*".to_owned(), |size| size.to_string());
        let range = match rest.len() as u64 {
            0 => format!("bytes */{total}"),
            length => format!("bytes {from}-{}/{total}", from + length - 1),
        };
        let session = session(upload).map_err(Setback::for_good)?;
        let mut ask = Ask::new(Method::PUT, session)
            .header("content-range", range)
            .body(rest);
        if size_bytes.is_some() {
            ask = ask.patience(COMPLETION_LIMIT);
        }
        let answer = self.wire.once(self, subject, &ask).await?;
        progress(subject, &answer).map_err(Setback::for_good)
    }

    async fn ask_progress(&self, upload: &Upload, subject: &str) -> Result<Progress, Fault> {
        let range = format!("bytes */{}", upload.put.size_bytes);
        let ask = Ask::new(Method::PUT, session(upload)?).header("content-range", range);
        let answer = self.wire.send(self, subject, &ask).await?;
        progress(subject, &answer)
    }
}

fn session(upload: &Upload) -> Result<Url, Fault> {
    Url::parse(&upload.id).map_err(|error| Fault::new(FaultKind::Internal, "a session", error))
}

fn progress(subject: &str, answer: &Answer) -> Result<Progress, Fault> {
    if answer.status != StatusCode::PERMANENT_REDIRECT {
        return Ok(Progress::Made(resource(subject, &answer.body)?));
    }
    let last = answer
        .header("range")
        .and_then(|range| range.rsplit_once('-')?.1.parse::<u64>().ok());
    Ok(Progress::Has(last.map_or(0, |last| last + 1)))
}

fn stalled(subject: &str) -> Setback {
    let why = "the store takes no more bytes";
    Setback::passing(Fault::new(FaultKind::Unavailable, subject, why))
}

fn lost(subject: &str) -> Fault {
    let why = "the store has lost bytes that it had confirmed";
    Fault::new(FaultKind::Unavailable, subject, why)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn the_checksum_of_chunks_is_that_of_the_whole() {
        let whole: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let part = |number: u64, range: std::ops::Range<usize>| Part {
            number,
            offset: range.start as u64,
            body: Bytes::copy_from_slice(&whole[range]),
        };
        let receipts = [
            receipt(&part(1, 0..40_000)),
            receipt(&part(2, 40_000..80_000)),
        ];
        let crc = crc_of_all(&receipts, &part(3, 80_000..100_000));
        assert_eq!(crc, crc_of(&whole));
        assert_eq!(crc_of(b"123456789"), 0xe306_9283);
    }
}
