//! Bytes out of a file: a range, taken up again where a connection broke.

use std::io::Write;
use std::ops::Range;
use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode};
use respaldo_engine::ports::{Fault, FaultKind};
use respaldo_engine::store::fault_of_io;

use super::answer::Trouble;
use super::api::{Api, Call, File, body_of};
use super::checksums::Tally;
use super::pace::Pace;
use crate::remote::SILENCE_LIMIT;

/// A range on its way out.
pub(super) struct Download<'a> {
    api: &'a Api,
    file: &'a File,
    subject: String,
    at: u64,
    end: u64,
    tally: Tally,
}

impl<'a> Download<'a> {
    pub(super) fn new(api: &'a Api, file: &'a File, range: Range<u64>) -> Self {
        Self {
            api,
            file,
            subject: format!("read {} from Google Drive", file.name),
            at: range.start,
            end: range.end,
            tally: Tally::default(),
        }
    }

    /// Writes the range; what is whole is compared with its checksums at the end.
    pub(super) async fn run(mut self, into: &mut (dyn Write + Send)) -> Result<(), Fault> {
        let (whole, begin) = (self.at == 0 && Some(self.end) == self.file.size, self.at);
        let mut pace = Pace::default();
        while self.at < self.end {
            let before = self.at;
            let read = self.read(into).await;
            if self.at > before {
                pace.reset();
            }
            match read {
                Ok(()) => {}
                Err(trouble) if trouble.fault.kind == FaultKind::NotFound && self.at > begin => {
                    return Err(self.fault(FaultKind::Corrupt, "it was deleted meanwhile"));
                }
                Err(trouble) => pace.pause(trouble).await?,
            }
        }
        match whole {
            true => self.tally.ensure(self.file, &self.subject),
            false => Ok(()),
        }
    }

    async fn read(&mut self, into: &mut (dyn Write + Send)) -> Result<(), Trouble> {
        let mut response = self.ask().await?;
        while self.at < self.end {
            let piece = self.within(SILENCE_LIMIT, response.chunk()).await?;
            let Some(piece) = piece.map_err(|error| Trouble::unanswered(&self.subject, error))?
            else {
                let early = self.fault(FaultKind::Unavailable, "the answer ended early");
                return Err(Trouble::passing(early));
            };
            let wanted = piece.len().min((self.end - self.at) as usize);
            let piece = &piece[..wanted];
            let handed_out = into.write_all(piece);
            handed_out.map_err(|error| {
                Trouble::lasting(fault_of_io(format!("hand out {}", self.file.name), error))
            })?;
            self.tally.add(piece);
            self.at += piece.len() as u64;
        }
        Ok(())
    }

    async fn ask(&self) -> Result<Response, Trouble> {
        let url = self.api.file_url(&self.file.id, &[("alt", "media")]);
        let mut call = Call::new(Method::GET, url);
        call = call.header(RANGE, format!("bytes={}-{}", self.at, self.end - 1));
        call.limit = None;
        let sent = self.api.once(&call, &self.subject);
        let response = self.within(SILENCE_LIMIT, sent).await??;
        match response.status() {
            StatusCode::PARTIAL_CONTENT if self.begins_here(&response) => Ok(response),
            StatusCode::OK if self.at == 0 => Ok(response),
            status if status.is_success() => {
                let why = "the server (or something before it) takes no notice of ranges";
                Err(Trouble::lasting(self.fault(FaultKind::Invalid, why)))
            }
            status => {
                let headers = response.headers().clone();
                let body = self
                    .within(SILENCE_LIMIT, body_of(response, &self.subject))
                    .await??;
                Err(Trouble::refused(&self.subject, status, &headers, &body))
            }
        }
    }

    fn begins_here(&self, response: &Response) -> bool {
        let range = response
            .headers()
            .get(CONTENT_RANGE)
            .and_then(|range| range.to_str().ok());
        range.is_some_and(|range| range.starts_with(&format!("bytes {}-", self.at)))
    }

    async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Trouble> {
        let done = tokio::time::timeout(limit, work).await;
        done.map_err(|_| Trouble::passing(self.fault(FaultKind::Unavailable, "no answer in time")))
    }

    fn fault(&self, kind: FaultKind, why: &'static str) -> Fault {
        Fault::new(kind, self.subject.as_str(), why)
    }
}
