//! Objects in a bucket: Amazon S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.
//!
//! A put of up to one part is one conditional request. A larger one sends parts, a few at a time and
//! each with a checksum, and then completes the upload under the same condition, so that no key is
//! ever written twice. A crash before the completion leaves an upload that no reader sees: `sweep`
//! ends it where it was noted on this machine ([`crate::notes`]), and those of other machines after a day where
//! the store lists them (S3). The others drop theirs by themselves after a week. A crash
//! after it leaves the whole object. Every put carries a mark of its own, by which an object is told
//! to be ours where an answer was lost.
//!
//! The crate `object_store` signs and fetches credentials. The requests are our own: it can neither
//! complete an upload under a condition, nor lock objects, nor find unfinished uploads, and one
//! foreign name ends its listings.

#[cfg(feature = "azure")]
pub mod azure;
mod download;
#[cfg(feature = "gcs")]
pub mod gcs;
mod parts;
mod place;
#[cfg(feature = "s3")]
pub mod s3;
mod store;
mod sweep;
mod upload;
mod wire;
#[cfg(any(feature = "s3", feature = "azure"))]
mod xml;

use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, ObjectInfo, PutSource, SinkLimits, StorageSink};

use store::{Page, Store};

use crate::Problem;
use crate::notes::Notes;
use crate::remote::Driver;

/// Longest wait for one thing that is asked, tries and pauses included; each try has a shorter one.
const ASK_LIMIT: Duration = Duration::from_mins(15);

/// A bucket as a sink.
struct ObjectStoreSink<S> {
    name: String,
    store: Arc<S>,
    driver: Driver,
    notes: Option<Notes>,
}

impl<S: Store> ObjectStoreSink<S> {
    /// A sink under this name. Nothing is asked before the first call.
    fn new(name: &str, store: S, notes: Option<&Path>) -> Result<Self, Problem> {
        Ok(Self {
            name: name.to_owned(),
            store: Arc::new(store),
            driver: Driver::new()?,
            notes: notes.map(Notes::in_folder),
        })
    }

    fn ask<T>(
        &self,
        cx: &Context,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let subject = format!("reach {}", self.store.place().address());
        self.driver.wait(&subject, ASK_LIMIT, cx, work)
    }

    fn pages(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        let mut objects = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.page(prefix, after.as_deref());
            let Page { found, next } = self.ask(cx, page)?;
            objects.extend(found.into_iter().filter_map(|(name, size_bytes)| {
                let key = self.store.place().key(&name)?;
                Some(ObjectInfo { key, size_bytes })
            }));
            match next {
                Some(next) if after.as_ref() != Some(&next) => after = Some(next),
                _ => return Ok(objects),
            }
        }
    }
}

impl<S: Store> StorageSink for ObjectStoreSink<S> {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, cx: &Context) -> Result<SinkLimits, Fault> {
        self.ask(cx, self.store.page("", None))?;
        Ok(SinkLimits {
            max_object_bytes: Some(S::SHAPE.max_object_bytes),
            free_bytes: None,
        })
    }

    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        upload::put(self, key, source, cx)
    }

    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        download::get(self, key, range, into, cx)
    }

    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        let found = self.ask(cx, self.store.head(key))?;
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes: found.size_bytes,
        })
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        let mut objects = self.pages(prefix, cx)?;
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        // An object put while the pages were turned may come on two of them.
        objects.dedup_by(|a, b| a.key == b.key);
        Ok(objects)
    }

    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
        self.ask(cx, self.store.delete(key))
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        sweep::sweep(self, cx)
    }

    fn locked_until(&self, key: &ObjectKey, cx: &Context) -> Result<Option<DateTime<Utc>>, Fault> {
        self.ask(cx, self.store.locked_until(key))
    }

    fn lock_until(&self, key: &ObjectKey, until: DateTime<Utc>, cx: &Context) -> Result<(), Fault> {
        self.ask(cx, self.store.lock_until(key, until))
    }

    fn location(&self, key: &ObjectKey) -> String {
        self.store.place().location(key)
    }
}
