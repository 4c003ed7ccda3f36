//! What one store must do for a sink over it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::Fault;
use uuid::Uuid;

use super::parts::{Part, Shape};
use super::place::Place;
use super::wire::{Ask, Signer, Wire};

/// What a future of a store is.
pub(super) trait Answered<T>: Future<Output = Result<T, Fault>> + Send {}
impl<T, F: Future<Output = Result<T, Fault>> + Send> Answered<T> for F {}

/// A store, in its own words.
pub(super) trait Store: Signer + Sized + Send + Sync + 'static {
    /// What it takes.
    const SHAPE: Shape;
    /// Whether [`Store::unfinished`] tells of every upload; else notes alone do.
    const LISTS_UNFINISHED: bool = false;
    /// Whether an upload that was ended takes no part any more that is on its way.
    const ENDS_AT_ONCE: bool = true;

    /// Where the objects lie.
    fn place(&self) -> &Place;

    /// What its requests go over.
    fn wire(&self) -> &Wire;

    /// The request that reads an object.
    fn reading(&self, key: &ObjectKey) -> Ask;

    /// Whether an answer to [`Store::reading`] is of an object, and not of what only looks like one.
    fn is_object(&self, _headers: &HeaderMap) -> bool {
        true
    }

    /// What is known of an object, or [`respaldo_engine::ports::FaultKind::NotFound`].
    fn head(&self, key: &ObjectKey) -> impl Answered<Found>;

    /// A page of the objects whose keys start with `prefix`.
    fn page(&self, prefix: &str, after: Option<&str>) -> impl Answered<Page>;

    /// Removes an object; Ok where there is none.
    fn delete(&self, key: &ObjectKey) -> impl Answered<()>;

    /// Until when the store keeps an object against everybody; `None` where that is not asked for.
    fn locked_until(&self, _key: &ObjectKey) -> impl Answered<Option<DateTime<Utc>>> {
        async { Ok(None) }
    }

    /// Has an object kept at least until then.
    fn lock_until(&self, _key: &ObjectKey, _until: DateTime<Utc>) -> impl Answered<()> {
        async { Ok(()) }
    }

    /// Makes an object at once; [`respaldo_engine::ports::FaultKind::Exists`] where the key is taken.
    fn put_whole(&self, put: &Put, whole: Part) -> impl Answered<()>;

    /// Begins an object of several parts.
    fn begin(&self, put: &Put) -> impl Answered<Begun>;

    /// Sends a part of it.
    fn put_part(&self, upload: &Upload, part: Part) -> impl Answered<Receipt>;

    /// Sends the last part and makes the object of all of them, as `put_whole` would.
    fn complete(&self, upload: &Upload, receipts: Vec<Receipt>, last: Part) -> impl Answered<()>;

    /// Ends it without an object.
    fn abort(&self, upload: &Upload) -> impl Answered<()>;

    /// What was begun and neither completed nor aborted, where the store keeps such for ever.
    fn unfinished(&self) -> impl Answered<Vec<Unfinished>> {
        async { Ok(Vec::new()) }
    }
}

/// An object being made.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) key: ObjectKey,
    pub(super) size_bytes: u64,
    /// Kept with the object: tells it from one that another put made under its key.
    pub(super) mark: String,
}

impl Put {
    pub(super) fn new(key: &ObjectKey, size_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            key: key.clone(),
            size_bytes,
            mark: Uuid::new_v4().simple().to_string(),
        })
    }
}

/// An object being made of parts.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub(super) put: Arc<Put>,
    /// What the store calls it. May be as good as a credential, so it is never shown.
    pub(super) id: String,
}

/// An object of several parts that was begun.
#[derive(Debug)]
pub(super) struct Begun {
    /// What the store calls it.
    pub(super) id: String,
    /// Whether the store may have begun it more than once: answers were lost.
    pub(super) repeated: bool,
}

/// What a store says of a part that it has.
#[derive(Debug)]
pub(super) struct Receipt {
    pub(super) number: u64,
    pub(super) size_bytes: u64,
    /// Its name for the part, or its checksum.
    pub(super) tag: String,
    /// A second one, where the store wants to hear it again.
    pub(super) checksum: Option<String>,
}

/// An object that is there.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) size_bytes: u64,
    /// The mark of the put that made it.
    pub(super) mark: Option<String>,
}

/// Objects by their names in the bucket, and what to ask the next page with.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) found: Vec<(String, u64)>,
    pub(super) next: Option<String>,
}

/// An upload that the store still waits for.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) upload: Upload,
    pub(super) begun_at: DateTime<Utc>,
}
