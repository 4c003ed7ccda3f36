//! Files: lists, facts, bytes, changes, deletions; and what the account has.

use axum::http::header::RANGE;
use axum::response::Response;
use serde_json::{Value, json};

use super::Shared;
use super::body::FileBody;
use super::dispatch::Asked;
use super::fields::select;
use super::plan::Mishap;
use super::query::Query;
use super::refusal::{Outcome, answer, empty, invalid, not_found, refuse};
use super::state::{Drive, Entry, Token};

const DEFAULT_FIELDS: &str = "kind,id,name,mimeType";
const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 1000;
/// Bytes of name and value of a property.
const PROPERTY_BYTES: usize = 124;
const KNOWN: &[&str] = &[
    "kind",
    "id",
    "name",
    "mimeType",
    "parents",
    "trashed",
    "createdTime",
    "capabilities",
    "canAddChildren",
    "canDelete",
    "appProperties",
    "driveId",
    "size",
    "md5Checksum",
    "sha256Checksum",
    "files",
    "nextPageToken",
    "incompleteSearch",
    "storageQuota",
    "limit",
    "usage",
    "user",
    "emailAddress",
];

/// What is wanted of something.
pub(super) fn selected(json: &Value, fields: &str) -> Outcome {
    let selected = select(json, fields, KNOWN);
    let selected =
        selected.ok_or_else(|| refuse(400, "invalidParameter", "Invalid field selection"));
    Ok(answer(200, &selected?))
}

/// The answer that tells of a file.
pub(super) fn told(drive: &Drive, id: &str, fields: Option<&str>) -> Outcome {
    selected(
        &drive.files[id].json(drive),
        fields.unwrap_or(DEFAULT_FIELDS),
    )
}

fn visible<'a>(drive: &'a Drive, asked: &Asked) -> Result<&'a Entry, Response> {
    let entry = drive
        .files
        .get(&asked.id)
        .filter(|entry| asked.may_see(entry));
    entry.ok_or_else(|| not_found(&asked.id))
}

/// Room and user. Unlike elsewhere Google insists on fields.
pub(super) fn about(shared: &Shared, asked: &Asked, token: &Token) -> Outcome {
    let fields = asked.parameter("fields");
    let fields =
        fields.ok_or_else(|| invalid("The 'fields' parameter is required for this method."))?;
    let drive = shared.drive();
    let limit = match token.has_storage {
        true => drive.limit,
        false => Some(0),
    };
    let mut quota = json!({ "usage": drive.usage().to_string() });
    if let Some(limit) = limit {
        quota["limit"] = json!(limit.to_string());
    }
    let json = json!({
        "kind": "drive#about", "storageQuota": quota, "user": { "emailAddress": token.email }
    });
    selected(&json, fields)
}

/// A page of what a search finds, the newest first.
pub(super) fn list(shared: &Shared, asked: &Asked) -> Outcome {
    let text = asked.parameter("q").unwrap_or_default();
    let query = Query::parse(text).ok_or_else(|| invalid("Invalid Value: q"))?;
    let mut drive = shared.drive();
    let unseen = |id: &&str| {
        !drive
            .files
            .get(*id)
            .is_some_and(|entry| asked.may_see(entry))
    };
    if let Some(parent) = query.parents().find(unseen) {
        return Err(not_found(parent));
    }
    let size = page_size(&drive, asked)?;
    let begin = begin_of_page(&drive, asked, text)?;
    let corpora = corpora(asked)?;
    let mut found: Vec<&Entry> = drive.files.values().collect();
    found.retain(|entry| corpora(entry) && query.finds(entry, drive.names_lag));
    found.sort_by_key(|entry| std::cmp::Reverse(entry.number));
    let files: Vec<Value> = found
        .iter()
        .skip(begin)
        .take(size)
        .map(|entry| entry.json(&drive))
        .collect();
    let more = begin + size < found.len();
    let mut page = json!({
        "kind": "drive#fileList", "incompleteSearch": false, "files": files
    });
    if more {
        let token = format!("~!!~{}", uuid::Uuid::new_v4().simple());
        page["nextPageToken"] = json!(token);
        drive.pages.insert(token, (text.to_owned(), begin + size));
    }
    let default = format!("kind,incompleteSearch,nextPageToken,files({DEFAULT_FIELDS})");
    selected(&page, asked.parameter("fields").unwrap_or(&default))
}

fn page_size(drive: &Drive, asked: &Asked) -> Result<usize, Response> {
    let wished = match asked.parameter("pageSize") {
        Some(text) => text
            .parse()
            .map_err(|_| invalid("Invalid Value: pageSize"))?,
        None => DEFAULT_PAGE,
    };
    match (1..=LARGEST_PAGE).contains(&wished) {
        true => Ok(wished.min(drive.max_page)),
        false => Err(invalid(
            "Invalid value. Values must be within the range: [1, 1000]",
        )),
    }
}

fn begin_of_page(drive: &Drive, asked: &Asked, query: &str) -> Result<usize, Response> {
    let Some(token) = asked.parameter("pageToken") else {
        return Ok(0);
    };
    let known = drive.pages.get(token).filter(|(of, _)| of == query);
    known
        .map(|(_, begin)| *begin)
        .ok_or_else(|| invalid("Invalid Value: pageToken"))
}

/// Among which files is searched.
fn corpora(asked: &Asked) -> Result<impl Fn(&Entry) -> bool, Response> {
    let both = asked.is_set("supportsAllDrives") && asked.is_set("includeItemsFromAllDrives");
    let wished = asked.parameter("driveId").map(str::to_owned);
    match (asked.parameter("corpora"), &wished) {
        (None | Some("user"), None) | (Some("drive"), Some(_)) => {}
        _ => return Err(invalid("corpora and driveId do not fit")),
    }
    Ok(move |entry: &Entry| match &wished {
        Some(wished) => both && entry.drive_id.as_ref() == Some(wished),
        None => both || entry.drive_id.is_none(),
    })
}

/// What a file is.
pub(super) fn get(shared: &Shared, asked: &Asked) -> Outcome {
    let drive = shared.drive();
    let id = visible(&drive, asked)?.id.clone();
    told(&drive, &id, asked.parameter("fields"))
}

/// Bytes of a file.
pub(super) fn media(shared: &Shared, asked: &Asked) -> Outcome {
    let drive = shared.drive();
    let entry = visible(&drive, asked)?;
    let Some(content) = &entry.content else {
        return Err(refuse(
            403,
            "fileNotDownloadable",
            "Only files with binary content can be downloaded.",
        ));
    };
    let cut_after = match asked.mishap {
        Some(Mishap::AnswerCut(after)) => Some(after),
        _ => None,
    };
    let size = content.size_bytes;
    let Some(text) = asked.header(RANGE) else {
        let body = FileBody::open(&content.path, 0, size, cut_after);
        let response = Response::builder().header("content-length", size);
        return Ok(response.body(body).unwrap());
    };
    let range = range(text, size).ok_or_else(|| {
        refuse(
            416,
            "requestedRangeNotSatisfiable",
            "Request range not satisfiable",
        )
    })?;
    let length = range.1 - range.0;
    let response = Response::builder()
        .status(206)
        .header("content-length", length)
        .header(
            "content-range",
            format!("bytes {}-{}/{size}", range.0, range.1 - 1),
        );
    Ok(response
        .body(FileBody::open(&content.path, range.0, length, cut_after))
        .unwrap())
}

/// Begin and end of `bytes=a-b` in so many bytes.
fn range(text: &str, size: u64) -> Option<(u64, u64)> {
    let (begin, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let begin: u64 = begin.parse().ok()?;
    let end = match last {
        "" => size,
        last => size.min(last.parse::<u64>().ok()? + 1),
    };
    (begin < end).then_some((begin, end))
}

/// A description of a file, as it came.
pub(super) fn metadata(body: &[u8]) -> Result<Value, Response> {
    let json: Value = serde_json::from_slice(body).map_err(|_| invalid("Parse Error"))?;
    let properties = json["appProperties"].as_object();
    let long = |(name, value): (&String, &Value)| {
        name.len() + value.as_str().map_or(0, str::len) > PROPERTY_BYTES
    };
    match properties.is_some_and(|properties| properties.into_iter().any(long)) {
        true => Err(refuse(403, "propertyTooLong", "The property is too long.")),
        false => Ok(json),
    }
}

/// Refuses a description whose folder is not there, or takes nothing.
pub(super) fn ensure_parent(
    drive: &Drive,
    asked: &Asked,
    metadata: &Value,
) -> Result<(), Response> {
    let Some(parent) = metadata["parents"][0].as_str() else {
        return Ok(());
    };
    match drive.files.get(parent).filter(|entry| asked.may_see(entry)) {
        None => Err(not_found(parent)),
        Some(_) if !drive.may_add => Err(forbidden()),
        Some(_) => Ok(()),
    }
}

fn forbidden() -> Response {
    let message = "The user does not have sufficient permissions for this file.";
    refuse(403, "insufficientFilePermissions", message)
}

/// A folder, or a file without bytes.
pub(super) fn create(shared: &Shared, asked: &Asked, body: &[u8]) -> Outcome {
    let metadata = metadata(body)?;
    let mut drive = shared.drive();
    ensure_parent(&drive, asked, &metadata)?;
    let is_folder = metadata["mimeType"] == super::state::FOLDER_TYPE;
    let content = (!is_folder).then(|| drive.write_content(&[]));
    let id = drive.add_file(&metadata, content);
    told(&drive, &id, asked.parameter("fields"))
}

/// Changes a file: all of it, or nothing.
pub(super) fn patch(shared: &Shared, asked: &Asked, body: &[u8]) -> Outcome {
    let metadata = metadata(body)?;
    let mut drive = shared.drive();
    let id = visible(&drive, asked)?.id.clone();
    let parent = asked.parameter("addParents").map(str::to_owned);
    if let Some(parent) = &parent {
        ensure_parent(&drive, asked, &json!({ "parents": [parent] }))?;
    }
    let entry = drive.files.get_mut(&id).unwrap();
    entry.parent = parent.unwrap_or_else(|| entry.parent.clone());
    if let Some(name) = metadata["name"].as_str() {
        name.clone_into(&mut entry.name);
    }
    if let Some(trashed) = metadata["trashed"].as_bool() {
        entry.trashed = trashed;
    }
    if let Some(properties) = metadata["appProperties"].as_object() {
        for (name, value) in properties {
            match value.as_str() {
                Some(value) => entry.properties.insert(name.clone(), value.to_owned()),
                None => entry.properties.remove(name),
            };
        }
    }
    told(&drive, &id, asked.parameter("fields"))
}

/// Deletes a file for good, and what lies in it.
pub(super) fn delete(shared: &Shared, asked: &Asked) -> Outcome {
    let mut drive = shared.drive();
    let id = visible(&drive, asked)?.id.clone();
    if !drive.may_delete {
        return Err(forbidden());
    }
    drive.remove(&id);
    Ok(empty(204))
}
