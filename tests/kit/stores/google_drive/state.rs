//! What the drive holds.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use md5::Md5;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

pub(super) const FOLDER_TYPE: &str = "application/vnd.google-apps.folder";

/// Everything.
#[expect(clippy::struct_excessive_bools, reason = "each is a knob of its own")]
pub(super) struct Drive {
    /// Where bodies lie.
    folder: TempDir,
    pub(super) files: BTreeMap<String, Entry>,
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) tokens: BTreeMap<String, Token>,
    /// Searches and how far their pages got.
    pub(super) pages: BTreeMap<String, (String, usize)>,
    pub(super) limit: Option<u64>,
    pub(super) max_page: usize,
    pub(super) token_seconds: u64,
    pub(super) delegation: bool,
    pub(super) consent: bool,
    pub(super) names_lag: bool,
    pub(super) may_add: bool,
    pub(super) may_delete: bool,
    made: u64,
}

/// A file or folder.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) parent: String,
    pub(super) drive_id: Option<String>,
    pub(super) mime_type: String,
    pub(super) trashed: bool,
    pub(super) created: DateTime<Utc>,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) content: Option<Content>,
    /// When it was made among all.
    pub(super) number: u64,
}

/// Bytes in a file, with what was true of them when they came.
pub(super) struct Content {
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
    md5: String,
    sha256: String,
}

/// An upload.
pub(super) struct Session {
    pub(super) metadata: Value,
    pub(super) fields: Option<String>,
    pub(super) announced: Option<u64>,
    pub(super) path: PathBuf,
    pub(super) received: u64,
    /// The file that it became.
    pub(super) file: Option<String>,
}

/// Who may ask, and until when.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) ends: Instant,
    /// A service account that acts as itself has no storage.
    pub(super) has_storage: bool,
    pub(super) email: String,
}

impl Drive {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            files: BTreeMap::new(),
            sessions: BTreeMap::new(),
            tokens: BTreeMap::new(),
            pages: BTreeMap::new(),
            limit: Some(15 << 30),
            max_page: 1000,
            token_seconds: 3599,
            delegation: false,
            consent: true,
            names_lag: false,
            may_add: true,
            may_delete: true,
            made: 0,
        }
    }

    /// A path for a body that does not exist yet.
    pub(super) fn new_path(&self) -> PathBuf {
        self.folder.path().join(Uuid::new_v4().simple().to_string())
    }

    pub(super) fn write_content(&self, bytes: &[u8]) -> Content {
        let path = self.new_path();
        fs::write(&path, bytes).unwrap();
        Content::of(path)
    }

    pub(super) fn add_folder(&mut self, name: &str, parent: &str, drive: Option<String>) -> String {
        let metadata = json!({ "name": name, "mimeType": FOLDER_TYPE, "parents": [parent] });
        let id = self.add_file(&metadata, None);
        let entry = self.files.get_mut(&id).unwrap();
        entry.drive_id = drive.or(entry.drive_id.take());
        id
    }

    /// Adds a file; any number may have the same name.
    pub(super) fn add_file(&mut self, metadata: &Value, content: Option<Content>) -> String {
        self.made += 1;
        let id = format!("1{}", Uuid::new_v4().simple());
        let text = |name: &str| metadata[name].as_str().map(str::to_owned);
        let parent = metadata["parents"][0].as_str().unwrap_or("root").to_owned();
        let properties = serde_json::from_value(metadata["appProperties"].clone());
        let entry = Entry {
            id: id.clone(),
            name: text("name").unwrap_or_else(|| "Untitled".to_owned()),
            drive_id: self
                .files
                .get(&parent)
                .and_then(|parent| parent.drive_id.clone()),
            parent,
            mime_type: text("mimeType").unwrap_or_else(|| "application/octet-stream".to_owned()),
            trashed: false,
            created: Utc::now(),
            properties: properties.unwrap_or_default(),
            content,
            number: self.made,
        };
        self.files.insert(id.clone(), entry);
        id
    }

    pub(super) fn children(&self, folder: &str) -> impl Iterator<Item = &Entry> {
        self.files
            .values()
            .filter(move |entry| entry.parent == folder)
    }

    /// Removes a file, and what lies in it.
    pub(super) fn remove(&mut self, id: &str) {
        let inside: Vec<String> = self.children(id).map(|entry| entry.id.clone()).collect();
        for id in inside {
            self.remove(&id);
        }
        let removed = self.files.remove(id);
        if let Some(content) = removed.and_then(|entry| entry.content) {
            fs::remove_file(content.path).unwrap();
        }
    }

    pub(super) fn usage(&self) -> u64 {
        let contents = self
            .files
            .values()
            .filter_map(|entry| entry.content.as_ref());
        contents.map(|content| content.size_bytes).sum()
    }

    /// Gives out a token.
    pub(super) fn new_token(&mut self, email: &str, has_storage: bool) -> String {
        let text = format!("ya29.{}", Uuid::new_v4().simple());
        let token = Token {
            ends: Instant::now() + Duration::from_secs(self.token_seconds),
            has_storage,
            email: email.to_owned(),
        };
        self.tokens.insert(text.clone(), token);
        text
    }
}

impl Entry {
    pub(super) fn is_folder(&self) -> bool {
        self.mime_type == FOLDER_TYPE
    }

    /// All that is told of it.
    pub(super) fn json(&self, drive: &Drive) -> Value {
        let mut json = json!({
            "kind": "drive#file",
            "id": self.id,
            "name": self.name,
            "mimeType": self.mime_type,
            "parents": [self.parent],
            "trashed": self.trashed,
            "createdTime": self.created.to_rfc3339_opts(SecondsFormat::Millis, true),
            "capabilities": {
                "canAddChildren": self.is_folder() && drive.may_add,
                "canDelete": drive.may_delete,
            },
        });
        if !self.properties.is_empty() {
            json["appProperties"] = json!(self.properties);
        }
        if let Some(drive_id) = &self.drive_id {
            json["driveId"] = json!(drive_id);
        }
        if let Some(content) = &self.content {
            json["size"] = json!(content.size_bytes.to_string());
            json["md5Checksum"] = json!(content.md5);
            json["sha256Checksum"] = json!(content.sha256);
        }
        json
    }

    pub(super) fn corrupt(&self, at: u64) {
        flip(&self.content.as_ref().unwrap().path, at);
    }
}

impl Content {
    /// What lies in a file.
    pub(super) fn of(path: PathBuf) -> Self {
        let (mut md5, mut sha256) = (Md5::new(), Sha256::new());
        let (mut file, mut buffer) = (File::open(&path).unwrap(), vec![0; 256 * 1024]);
        let mut size_bytes = 0;
        loop {
            let read = file.read(&mut buffer).unwrap();
            if read == 0 {
                break;
            }
            md5.update(&buffer[..read]);
            sha256.update(&buffer[..read]);
            size_bytes += read as u64;
        }
        Self {
            path,
            size_bytes,
            md5: hexadecimal(&md5.finalize()),
            sha256: hexadecimal(&sha256.finalize()),
        }
    }
}

/// Turns a byte into another.
pub(super) fn flip(path: &Path, at: u64) {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[!byte[0]]).unwrap();
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
