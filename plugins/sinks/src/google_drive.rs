//! Objects as files of one folder of Google Drive, their keys as names.
//!
//! The folder is flat: a name may hold `/`, and where there are no sub-folders none can be there
//! twice. Everything is found by names alone, so that another account, project or machine reads the
//! same objects, and a person sees what there is. Hidden properties say only whose an unfinished
//! file is.
//!
//! A put uploads a resumable session that knows its size: nothing appears before the last byte.
//! Then comes a *claim*, whole but no object; its size and checksums are compared with what was sent;
//! and only then it is renamed to its key, as `publish` describes. A crash before the last byte
//! leaves nothing that is visible, and a session, which the next `sweep` on this machine ends and Drive
//! forgets within a week; one after it leaves a claim,
//! which `sweep` or the next put of the key removes. Where Drive does not answer whether it renamed,
//! the file is deleted; where it does not answer to that either, the put fails and a whole object may
//! be there.

mod account;
mod answer;
mod api;
mod checksums;
mod download;
mod folder;
mod login;
mod names;
mod options;
mod owner;
mod pace;
mod publish;
mod source;
mod upload;

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use respaldo_domain::object::ObjectKey;
use respaldo_domain::second_place::Provider;
use respaldo_engine::ports::{
    Context, Fault, FaultKind, ObjectInfo, PutSource, SinkLimits, StorageSink,
};
use serde_json::json;

use crate::notes::{self, Notes};
use crate::remote::{self, Driver};
use crate::{Kind, Problem};

use api::{Api, File};
use checksums::Tally;
use download::Download;
use folder::Folder;
use login::{Grant, Login};
use names::Role;
pub use options::Options;
use owner::Owner;
use source::Cutter;
use upload::Upload;

/// Name of this kind of sink in the configuration.
pub const KIND: &str = "google-drive";

/// How it is configured.
pub(crate) const DECLARED: Kind = Kind {
    name: KIND,
    options: &[
        "folder_id",
        "service_account",
        "subject",
        "client_id",
        "client_secret",
        "refresh_token",
        "base_url",
        "token_url",
        "ca_file",
        "allow_http",
    ],
    secrets: &["service_account", "client_secret", "refresh_token"],
    files: &["ca_file"],
    // It is flat: each database needs one of its own.
    folder: None,
    provider: Provider::GoogleDrive,
    make: |wanted| {
        Ok(Arc::new(GoogleDriveSink::new(
            wanted.name,
            &crate::options(wanted.options)?,
            wanted.notes,
        )?))
    },
};

/// The largest file that Drive takes.
const MAX_OBJECT_BYTES: u64 = 5_120 * 1024 * 1024 * 1024;
/// Longest wait for something that takes few requests, each of which may be tried again.
const CALL_LIMIT: Duration = Duration::from_mins(10);
/// Longest wait for one piece, as often as it is tried.
const PIECE_LIMIT: Duration = Duration::from_hours(1);
/// Longest wait for an object; what is silent for a minute ends before.
const OBJECT_LIMIT: Duration = Duration::from_hours(7 * 24);
/// Longest wait for tidying up after a fault, by a caller who wants to go.
const TIDY_LIMIT: Duration = Duration::from_secs(5);

/// A folder of Google Drive as a sink.
pub struct GoogleDriveSink {
    name: String,
    driver: Driver,
    folder: Folder,
    notes: Option<Notes>,
}

impl GoogleDriveSink {
    /// A sink under this name, with the folder of its notes. Reaches nothing.
    pub fn new(
        name: impl Into<String>,
        options: &Options,
        notes: Option<&Path>,
    ) -> Result<Self, Problem> {
        let authorities = options.ca_file.as_deref();
        let asking = remote::client(authorities)?;
        let login = Login::new(options.grant()?, options.tokens()?, asking);
        let api = Api::new(remote::patient_client(authorities)?, options.base()?, login);
        Ok(Self {
            name: name.into(),
            driver: Driver::new()?,
            folder: Folder::new(api, options.folder()?),
            notes: notes.map(Notes::in_folder),
        })
    }

    fn call<T>(
        &self,
        subject: &str,
        cx: &Context,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.driver.wait(subject, CALL_LIMIT, cx, work)
    }

    /// Uploads a source to its end as a file of this role, and compares it with what was sent. On a
    /// fault nothing of it is left.
    fn upload(
        &self,
        role: &Role,
        owner: &Owner,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<File, Fault> {
        let subject = format!("upload {} to Google Drive", role.name());
        let mut cutter = Cutter::new(source, &subject);
        let metadata = json!({
            "name": role.name(),
            "parents": [self.folder.id()],
            "mimeType": "application/octet-stream",
            "appProperties": owner.properties(),
        });
        let note = notes::note(self.notes.as_ref(), self.folder.id(), &role.name());
        let mut upload = Upload::new(self.folder.api(), &subject, metadata, cutter.total(), note);
        let mut tally = Tally::default();
        let sent = self.send(&mut upload, &mut cutter, &mut tally, &subject, cx);
        let file = sent.inspect_err(|_| self.tidy(&subject, upload.abandon()))?;
        let compared = tally.ensure(&file, &subject);
        compared.inspect_err(|_| self.discard(&file))?;
        Ok(file)
    }

    fn send(
        &self,
        upload: &mut Upload<'_>,
        cutter: &mut Cutter<'_>,
        tally: &mut Tally,
        subject: &str,
        cx: &Context,
    ) -> Result<File, Fault> {
        loop {
            let piece = cutter.piece(cx)?;
            tally.add(&piece.bytes);
            let sent = upload.send(piece);
            if let Some(file) = self.driver.wait(subject, PIECE_LIMIT, cx, sent)? {
                return Ok(file);
            }
        }
    }

    /// Removes an own file that is not to become an object, even when the run is to stop.
    fn discard(&self, file: &File) {
        self.tidy(&format!("delete {}", file.name), self.folder.remove(file));
    }

    fn tidy(&self, subject: &str, work: impl Future<Output = Result<(), Fault>>) {
        let done = self
            .driver
            .wait(subject, TIDY_LIMIT, &Context::quiet(), work);
        if let Err(fault) = done {
            tracing::warn!(sink = self.name, %fault, "something is left to be swept");
        }
    }

    /// Ends the uploads of this machine's dead processes, which no listing shows.
    async fn end_sessions(&self) -> Result<u64, Fault> {
        let mut ended = 0;
        for left in self
            .notes
            .iter()
            .flat_map(|notes| notes.left(self.folder.id()))
        {
            if let Some(session) = &left.id {
                upload::end(self.folder.api(), session, "sweep Google Drive").await?;
                ended += 1;
            }
            left.remove();
        }
        Ok(ended)
    }

    fn object(&self, key: &ObjectKey, cx: &Context) -> Result<File, Fault> {
        self.call(&format!("look for {key}"), cx, self.folder.object(key))
    }

    /// Writes and deletes a little, which needs all the rights that a backup needs.
    fn try_out(&self, cx: &Context) -> Result<(), Fault> {
        let mut source = Cursor::new(b"probe".to_vec());
        let file = self.upload(&Role::Probe, &Owner::new(), &mut source, cx)?;
        self.call("delete the probe", cx, self.folder.remove(&file))
    }

    fn refuse_if_read_only(&self, cx: &Context) -> Result<(), Fault> {
        let subject = format!("write in the folder {} of Google Drive", self.folder.id());
        let facts = self.call(&subject, cx, self.folder.facts())?;
        match facts.takes_files() {
            true => Ok(()),
            false => {
                let why = "the account may only look at it: share it with the account as an editor";
                Err(Fault::new(FaultKind::Denied, subject, why))
            }
        }
    }

    /// A service account owns nothing on a person's drive, not even with the right to write there.
    fn without_room(&self, fault: Fault, cx: &Context) -> Fault {
        let facts = self
            .call("look at the folder", cx, self.folder.facts())
            .ok();
        let shared = facts.is_some_and(|facts| facts.drive_id.is_some());
        match self.folder.api().login().grant() {
            Grant::Account(account) if !shared && !account.acts_as_another() => {
                let subject = format!(
                    "the folder {} is not in a shared drive, and the service account {} has no \
                     storage of its own: take a folder of a shared drive, or set subject",
                    self.folder.id(),
                    account.email()
                );
                Fault { subject, ..fault }
            }
            _ => fault,
        }
    }
}

impl StorageSink for GoogleDriveSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, cx: &Context) -> Result<SinkLimits, Fault> {
        self.refuse_if_read_only(cx)?;
        let free_bytes = self.call("ask for the room left", cx, self.folder.free_bytes())?;
        self.try_out(cx).map_err(|fault| match fault.kind {
            FaultKind::Full => self.without_room(fault, cx),
            _ => fault,
        })?;
        Ok(SinkLimits {
            max_object_bytes: Some(MAX_OBJECT_BYTES),
            free_bytes,
        })
    }

    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        let (subject, size_bytes) = (format!("store {key} in Google Drive"), source.size_bytes());
        let seen = self.call(&subject, cx, self.folder.of_key(key))?;
        if seen.object().is_some() {
            return Err(publish::taken(key));
        }
        let owner = Owner::new();
        let file = self.upload(&Role::Claim(key.clone()), &owner, source, cx)?;
        let published = self.call(&subject, cx, publish::publish(&self.folder, key, &file));
        published.inspect_err(|_| self.discard(&file))?;
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes,
        })
    }

    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        let file = self.object(key, cx)?;
        let size_bytes = file.size.unwrap_or(0);
        let range = range.unwrap_or(0..size_bytes);
        if range.start > range.end || range.end > size_bytes {
            let subject = format!("{key} does not have bytes {} to {}", range.start, range.end);
            return Err(Fault::bare(FaultKind::Corrupt, subject));
        }
        let download = Download::new(self.folder.api(), &file, range);
        let subject = format!("read {key} from Google Drive");
        self.driver
            .wait(&subject, OBJECT_LIMIT, cx, download.run(into))
    }

    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        let file = self.object(key, cx)?;
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes: file.size.unwrap_or(0),
        })
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        let wanted =
            |role: &Role| matches!(role, Role::Object(key) if key.as_str().starts_with(prefix));
        let seen = self.call("list Google Drive", cx, self.folder.seen(wanted))?;
        let mut files = seen.files;
        files.sort_by(|(_, one), (_, other)| other.rank().cmp(&one.rank()));
        // The first in rank comes last, and stays.
        let objects: BTreeMap<_, _> = files
            .iter()
            .filter_map(|(role, file)| Some((role.key()?, file.size.unwrap_or(0))))
            .collect();
        let info = |(key, size_bytes): (&ObjectKey, u64)| ObjectInfo {
            key: key.clone(),
            size_bytes,
        };
        Ok(objects.into_iter().map(info).collect())
    }

    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
        let subject = format!("delete {key} from Google Drive");
        self.call(&subject, cx, async {
            let is_it = |role: &Role| *role == Role::Object(key.clone());
            let mut files = self.folder.seen(is_it).await?.files;
            // The object itself last: what stays after a fault is what was there before.
            files.sort_by(|(_, one), (_, other)| other.rank().cmp(&one.rank()));
            for (_, file) in &files {
                self.folder.remove(file).await?;
            }
            Ok(())
        })
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        self.call("sweep Google Drive", cx, async {
            let seen = self.folder.seen(Role::is_staging).await?;
            let mut swept = self.end_sessions().await?;
            for file in seen.leftovers() {
                swept += u64::from(self.folder.remove_leftover(file).await?);
            }
            Ok(swept)
        })
    }

    fn location(&self, key: &ObjectKey) -> String {
        let folder = self.folder.id();
        format!("https://drive.google.com/drive/folders/{folder}#{key}")
    }
}
