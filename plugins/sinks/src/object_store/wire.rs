//! Requests: signed anew for every try, tried again while that may help, and refused in words that
//! hold no secret.

use std::time::Duration;

use bytes::Bytes;
use object_store::client::{HttpRequest, HttpRequestBody};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode, Url};
use respaldo_engine::ports::{Fault, FaultKind};
use uuid::Uuid;

use super::store::Answered;
use crate::remote::{SILENCE_LIMIT, kind_of, unanswered};

/// How often a request is sent before its fault counts.
pub(super) const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// The slowest line on which a part still arrives in time.
const SLOWEST_BYTES_PER_SECOND: u64 = 32 * 1024;
/// As much of a refusal as is read.
const MAX_WORDS_BYTES: usize = 64 * 1024;

/// How a store knows us, and what its refusals mean.
pub(super) trait Signer: Sync {
    /// Adds what proves that the request is ours. The checksum is that of its body.
    fn sign(&self, request: &mut HttpRequest, sha256: Option<[u8; 32]>) -> impl Answered<()>;

    /// What a refusal means, and its words for people.
    fn explain(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> (FaultKind, String);

    /// Whether a good status hides a refusal in its body.
    fn hides_refusal(&self, _body: &[u8]) -> bool {
        false
    }
}

/// A request before it is signed.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    method: Method,
    url: Url,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
    sha256: Option<[u8; 32]>,
    patience: Duration,
}

impl Ask {
    pub(super) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: Bytes::new(),
            sha256: None,
            patience: SILENCE_LIMIT,
        }
    }

    pub(super) fn query(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The body, and time to send it over a slow line.
    pub(super) fn body(mut self, body: Bytes) -> Self {
        self.patience += Duration::from_secs(body.len() as u64 / SLOWEST_BYTES_PER_SECOND);
        self.body = body;
        self
    }

    #[cfg(feature = "s3")]
    pub(super) fn sha256(mut self, sha256: Option<[u8; 32]>) -> Self {
        self.sha256 = sha256;
        self
    }

    /// Longer than usual, for what takes the store long.
    pub(super) fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The request without its body, which is sent beside it.
    fn unsigned(&self) -> Option<HttpRequest> {
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.url.as_str().parse().ok()?;
        for (name, value) in &self.headers {
            let value = HeaderValue::from_str(value).ok()?;
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
        Some(request)
    }
}

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// How many tries it took. Those before may have been heeded, too, and their answers lost.
    pub(super) tries: u32,
}

impl Answer {
    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why a try failed, and when another makes sense.
#[derive(Debug)]
pub(super) struct Setback {
    pub(super) fault: Fault,
    /// How long the store asks to wait.
    after: Option<Duration>,
    /// Whether the same bytes may pass the next time.
    pub(super) again: bool,
}

impl Setback {
    pub(super) fn for_good(fault: Fault) -> Self {
        Self {
            fault,
            after: None,
            again: false,
        }
    }

    /// Of a request that may pass when it is sent once more.
    pub(super) fn passing(fault: Fault) -> Self {
        Self {
            fault,
            after: None,
            again: true,
        }
    }

    /// Waits before try `tries`; fails when there is no sense in one.
    pub(super) async fn pause(self, tries: u32) -> Result<(), Fault> {
        if !self.again || tries >= TRIES {
            return Err(self.fault);
        }
        tracing::debug!(error = ?self.fault, tries, "a request is sent again");
        tokio::time::sleep(pause(tries, self.after)).await;
        Ok(())
    }
}

/// Twice as long each time, and never the same for two of us.
pub(super) fn pause(tries: u32, asked: Option<Duration>) -> Duration {
    let base = FIRST_PAUSE * 2_u32.saturating_pow(tries.saturating_sub(1));
    let jitter = Uuid::new_v4().as_u128() % (base.as_millis() / 2 + 1);
    let own = base / 2 + Duration::from_millis(jitter as u64);
    asked.unwrap_or_default().max(own).min(LONGEST_PAUSE)
}

/// What requests go over.
#[derive(Debug)]
pub(super) struct Wire {
    client: Client,
}

impl Wire {
    /// `client` must not follow redirects, and have no limit of silence.
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The whole answer, after as many tries as make sense.
    pub(super) async fn send(
        &self,
        signer: &impl Signer,
        subject: &str,
        ask: &Ask,
    ) -> Result<Answer, Fault> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.once(signer, subject, ask).await {
                Ok(answer) => return Ok(Answer { tries, ..answer }),
                Err(setback) => setback.pause(tries).await?,
            }
        }
    }

    /// The whole answer to one try.
    pub(super) async fn once(
        &self,
        signer: &impl Signer,
        subject: &str,
        ask: &Ask,
    ) -> Result<Answer, Setback> {
        let limited = tokio::time::timeout(ask.patience, self.whole(signer, subject, ask));
        limited.await.unwrap_or_else(|_| Err(silence(subject)))
    }

    async fn whole(
        &self,
        signer: &impl Signer,
        subject: &str,
        ask: &Ask,
    ) -> Result<Answer, Setback> {
        let response = self.open(signer, subject, ask).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await;
        let body = body.map_err(|error| unheard(subject, error))?;
        if signer.hides_refusal(&body) {
            return Err(refusal(signer, subject, status, &headers, &body));
        }
        Ok(Answer {
            status,
            headers,
            body,
            tries: 1,
        })
    }

    /// The beginning of the answer to one try; its body is still to come.
    pub(super) async fn open(
        &self,
        signer: &impl Signer,
        subject: &str,
        ask: &Ask,
    ) -> Result<Response, Setback> {
        let mut response = self.dispatch(signer, subject, ask).await?;
        let status = response.status();
        // 308 asks for more of an upload to Google.
        if status.is_success() || status == StatusCode::PERMANENT_REDIRECT {
            return Ok(response);
        }
        let mut words = Vec::new();
        while words.len() < MAX_WORDS_BYTES
            && let Ok(Some(more)) = response.chunk().await
        {
            words.extend_from_slice(&more);
        }
        Err(refusal(signer, subject, status, response.headers(), &words))
    }

    async fn dispatch(
        &self,
        signer: &impl Signer,
        subject: &str,
        ask: &Ask,
    ) -> Result<Response, Setback> {
        let unsigned = ask.unsigned().ok_or_else(|| {
            let why = "a part of the request cannot be sent over HTTP";
            Setback::for_good(Fault::new(FaultKind::Invalid, subject, why))
        });
        let mut request = unsigned?;
        let proof = signer.sign(&mut request, ask.sha256).await;
        proof.map_err(|fault| Setback {
            again: fault.kind.is_transient(),
            after: None,
            fault,
        })?;
        let (parts, _) = request.into_parts();
        let sending = self
            .client
            .request(parts.method, parts.uri.to_string())
            .headers(parts.headers)
            .body(ask.body.clone())
            .send();
        sending.await.map_err(|error| unheard(subject, error))
    }
}

/// The setback of silence.
pub(super) fn silence(subject: &str) -> Setback {
    let why = "there was no answer in time";
    Setback::passing(Fault::new(FaultKind::Unavailable, subject, why))
}

pub(super) fn unheard(subject: &str, error: reqwest::Error) -> Setback {
    Setback::passing(unanswered(subject, error))
}

fn refusal(
    signer: &impl Signer,
    subject: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Setback {
    let (kind, why) = signer.explain(status, headers, body);
    let after = headers.get(RETRY_AFTER);
    let after = after.and_then(|value| value.to_str().ok()?.parse().ok());
    Setback {
        fault: Fault::new(kind, subject, why),
        after: after.map(Duration::from_secs),
        // Bytes that were damaged on the way may arrive whole the next time.
        again: kind.is_transient() || (kind == FaultKind::Corrupt && status.as_u16() == 400),
    }
}

/// What a code of a store means: for code, and what a person can do about it.
pub(super) type Meaning = (&'static str, FaultKind, &'static str);

/// The meaning of a refusal, looked up by its code in the table of the store.
pub(super) fn meaning(
    table: &[Meaning],
    status: StatusCode,
    code: &str,
    message: &str,
) -> (FaultKind, String) {
    let known = table.iter().find(|(known, ..)| *known == code);
    let (kind, hint) = match known {
        Some((_, kind, hint)) => (*kind, *hint),
        None => (kind_of(status), ""),
    };
    let message: String = message.trim().chars().take(300).collect();
    let said = match (code, message.as_str()) {
        ("", "") => format!("it answered {status}"),
        ("", message) => format!("it answered {status}: {message}"),
        (code, message) => format!("it answered {} {code}: {message}", status.as_u16()),
    };
    match hint {
        "" => (kind, said),
        hint => (kind, format!("{hint} ({said})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_heed_the_store_within_a_minute() {
        assert!(pause(1, None) <= FIRST_PAUSE);
        assert!(pause(5, None) >= Duration::from_millis(1600));
        let asked = pause(1, Some(Duration::from_secs(7)));
        assert_eq!(asked, Duration::from_secs(7));
        assert_eq!(pause(1, Some(Duration::from_hours(9))), LONGEST_PAUSE);
    }
}
