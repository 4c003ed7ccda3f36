//! Objects as files of an SFTP server, their keys as paths below a folder.
//!
//! A put writes to a staging file in `.respaldo-staging/`, makes it durable where the server can
//! (fsync@openssh.com), compares its size, and then links it under its key (hardlink@openssh.com),
//! which fails where the key is taken; a server without links renames, which version 3 of the
//! protocol forbids over a taken name. A crash before that leaves a staging file that `sweep`
//! removes; a crash after it leaves the whole object. The server is the one whose key is
//! configured, or nobody.

mod account;
mod file;
mod folders;
mod link;
mod list;
mod pipeline;
mod publish;
mod session;
mod staging;
mod trust;

use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use respaldo_domain::object::ObjectKey;
use respaldo_domain::second_place::Provider;
use respaldo_engine::ports::{
    Context, Fault, FaultKind, ObjectInfo, PutSource, SinkLimits, StorageSink,
};
use secrecy::SecretString;
use serde::Deserialize;

use crate::remote::Driver;
use crate::{Kind, Problem, owner};
use account::Account;
use file::OpenFile;
use link::Link;
use session::{Found, Session};

/// How it is configured.
pub(crate) const DECLARED: Kind = Kind {
    name: "sftp",
    options: &[
        "host",
        "port",
        "user",
        "dir",
        "password",
        "private_key",
        "private_key_file",
        "passphrase",
        "host_key",
        "known_hosts",
    ],
    secrets: &["password", "private_key", "passphrase"],
    files: &["private_key_file", "known_hosts"],
    folder: Some("dir"),
    provider: Provider::Sftp,
    make: |wanted| {
        Ok(Arc::new(SftpSink::new(
            wanted.name,
            crate::options(wanted.options)?,
        )?))
    },
};

/// Longest wait for a small request, a new connection included.
const REQUEST_LIMIT: Duration = Duration::from_secs(90);

/// What can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Name or address of the server.
    host: String,
    /// Its port; 22 unless given.
    port: Option<u16>,
    /// Whom to log in as.
    user: String,
    /// The folder on the server: absolute, or below where the login begins. Made when missing.
    dir: String,
    password: Option<SecretString>,
    /// The text of a private key.
    private_key: Option<SecretString>,
    /// A file with a private key.
    private_key_file: Option<PathBuf>,
    /// What the private key is encrypted with.
    passphrase: Option<SecretString>,
    /// The server's public key as a line, or its fingerprint.
    host_key: Option<String>,
    /// A file of known servers, as OpenSSH keeps it.
    known_hosts: Option<PathBuf>,
}

/// A folder of an SFTP server as a sink.
struct SftpSink {
    name: String,
    root: String,
    address: String,
    link: Arc<Link>,
    driver: Driver,
}

impl SftpSink {
    /// A sink under this name. Nothing is reached before the first call.
    fn new(name: &str, options: Options) -> Result<Self, Problem> {
        let root = account::folder(&options.dir)?;
        let account = Account::new(options)?;
        Ok(Self {
            name: name.to_owned(),
            address: account.address(),
            root,
            link: Arc::new(Link::new(account)),
            driver: Driver::new()?,
        })
    }

    fn path(&self, key: &ObjectKey) -> String {
        below(&self.root, key.as_str())
    }

    fn staging_path(&self) -> String {
        below(
            &self.root,
            &format!("{}/{}", owner::FOLDER, owner::staging_name()),
        )
    }

    fn session(&self, cx: &Context) -> Result<Arc<Session>, Fault> {
        let subject = format!("connect to {}", self.address);
        self.driver
            .wait(&subject, REQUEST_LIMIT, cx, self.link.session())
    }

    /// Waits for a small request.
    fn ask<T>(
        &self,
        cx: &Context,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.driver.wait(&self.address, REQUEST_LIMIT, cx, work)
    }

    /// Size of the file of an object: a real file, not the name of one elsewhere.
    fn size(&self, session: &Session, key: &ObjectKey, cx: &Context) -> Result<u64, Fault> {
        let path = self.path(key);
        self.ask(cx, async {
            let found = session.look(&path).await?;
            match found.filter(Found::is_file) {
                Some(file) => file.size_bytes(&path),
                None => Err(self.missing(session, &path).await),
            }
        })
    }

    /// A missing repository is not an empty one: perhaps its disk is not mounted.
    async fn missing(&self, session: &Session, path: &str) -> Fault {
        match session.look(&self.root).await {
            Ok(Some(_)) => Fault::bare(FaultKind::NotFound, format!("there is no file {path}")),
            Ok(None) => self.no_root(),
            Err(fault) => fault,
        }
    }

    fn no_root(&self) -> Fault {
        let subject = format!("the folder {} is not there on {}", self.root, self.address);
        Fault::bare(FaultKind::Unavailable, subject)
    }

    /// Writes the source to a new file and compares what arrived.
    fn stage(
        &self,
        session: &Arc<Session>,
        staged: &str,
        source: (&ObjectKey, &mut dyn PutSource),
        cx: &Context,
    ) -> Result<u64, Fault> {
        let (key, source) = source;
        let size_bytes = source.size_bytes();
        let file = self.ask(cx, OpenFile::create(session, staged))?;
        file::copy_in(&self.driver, &file, (key, source), cx)?;
        let sealing = file.seal(size_bytes);
        self.driver.wait(staged, file::SEAL_LIMIT, cx, sealing)?;
        Ok(size_bytes)
    }

    /// Gives a staged file its name. Not cancelled in the middle: it must be known how it ended.
    fn publish(&self, session: &Session, staged: &str, target: &str) -> Result<(), Fault> {
        let uncancelled = Context::quiet();
        let naming = publish::name(&self.link, session, staged, target);
        let named = self
            .driver
            .wait(target, publish::LIMIT, &uncancelled, naming);
        match named {
            Err(fault) if fault.kind.is_transient() => {
                let settling = publish::settle(&self.link, staged, target);
                let settled = self
                    .driver
                    .wait(target, publish::LIMIT, &uncancelled, settling);
                settled.unwrap_or(Err(fault))
            }
            known => known,
        }
    }

    fn discard(&self, staged: String) {
        let link = Arc::clone(&self.link);
        self.driver.clean(async move {
            if let Ok(session) = link.session().await {
                let _ = session.remove(&staged).await;
            }
        });
    }
}

impl StorageSink for SftpSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, cx: &Context) -> Result<SinkLimits, Fault> {
        let session = self.session(cx)?;
        let free_bytes = self.ask(cx, staging::probe(&session, &self.root))?;
        Ok(SinkLimits {
            max_object_bytes: None,
            free_bytes,
        })
    }

    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        let session = self.session(cx)?;
        let (target, staged) = (self.path(key), self.staging_path());
        self.ask(cx, folders::make_for(&session, &self.root, key))?;
        self.ask(cx, publish::ensure_free(&session, &target))?;
        let put = self
            .stage(&session, &staged, (key, source), cx)
            .and_then(|size_bytes| {
                cx.check()?;
                self.publish(&session, &staged, &target)?;
                Ok(size_bytes)
            });
        if put.is_err() {
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
        let session = self.session(cx)?;
        let size_bytes = self.size(&session, key, cx)?;
        let range = range.unwrap_or(0..size_bytes);
        if range.start > range.end || range.end > size_bytes {
            let subject = format!("{key} does not have bytes {} to {}", range.start, range.end);
            return Err(Fault::bare(FaultKind::Corrupt, subject));
        }
        let path = self.path(key);
        let file = self.ask(cx, OpenFile::read(&session, &path))?;
        file::copy_out(&self.driver, &file, range, (key, into), cx)
    }

    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        let session = self.session(cx)?;
        let size_bytes = self.size(&session, key, cx)?;
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes,
        })
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        let session = self.session(cx)?;
        let mut walk = list::Walk::of(&self.root, prefix);
        while let Some(folder) = walk.next_folder() {
            let found = self.ask(cx, list::read(&session, &self.root, &folder))?;
            match found {
                Some(entries) => walk.take(&folder, entries)?,
                None if folder.is_empty() => return Err(self.no_root()),
                // A folder may vanish while we look.
                None => {}
            }
        }
        Ok(walk.found())
    }

    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
        let session = self.session(cx)?;
        let path = self.path(key);
        self.ask(cx, async {
            let found = session.look(&path).await?;
            match found.filter(Found::is_file) {
                Some(_) => session.remove(&path).await.map(drop),
                None => Ok(()),
            }
        })
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        let session = self.session(cx)?;
        let found = self.ask(cx, staging::abandoned(&session, &self.root))?;
        let mut swept = 0;
        for path in found {
            swept += u64::from(self.ask(cx, session.remove(&path))?);
        }
        Ok(swept)
    }

    fn location(&self, key: &ObjectKey) -> String {
        let path = self.path(key);
        match path.starts_with('/') {
            true => format!("{}{path}", self.address),
            false => format!("{}/~/{path}", self.address),
        }
    }
}

/// A path below a folder.
fn below(folder: &str, rest: &str) -> String {
    match folder {
        "/" => format!("/{rest}"),
        folder => format!("{folder}/{rest}"),
    }
}
