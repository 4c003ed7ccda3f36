//! Resumable uploads.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;

use axum::body::Body;
use axum::http::HeaderName;
use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE, HOST, LOCATION, RANGE};
use axum::response::Response;
use uuid::Uuid;

use super::Shared;
use super::body;
use super::dispatch::{Asked, cut};
use super::files::{ensure_parent, metadata, told};
use super::plan::Mishap;
use super::refusal::{Outcome, empty, invalid, not_found, refuse};
use super::state::{Content, Drive, Session, Token, flip};

/// Pieces are kept in multiples of this, and must be multiples but for the last.
const GRAIN: u64 = 256 * 1024;
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("x-upload-content-length");

/// Begins a session, when there is room for what is announced.
pub(super) fn begin(shared: &Shared, asked: &Asked, token: &Token, body: &[u8]) -> Outcome {
    if asked.parameter("uploadType") != Some("resumable") {
        return Err(invalid("only uploadType=resumable"));
    }
    let json = asked
        .header(CONTENT_TYPE)
        .is_some_and(|text| text.starts_with("application/json"));
    let metadata = match json {
        true => metadata(body)?,
        false => return Err(refuse(400, "wrongUrlMethod", "metadata must be JSON")),
    };
    let announced = asked
        .header(UPLOAD_LENGTH)
        .and_then(|text| text.parse().ok());
    let mut drive = shared.drive();
    ensure_parent(&drive, asked, &metadata)?;
    ensure_room(&drive, token, metadata["parents"][0].as_str(), announced)?;
    let id = Uuid::new_v4().simple().to_string();
    let path = drive.new_path();
    File::create(&path).unwrap();
    let session = Session {
        metadata,
        fields: asked.parameter("fields").map(str::to_owned),
        announced,
        path,
        received: 0,
        file: None,
    };
    drive.sessions.insert(id.clone(), session);
    let host = asked.header(HOST).unwrap_or_default();
    let location =
        format!("http://{host}/upload/drive/v3/files?uploadType=resumable&upload_id={id}");
    let response = Response::builder().header(LOCATION, location);
    Ok(response.body(Body::empty()).unwrap())
}

fn ensure_room(
    drive: &Drive,
    token: &Token,
    parent: Option<&str>,
    announced: Option<u64>,
) -> Result<(), Response> {
    let shared = parent.is_some_and(|parent| drive.files[parent].drive_id.is_some());
    if !shared && !token.has_storage {
        let message = "Service Accounts do not have storage quota. Leverage shared drives, or use \
                       OAuth delegation instead.";
        return Err(refuse(403, "storageQuotaExceeded", message));
    }
    let left = drive
        .limit
        .map_or(u64::MAX, |limit| limit.saturating_sub(drive.usage()));
    match announced.unwrap_or(0) > left {
        true => Err(refuse(
            403,
            "storageQuotaExceeded",
            "The user's Drive storage quota has been exceeded.",
        )),
        false => Ok(()),
    }
}

fn session<'a>(drive: &'a mut Drive, asked: &Asked) -> Result<&'a mut Session, Response> {
    let id = asked.parameter("upload_id").unwrap_or_default();
    if asked.mishap == Some(Mishap::SessionLost) {
        drive.sessions.remove(id);
    }
    drive
        .sessions
        .get_mut(id)
        .ok_or_else(|| not_found("upload"))
}

/// How far a session is.
pub(super) fn status(shared: &Shared, asked: &Asked) -> Outcome {
    let mut drive = shared.drive();
    let session = session(&mut drive, asked)?;
    match session.file.clone() {
        Some(id) => {
            let fields = session.fields.clone();
            told(&drive, &id, fields.as_deref())
        }
        None => Ok(incomplete(session.received)),
    }
}

fn incomplete(received: u64) -> Response {
    let response = Response::builder().status(308);
    let response = match received {
        0 => response,
        _ => response.header(RANGE, format!("bytes=0-{}", received - 1)),
    };
    response.body(Body::empty()).unwrap()
}

/// Ends a session by its owner's wish.
pub(super) fn give_up(shared: &Shared, asked: &Asked) -> Outcome {
    let mut drive = shared.drive();
    session(&mut drive, asked)?;
    drive
        .sessions
        .remove(asked.parameter("upload_id").unwrap_or_default());
    Ok(empty(499))
}

/// Takes a piece; the last one makes the file.
pub(super) async fn piece(shared: &Shared, asked: &Asked, body: Body) -> Outcome {
    let (range, total, file) = {
        let mut drive = shared.drive();
        let session = session(&mut drive, asked)?;
        let (range, total) = placed(session, asked.header(CONTENT_RANGE))?;
        (
            range,
            total,
            OpenOptions::new().write(true).open(&session.path).unwrap(),
        )
    };
    let got = receive(file, range.clone(), asked, body).await;
    let mut drive = shared.drive();
    let kept = range.start + kept(asked, got, range.end == total);
    let session = session(&mut drive, asked)?;
    session.received = kept;
    if matches!(asked.mishap, Some(Mishap::RequestCut(_))) || got < range.end - range.start {
        drop(drive);
        cut();
    }
    if asked.mishap == Some(Mishap::Damaged) {
        flip(&session.path, range.start);
    }
    match kept == total {
        false => Ok(incomplete(kept)),
        true => complete(&mut drive, asked),
    }
}

/// Where a piece belongs and how long the whole is.
fn placed(session: &Session, text: Option<&str>) -> Result<(Range<u64>, u64), Response> {
    let Some(text) = text else {
        // The whole body at once, of a size that was announced.
        let total = session
            .announced
            .ok_or_else(|| invalid("no length was announced"))?;
        return Ok((0..total, total));
    };
    let (range, total) = parsed(text).ok_or_else(|| invalid("Invalid Content-Range"))?;
    if session
        .announced
        .is_some_and(|announced| announced != total)
        || range.end > total
    {
        return Err(invalid("Content-Range does not fit the announced length"));
    }
    if range.start != session.received || session.file.is_some() {
        return Err(invalid("Content-Range does not begin where the upload is"));
    }
    match range.end == total || (range.end - range.start) % GRAIN == 0 {
        true => Ok((range, total)),
        false => Err(invalid("a piece must be a multiple of 262144 bytes")),
    }
}

fn parsed(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (begin, last) = range.split_once('-')?;
    let range = begin.parse().ok()?..last.parse::<u64>().ok()? + 1;
    (range.start < range.end).then_some((range, total.parse().ok()?))
}

/// Writes what comes to its place; how much came.
async fn receive(mut file: File, range: Range<u64>, asked: &Asked, body: Body) -> u64 {
    let limit = match asked.mishap {
        Some(Mishap::RequestCut(after)) => after.min(range.end - range.start),
        _ => range.end - range.start,
    };
    file.seek(SeekFrom::Start(range.start)).unwrap();
    let (mut stream, mut got) = (body.into_data_stream(), 0);
    while got < limit {
        let Some(Ok(bytes)) = body::next(&mut stream).await else {
            break;
        };
        let wanted = bytes.len().min((limit - got) as usize);
        file.write_all(&bytes[..wanted]).unwrap();
        got += wanted as u64;
    }
    got
}

/// How much of a piece is kept: all of one that came whole, whole grains of another.
fn kept(asked: &Asked, got: u64, is_last: bool) -> u64 {
    match asked.mishap {
        Some(Mishap::RequestCut(_)) => got / GRAIN * GRAIN,
        Some(Mishap::ShortPiece(bytes)) => bytes.min(got) / GRAIN * GRAIN,
        _ if is_last => got,
        _ => got / GRAIN * GRAIN,
    }
}

fn complete(drive: &mut Drive, asked: &Asked) -> Outcome {
    let session = session(drive, asked)?;
    let (metadata, path) = (session.metadata.clone(), session.path.clone());
    let fields = session.fields.clone();
    let id = drive.add_file(&metadata, Some(Content::of(path)));
    let session = self::session(drive, asked)?;
    session.file = Some(id.clone());
    told(drive, &id, fields.as_deref())
}
