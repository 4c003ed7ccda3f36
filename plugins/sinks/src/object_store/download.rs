//! A get: the bytes of a range, taken up again where a connection broke.

use std::io::Write;
use std::ops::Range;

use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap};
use reqwest::{Response, StatusCode};
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind};
use respaldo_engine::store::fault_of_io;

use super::ObjectStoreSink;
use super::store::Store;
use super::wire::{Setback, silence, unheard};
use crate::remote::SILENCE_LIMIT;

/// Writes the bytes of `range`, or all, to `into`.
pub(super) fn get<S: Store>(
    sink: &ObjectStoreSink<S>,
    key: &ObjectKey,
    range: Option<Range<u64>>,
    into: &mut (dyn Write + Send),
    cx: &Context,
) -> Result<(), Fault> {
    match range {
        Some(range) if range.start >= range.end => ensure_within(sink, key, &range, cx),
        range => Download::new(sink, key, range, cx).run(into),
    }
}

/// No request can ask for no bytes.
fn ensure_within<S: Store>(
    sink: &ObjectStoreSink<S>,
    key: &ObjectKey,
    range: &Range<u64>,
    cx: &Context,
) -> Result<(), Fault> {
    let found = sink.ask(cx, sink.store.head(key))?;
    match range.start == range.end && range.end <= found.size_bytes {
        true => Ok(()),
        false => Err(outside(key, range)),
    }
}

fn outside(key: &ObjectKey, range: &Range<u64>) -> Fault {
    let subject = format!("{key} does not have bytes {} to {}", range.start, range.end);
    Fault::bare(FaultKind::Corrupt, subject)
}

/// A get under way.
struct Download<'a, S> {
    sink: &'a ObjectStoreSink<S>,
    key: &'a ObjectKey,
    cx: &'a Context,
    /// Next byte to hand out.
    at: u64,
    /// Where to stop; unknown before the first answer when all is wanted.
    end: Option<u64>,
    /// Which object the first answer was of.
    version: Option<Version>,
}

/// What tells an object from another under the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Version {
    size_bytes: u64,
    tag: Option<String>,
}

impl<'a, S: Store> Download<'a, S> {
    fn new(
        sink: &'a ObjectStoreSink<S>,
        key: &'a ObjectKey,
        range: Option<Range<u64>>,
        cx: &'a Context,
    ) -> Self {
        Self {
            sink,
            key,
            cx,
            at: range.as_ref().map_or(0, |range| range.start),
            end: range.map(|range| range.end),
            version: None,
        }
    }

    fn run(mut self, into: &mut (dyn Write + Send)) -> Result<(), Fault> {
        let mut tries = 0;
        loop {
            let from = self.at;
            let Err(setback) = self.stretch(into) else {
                return Ok(());
            };
            // As long as it goes on, however haltingly, it is not given up.
            tries = if self.at > from { 1 } else { tries + 1 };
            self.pause(setback, tries)?;
        }
    }

    fn pause(&self, setback: Setback, tries: u32) -> Result<(), Fault> {
        self.sink.ask(self.cx, setback.pause(tries))
    }

    /// One request, and as much as it gives.
    fn stretch(&mut self, into: &mut (dyn Write + Send)) -> Result<(), Setback> {
        let mut response = self.open()?;
        let end = self.heed(&response).map_err(Setback::for_good)?;
        while self.at < end {
            let bytes = self.chunk(&mut response)?;
            let wanted = bytes.len().min((end - self.at) as usize);
            let written = into.write_all(&bytes[..wanted]);
            written.map_err(|error| {
                let subject = format!("hand out {}", self.key);
                Setback::for_good(fault_of_io(subject, error))
            })?;
            self.at += wanted as u64;
        }
        Ok(())
    }

    fn open(&self) -> Result<Response, Setback> {
        let store = &self.sink.store;
        let mut ask = store.reading(self.key);
        if let Some(range) = self.range_header() {
            ask = ask.header("range", range);
        }
        let subject = format!("get {}", store.place().location(self.key));
        let open = async {
            let opened = store.wire().open(&**store, &subject, &ask);
            let limited = tokio::time::timeout(SILENCE_LIMIT, opened).await;
            Ok(limited.unwrap_or_else(|_| Err(silence(&subject))))
        };
        let opened = self.sink.ask(self.cx, open);
        let opened = opened.map_err(Setback::for_good)?;
        opened.map_err(|setback| match setback.fault.kind {
            FaultKind::Corrupt => Setback::for_good(self.outside_or_absent(setback.fault)),
            _ => setback,
        })
    }

    /// A range outside of what is no object has the same refusal as one outside of an object.
    fn outside_or_absent(&self, outside: Fault) -> Fault {
        let found = self.sink.ask(self.cx, self.sink.store.head(self.key));
        match found {
            Err(fault) if fault.kind == FaultKind::NotFound => fault,
            _ => outside,
        }
    }

    fn range_header(&self) -> Option<String> {
        match (self.at, self.end) {
            (0, None) => None,
            (at, None) => Some(format!("bytes={at}-")),
            (at, Some(end)) => Some(format!("bytes={at}-{}", end - 1)),
        }
    }

    /// Holds an answer against what was asked for; gives where to stop.
    fn heed(&mut self, response: &Response) -> Result<u64, Fault> {
        if !self.sink.store.is_object(response.headers()) {
            let subject = format!("get {}", self.sink.store.place().location(self.key));
            return Err(Fault::bare(FaultKind::NotFound, subject));
        }
        let whole = || Some((0, number(response.headers(), CONTENT_LENGTH.as_str())?));
        let answered = match response.status() {
            StatusCode::PARTIAL_CONTENT => content_range(response.headers()),
            _ => whole(),
        };
        let strange = |why: &str| {
            let subject = format!("get {}", self.sink.store.place().location(self.key));
            Fault::new(FaultKind::Invalid, subject, why.to_owned())
        };
        let (start, size_bytes) =
            answered.ok_or_else(|| strange("the store does not say what it gives"))?;
        if start != self.at {
            return Err(strange(
                "the store gives another range than it was asked for",
            ));
        }
        let end = self.end.unwrap_or(size_bytes);
        if end > size_bytes {
            return Err(outside(self.key, &(self.at..end)));
        }
        self.ensure_same(response.headers(), size_bytes)?;
        self.end = Some(end);
        Ok(end)
    }

    fn ensure_same(&mut self, headers: &HeaderMap, size_bytes: u64) -> Result<(), Fault> {
        let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok());
        let now = Version {
            size_bytes,
            tag: tag.map(str::to_owned),
        };
        match self.version.get_or_insert_with(|| now.clone()) == &now {
            true => Ok(()),
            false => {
                let subject = format!("{} changed while it was read", self.key);
                Err(Fault::bare(FaultKind::Corrupt, subject))
            }
        }
    }

    fn chunk(&self, response: &mut Response) -> Result<bytes::Bytes, Setback> {
        let subject = format!("get {}", self.key);
        let next = async {
            let next = tokio::time::timeout(SILENCE_LIMIT, response.chunk()).await;
            Ok(match next {
                Ok(Ok(Some(bytes))) => Ok(bytes),
                Ok(Err(error)) => Err(unheard(&subject, error)),
                // Ended too early, or silent for too long.
                Ok(Ok(None)) | Err(_) => Err(silence(&subject)),
            })
        };
        let next = self.sink.ask(self.cx, next);
        next.map_err(Setback::for_good)?
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// First byte and size of the whole out of `bytes 5-9/10`.
fn content_range(headers: &HeaderMap) -> Option<(u64, u64)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, size_bytes) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, size_bytes.parse().ok()?))
}
