//! Reading a range of a file.

use std::io::Write;
use std::ops::Range;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind};
use respaldo_engine::store::fault_of_io;
use url::Url;

use super::requests::{Requests, refusal, send};
use crate::remote::{Driver, SILENCE_LIMIT, unanswered};

/// An answer whose bytes are handed out.
pub(super) struct Reading {
    url: Url,
    answer: Response,
    /// Bytes before the range, from a server that gives the whole file all the same.
    skip: u64,
    left: u64,
}

impl Reading {
    /// Asks for a range that is not empty.
    pub(super) async fn begin(
        requests: &Requests,
        url: &Url,
        range: Range<u64>,
    ) -> Result<Self, Fault> {
        let asked = format!("bytes={}-{}", range.start, range.end - 1);
        let request = requests
            .request(Method::GET, url)
            // Compressed on the way, a range would be one of other bytes.
            .header(ACCEPT_ENCODING, "identity")
            .header(RANGE, asked);
        let answer = send(url, request).await?;
        let skip = match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                ensure_asked(answer.headers().get(CONTENT_RANGE), &range, url)?;
                0
            }
            StatusCode::OK => range.start,
            _ => return Err(refusal(url, answer).await),
        };
        Ok(Self {
            url: url.clone(),
            answer,
            skip,
            left: range.end - range.start,
        })
    }

    /// Writes the bytes to `into`.
    pub(super) fn hand_out(
        mut self,
        driver: &Driver,
        into: (&ObjectKey, &mut (dyn Write + Send)),
        cx: &Context,
    ) -> Result<(), Fault> {
        let (key, into) = into;
        while self.left > 0 {
            let url = self.url.clone();
            let chunk = driver.wait(url.as_str(), SILENCE_LIMIT, cx, async {
                let chunk = self.answer.chunk().await;
                chunk.map_err(|error| unanswered(format!("read {url}"), error))
            })?;
            let cut = || {
                Fault::bare(
                    FaultKind::Corrupt,
                    format!("{key} was cut while it was read"),
                )
            };
            let part = self.part_of(chunk.ok_or_else(cut)?);
            into.write_all(&part)
                .map_err(|error| fault_of_io(format!("hand out {key}"), error))?;
        }
        Ok(())
    }

    /// What of a chunk lies in the range.
    fn part_of(&mut self, mut chunk: Bytes) -> Bytes {
        let skipped = self.skip.min(chunk.len() as u64);
        self.skip -= skipped;
        let mut part = chunk.split_off(skipped as usize);
        part.truncate(self.left.min(part.len() as u64) as usize);
        self.left -= part.len() as u64;
        part
    }
}

fn ensure_asked(told: Option<&HeaderValue>, range: &Range<u64>, url: &Url) -> Result<(), Fault> {
    let told = told.and_then(|told| told.to_str().ok()).unwrap_or_default();
    if bounds(told) == Some((range.start, range.end - 1)) {
        return Ok(());
    }
    let subject = format!(
        "{url} was asked for bytes {}-{} and gives {told:?}",
        range.start,
        range.end - 1
    );
    Err(Fault::bare(FaultKind::Corrupt, subject))
}

/// First and last byte of `bytes 0-9/100`.
fn bounds(told: &str) -> Option<(u64, u64)> {
    let (range, _) = told.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_and_nonsense_is_none() {
        assert_eq!(bounds("bytes 5-9/100"), Some((5, 9)));
        assert_eq!(bounds("bytes 5-9/*"), Some((5, 9)));
        for nonsense in ["", "bytes */100", "bytes 5-/9", "lines 1-2/3", "bytes 1-2"] {
            assert_eq!(bounds(nonsense), None, "{nonsense}");
        }
    }
}
