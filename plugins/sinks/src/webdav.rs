//! Objects as files of a WebDAV server, their keys as paths below a folder.
//!
//! A put streams to a staging name in `.respaldo-staging/`, compares the size that arrived, and
//! then moves it to its key with `Overwrite: F`, which the server refuses where the key is taken.
//! That this is refused also in a race is the server's promise; `probe` checks that it is refused
//! at all. A crash before the move leaves a staging file that `sweep` removes; a crash after it
//! leaves the whole object. No redirect is followed: the next address is none that anybody chose.

mod account;
mod body;
mod folders;
mod list;
mod multistatus;
mod publish;
mod reading;
mod requests;
mod staging;
mod upload;

use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use respaldo_domain::object::ObjectKey;
use respaldo_domain::second_place::Provider;
use respaldo_engine::ports::{
    Context, Fault, FaultKind, ObjectInfo, PutSource, SinkLimits, StorageSink,
};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::remote::Driver;
use crate::{Kind, Problem, owner};
use account::Account;
use folders::Folders;
use requests::Requests;

/// How long the size that a server tells of a new file may be another.
const SETTLING_LIMIT: Duration = Duration::from_secs(3);

/// How it is configured.
pub(crate) const DECLARED: Kind = Kind {
    name: "webdav",
    options: &[
        "url",
        "dir",
        "user",
        "password",
        "token",
        "ca_file",
        "allow_http",
    ],
    secrets: &["password", "token"],
    files: &["ca_file"],
    folder: Some("dir"),
    provider: Provider::WebDav,
    make: |wanted| {
        Ok(Arc::new(WebdavSink::new(
            wanted.name,
            crate::options(wanted.options)?,
        )?))
    },
};

/// Longest wait for a small request.
const REQUEST_LIMIT: Duration = Duration::from_secs(90);

/// What can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Address of a folder of the server, as a person would give it to a file manager.
    url: String,
    /// A folder below it. Made when missing.
    dir: Option<String>,
    user: Option<String>,
    password: Option<SecretString>,
    /// A bearer token, instead of user and password.
    token: Option<SecretString>,
    /// Certificates in PEM form that are trusted besides the system's.
    ca_file: Option<PathBuf>,
    /// Whether secrets and backups may go over a network unencrypted.
    #[serde(default)]
    allow_http: bool,
}

/// A folder of a WebDAV server as a sink.
struct WebdavSink {
    name: String,
    requests: Arc<Requests>,
    folders: Folders,
    driver: Driver,
}

impl WebdavSink {
    /// A sink under this name. Nothing is reached before the first call.
    fn new(name: &str, options: Options) -> Result<Self, Problem> {
        let ca_file = options.ca_file.clone();
        let requests = Requests::new(Account::new(options)?, ca_file.as_deref())?;
        Ok(Self {
            name: name.to_owned(),
            requests: Arc::new(requests),
            folders: Folders::default(),
            driver: Driver::new()?,
        })
    }

    fn url(&self, key: &ObjectKey) -> Url {
        self.requests.below(key.as_str())
    }

    /// Waits for a small request.
    fn ask<T>(
        &self,
        url: &Url,
        cx: &Context,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.driver.wait(url.as_str(), REQUEST_LIMIT, cx, work)
    }

    fn size(&self, key: &ObjectKey, cx: &Context) -> Result<u64, Fault> {
        let url = self.url(key);
        self.ask(&url, cx, async {
            let found = self.requests.look(&url).await?;
            match found.filter(|found| !found.is_folder) {
                Some(file) => file.size_bytes(&url),
                None => Err(self.missing(&url).await),
            }
        })
    }

    /// A missing repository is not an empty one: perhaps its disk is not mounted.
    async fn missing(&self, url: &Url) -> Fault {
        match self.requests.look(&self.requests.root()).await {
            Ok(Some(_)) => Fault::bare(FaultKind::NotFound, format!("there is no file {url}")),
            Ok(None) => self.no_root(),
            Err(fault) => fault,
        }
    }

    fn no_root(&self) -> Fault {
        let subject = format!(
            "the folder {} is not there; `respaldo sink check {}` makes a new one",
            self.requests.root(),
            self.name
        );
        Fault::bare(FaultKind::Unavailable, subject)
    }

    /// Streams the source to a staging name and compares what arrived.
    fn stage(
        &self,
        staged: &Url,
        source: (&ObjectKey, &mut dyn PutSource),
        cx: &Context,
    ) -> Result<u64, Fault> {
        let size_bytes = source.1.size_bytes();
        upload::stream(&self.driver, &self.requests, staged, source, cx)?;
        let arrived = self.settled_size(staged, size_bytes, cx)?;
        if arrived == Some(size_bytes) {
            return Ok(size_bytes);
        }
        let subject =
            format!("{size_bytes} bytes were sent to {staged} and the server has {arrived:?}");
        Err(Fault::bare(FaultKind::Corrupt, subject))
    }

    /// The size of a staged file. A server under load may tell an earlier one for a moment.
    fn settled_size(&self, staged: &Url, wanted: u64, cx: &Context) -> Result<Option<u64>, Fault> {
        let until = Instant::now() + SETTLING_LIMIT;
        loop {
            let arrived = self.ask(staged, cx, upload::arrived(&self.requests, staged))?;
            if arrived == Some(wanted) || Instant::now() >= until {
                return Ok(arrived);
            }
            cx.check()?;
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Moves a staged file to its name. Not cancelled in the middle: it must be known how it ended.
    fn publish(&self, staged: &Url, key: &ObjectKey) -> Result<(), Fault> {
        let target = self.url(key);
        let uncancelled = Context::quiet();
        let moving = publish::name(&self.requests, &self.folders, staged, key);
        let moved = self
            .driver
            .wait(target.as_str(), publish::LIMIT, &uncancelled, moving);
        match moved {
            Err(fault) if fault.kind.is_transient() => {
                let settling = publish::settle(&self.requests, staged, &target);
                let settled =
                    self.driver
                        .wait(target.as_str(), publish::LIMIT, &uncancelled, settling);
                settled.unwrap_or(Err(fault))
            }
            known => known,
        }
    }

    fn discard(&self, staged: Url) {
        let requests = Arc::clone(&self.requests);
        self.driver
            .clean(async move { staging::remove(&requests, &staged).await });
    }
}

impl StorageSink for WebdavSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, cx: &Context) -> Result<SinkLimits, Fault> {
        let root = self.requests.root();
        self.ask(&root, cx, folders::make_staging(&self.requests))?;
        self.ask(&root, cx, staging::try_out(&self.requests))?;
        let found = self.ask(&root, cx, self.requests.look(&root))?;
        Ok(SinkLimits {
            max_object_bytes: None,
            free_bytes: found.and_then(|found| found.free_bytes),
        })
    }

    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        let target = self.url(key);
        let staged = self.requests.staging(&owner::staging_name());
        let ready = self.folders.ready_for(&self.requests, key);
        self.ask(&target, cx, ready)?;
        self.ask(&target, cx, publish::ensure_free(&self.requests, &target))?;
        let put = self
            .stage(&staged, (key, source), cx)
            .and_then(|size_bytes| {
                cx.check()?;
                self.publish(&staged, key)?;
                Ok(size_bytes)
            });
        if put.is_err() {
            // Perhaps somebody removed a folder that was there.
            self.folders.forget();
            self.discard(staged);
        }
        put.map(|size_bytes| ObjectInfo {
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
        let size_bytes = self.size(key, cx)?;
        let range = range.unwrap_or(0..size_bytes);
        if range.start > range.end || range.end > size_bytes {
            let subject = format!("{key} does not have bytes {} to {}", range.start, range.end);
            return Err(Fault::bare(FaultKind::Corrupt, subject));
        }
        if range.is_empty() {
            return Ok(());
        }
        let url = self.url(key);
        let reading = self.ask(
            &url,
            cx,
            reading::Reading::begin(&self.requests, &url, range),
        )?;
        reading.hand_out(&self.driver, (key, into), cx)
    }

    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        let size_bytes = self.size(key, cx)?;
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes,
        })
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        let mut walk = list::Walk::of(prefix);
        while let Some(folder) = walk.next_folder() {
            let url = match folder.as_str() {
                "" => self.requests.root(),
                folder => self.requests.below(folder),
            };
            let limit = list::FOLDER_LIMIT;
            let reading = self.requests.list(&url);
            let listed = self.driver.wait(url.as_str(), limit, cx, reading)?;
            match listed {
                Some(listing) => walk.take(&folder, listing.entries, &url)?,
                None if folder.is_empty() => return Err(self.no_root()),
                // A folder may vanish while we look.
                None => {}
            }
        }
        Ok(walk.found())
    }

    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
        let url = self.url(key);
        self.ask(&url, cx, async {
            // A DELETE of a folder would take all that is in it.
            match self.requests.look(&url).await? {
                Some(found) if !found.is_folder => self.requests.delete(&url).await.map(drop),
                _ => Ok(()),
            }
        })
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        let root = self.requests.root();
        let found = self.ask(&root, cx, staging::abandoned(&self.requests))?;
        let mut swept = 0;
        for name in found {
            let url = self.requests.staging(&name);
            swept += u64::from(self.ask(&url, cx, self.requests.delete(&url))?);
        }
        Ok(swept)
    }

    fn location(&self, key: &ObjectKey) -> String {
        self.url(key).into()
    }
}
