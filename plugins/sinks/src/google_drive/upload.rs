//! Resumable uploads: a session that knows the size beforehand, and pieces that can be sent again.
//!
//! A file appears with the last piece, whole; a session that never gets there shows nothing and ends
//! by itself within a week. The source cannot be read twice, so a piece is kept until it is
//! acknowledged, and a session that is lost after its first acknowledgement fails the put.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, LOCATION, RANGE};
use reqwest::{Method, Response, StatusCode, Url};
use respaldo_engine::ports::{Fault, FaultKind};
use serde_json::Value;

use super::answer::Trouble;
use super::api::{Api, Call, FIELDS, File, REQUEST_LIMIT, body_of};
use super::pace::Pace;
use crate::notes::{self, Note};

const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("x-upload-content-length");
const UPLOAD_TYPE: HeaderName = HeaderName::from_static("x-upload-content-type");
const BYTES: &str = "application/octet-stream";
/// Longest wait for one piece: that of a line of 14 kB a second.
const PIECE_LIMIT: Duration = Duration::from_mins(10);
/// How often a session that took nothing is begun anew.
const SESSIONS: u32 = 3;

/// An upload on its way.
pub(super) struct Upload<'a> {
    api: &'a Api,
    subject: &'a str,
    metadata: Value,
    total: u64,
    session: Option<Url>,
    begun: u32,
    /// For whoever comes after the death of this process.
    note: Option<Note>,
}

/// A piece of the source, and where it lies in it.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) at: u64,
    pub(super) bytes: Bytes,
}

/// How far a session is.
#[derive(Debug)]
enum Reached {
    /// It has the bytes before this one.
    Byte(u64),
    /// It has all, and this is the file.
    End(Box<File>),
    /// It is not there any more.
    Lost,
}

impl<'a> Upload<'a> {
    pub(super) fn new(
        api: &'a Api,
        subject: &'a str,
        metadata: Value,
        total: u64,
        note: Option<Note>,
    ) -> Self {
        Self {
            api,
            subject,
            metadata,
            total,
            session: None,
            begun: 0,
            note,
        }
    }

    /// Sends a piece until all of it is acknowledged; gives the file with the last.
    pub(super) async fn send(&mut self, mut piece: Piece) -> Result<Option<File>, Fault> {
        let (end, mut pace) = (piece.end(), Pace::default());
        loop {
            let session = self.session().await?;
            match self.push(&session, &piece).await? {
                Reached::End(file) => {
                    self.forget();
                    return Ok(Some(*file));
                }
                Reached::Byte(at) if at == end && at < self.total => return Ok(None),
                Reached::Byte(at) if at > piece.at && at < end => {
                    pace.reset();
                    piece.skip_to(at);
                }
                Reached::Byte(at) if at == piece.at => {
                    let fault = self.fault("the upload does not get on");
                    pace.pause(Trouble::passing(fault)).await?;
                }
                Reached::Lost if piece.at == 0 && self.begun < SESSIONS => self.session = None,
                Reached::Lost => return Err(self.fault("the upload has expired half-way")),
                Reached::Byte(at) => {
                    let why = format!("the upload is at byte {at}, which is not where it can be");
                    return Err(self.fault(why));
                }
            }
        }
    }

    /// Tells Drive that nothing more comes.
    pub(super) async fn abandon(&mut self) -> Result<(), Fault> {
        if let Some(session) = &self.session {
            end(self.api, session.as_str(), self.subject).await?;
        }
        self.forget();
        Ok(())
    }

    /// Nothing is left of it.
    fn forget(&mut self) {
        if let Some(note) = self.note.take() {
            note.remove();
        }
    }

    async fn session(&mut self) -> Result<Url, Fault> {
        if let Some(session) = &self.session {
            return Ok(session.clone());
        }
        let query = [("uploadType", "resumable"), ("fields", FIELDS)];
        let call = Call::new(Method::POST, self.api.url("upload/drive/v3/files", &query))
            .json(&self.metadata)
            .header(UPLOAD_TYPE, BYTES)
            .header(UPLOAD_LENGTH, self.total.to_string());
        let answer = self.api.answer(&call, self.subject).await?;
        let location = answer
            .headers
            .get(LOCATION)
            .and_then(|text| text.to_str().ok());
        let session = location.and_then(|text| Url::parse(text).ok());
        let session = session.filter(|session| self.api.trusts(session));
        let session = session.ok_or_else(|| self.fault("Drive gave no address to upload to"))?;
        self.begun += 1;
        notes::note_id(self.note.as_mut(), session.as_str());
        self.session = Some(session.clone());
        Ok(session)
    }

    /// Sends a piece; after trouble first asks how far the session is.
    async fn push(&self, session: &Url, piece: &Piece) -> Result<Reached, Fault> {
        let mut pace = Pace::default();
        let mut tried = self.put(session, piece).await;
        loop {
            match tried {
                Ok(reached) => return Ok(reached),
                Err(trouble) => pace.pause(trouble).await?,
            }
            tried = match self.status(session).await {
                Ok(Reached::Byte(at)) if at == piece.at => self.put(session, piece).await,
                other => other,
            };
        }
    }

    async fn put(&self, session: &Url, piece: &Piece) -> Result<Reached, Trouble> {
        let mut call = Call::new(Method::PUT, session.clone());
        call.limit = Some(PIECE_LIMIT);
        call.body = Some(piece.bytes.clone());
        call = match piece.bytes.len() {
            // An empty range cannot be written down.
            0 => call.header(CONTENT_LENGTH, "0"),
            _ => call.header(CONTENT_RANGE, piece.content_range(self.total)),
        };
        let response = self.api.once(&call, self.subject).await?;
        self.reached(response).await
    }

    async fn status(&self, session: &Url) -> Result<Reached, Trouble> {
        let mut call = Call::new(Method::PUT, session.clone())
            .header(CONTENT_RANGE, format!("bytes */{}", self.total))
            .header(CONTENT_LENGTH, "0");
        call.limit = Some(REQUEST_LIMIT);
        let response = self.api.once(&call, self.subject).await?;
        self.reached(response).await
    }

    async fn reached(&self, response: Response) -> Result<Reached, Trouble> {
        let (status, headers) = (response.status(), response.headers().clone());
        match status {
            StatusCode::PERMANENT_REDIRECT => {
                let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
                return Ok(Reached::Byte(acknowledged(range)));
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(Reached::Lost),
            _ => {}
        }
        let body = body_of(response, self.subject).await?;
        if !status.is_success() {
            return Err(Trouble::refused(self.subject, status, &headers, &body));
        }
        let file = serde_json::from_slice(&body);
        let file = file.map_err(|_| Trouble::passing(self.fault("Drive tells of no file")))?;
        Ok(Reached::End(Box::new(file)))
    }

    fn fault(&self, why: impl Into<String>) -> Fault {
        Fault::new(FaultKind::Unavailable, self.subject, why.into())
    }
}

/// Ends an upload; Ok where Drive does not know it.
pub(super) async fn end(api: &Api, session: &str, subject: &str) -> Result<(), Fault> {
    let Some(session) = Url::parse(session)
        .ok()
        .filter(|session| api.trusts(session))
    else {
        return Ok(());
    };
    let call = Call::new(Method::DELETE, session).header(CONTENT_LENGTH, "0");
    let told = api.once(&call, subject).await;
    told.map(drop).map_err(|trouble| trouble.fault)
}

impl Piece {
    fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }

    fn skip_to(&mut self, at: u64) {
        self.bytes = self.bytes.slice((at - self.at) as usize..);
        self.at = at;
    }

    fn content_range(&self, total: u64) -> String {
        format!("bytes {}-{}/{total}", self.at, self.end() - 1)
    }
}

/// How many bytes `bytes=0-N` acknowledges; without a range none.
fn acknowledged(range: Option<&str>) -> u64 {
    let last = range.and_then(|range| range.rsplit('-').next()?.parse::<u64>().ok());
    last.map_or(0, |last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_acknowledges_through_its_last_byte() {
        assert_eq!(acknowledged(None), 0);
        assert_eq!(acknowledged(Some("bytes=0-0")), 1);
        assert_eq!(acknowledged(Some("bytes=0-262143")), 262_144);
    }

    #[test]
    fn a_piece_of_which_a_part_arrived_is_sent_from_there() {
        let mut piece = Piece {
            at: 100,
            bytes: Bytes::from_static(b"0123456789"),
        };
        assert_eq!(piece.content_range(200), "bytes 100-109/200");
        piece.skip_to(104);
        assert_eq!(piece.content_range(200), "bytes 104-109/200");
        assert_eq!(&piece.bytes[..], b"456789");
    }
}
