//! The pages, which are in the program: each with its type and hash, compressed once when it was built.

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

/// The page of every path that is no file: the pages find their way themselves.
const INDEX: &str = "index.html";
/// What stands for the folder of the panel in that page.
const BASE: &str = "<base href=\"/\">";

struct File {
    name: &'static str,
    hash: &'static str,
    plain: &'static [u8],
    packed: &'static [u8],
}

const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The file of a path below the panel's folder; a path without an extension is a page. `None`: there is none.
pub fn answer(path: &str, base_path: &str, headers: &HeaderMap) -> Option<Response> {
    let name = path.trim_start_matches('/');
    let is_page = !name.rsplit('/').next().unwrap_or_default().contains('.');
    let name = if is_page { INDEX } else { name };
    let file = FILES.iter().find(|file| file.name == name)?;
    if name == INDEX {
        return Some(index(file, base_path, headers));
    }
    Some(whole(file, headers))
}

/// The one page, which names the panel's folder, so that the others are found below a prefix.
fn index(file: &File, base_path: &str, headers: &HeaderMap) -> Response {
    if base_path.is_empty() {
        return whole(file, headers);
    }
    let text = String::from_utf8_lossy(file.plain);
    let text = text.replacen(BASE, &format!("<base href=\"{base_path}/\">"), 1);
    let mut response = Response::new(Body::from(text));
    set(&mut response, file.name);
    response
}

fn whole(file: &File, headers: &HeaderMap) -> Response {
    let tag = format!("\"{}\"", file.hash);
    let known = headers.get(IF_NONE_MATCH).and_then(|tag| tag.to_str().ok());
    let is_known = known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
    let takes = headers
        .get(ACCEPT_ENCODING)
        .and_then(|takes| takes.to_str().ok());
    let packs =
        takes.is_some_and(|takes| takes.contains("gzip")) && file.packed.len() < file.plain.len();
    let mut response = match (is_known, packs) {
        (true, _) => Response::new(Body::empty()),
        (false, true) => Response::new(Body::from(file.packed)),
        (false, false) => Response::new(Body::from(file.plain)),
    };
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else if packs {
        let packed = HeaderValue::from_static("gzip");
        response.headers_mut().insert(CONTENT_ENCODING, packed);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    set(&mut response, file.name);
    response
}

fn set(response: &mut Response, name: &str) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    // Asked for each time, and answered with nothing while it is the same: a new version is seen at once.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
