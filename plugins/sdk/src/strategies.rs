//! The traits that a plugin implements: the same promises as the strategies that come with respaldo.
//!
//! All calls block. They come from threads of the host with 8 MiB of stack, several at once, so that a
//! strategy keeps its own state behind locks.

use std::io::{BufRead, Write};
use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Result, Status};
use crate::records::{
    DetectionRequest, DumpRequest, DumperFacts, Finding, ObjectInfo, SinkLimits, Subject, Summary,
    TableVerdict, Target,
};

/// Called for each record of an enumeration. An error ends the enumeration and becomes its result.
pub type Each<'a, T> = &'a mut dyn FnMut(T) -> Result<()>;

/// A plugin and how it is made.
pub trait Plugin: Send + Sync + Sized + 'static {
    /// `vendor.name`: lower-case letters, digits, `-`, and at least one dot.
    const ID: &'static str;
    /// For people.
    const NAME: &'static str;
    /// Semantic version.
    const VERSION: &'static str;
    /// Who makes it.
    const VENDOR: &'static str = "";
    /// SPDX expression.
    const LICENSE: &'static str = "";
    /// One sentence.
    const DESCRIPTION: &'static str = "";

    /// Its options. Their JSON Schema is checked by respaldo before [`Plugin::create`]; mark secrets with
    /// `#[schemars(extend("writeOnly" = true))]`.
    type Options: DeserializeOwned + JsonSchema;

    /// Makes an instance. Reaches nothing outside yet.
    fn create(options: Self::Options) -> Result<Self>;
}

/// Options of a plugin that has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

/// What a call is given: whether to stop, and whom to tell how far it is.
pub trait Context: Send + Sync {
    /// Whether the call is to stop.
    fn is_cancelled(&self) -> bool;
    /// So much of so much is done (`total` 0: unknown). Also the heartbeat of a call that is silent for
    /// long, as long as `done` grows.
    fn progress(&self, done: u64, total: u64);
    /// A line for the host's log. Never a secret.
    fn log(&self, level: Level, message: &str);
    /// Fails once the call is to stop. To be called at least once in every loop that can take seconds.
    fn check(&self) -> Result<()>;
}

/// Level of a line of log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something an operator should know.
    Warn,
    /// What was done.
    Info,
    /// For whoever looks for a bug.
    Debug,
}

/// Keeps objects. An object is complete or not there: nothing half is ever visible under a key. Keys are
/// relative, `/` between their parts, of ASCII letters, digits, `.`, `_`, `-`; no part is empty or begins with
/// a dot; 512 bytes at most.
pub trait StorageSink: Send + Sync {
    /// What a key is appended to so that a person finds the object, for example `/backup/`.
    fn location(&self) -> String;

    /// Reaches the store with these credentials and says what it can do. As given here it asks for an object
    /// that is not there.
    fn probe(&self, cx: &dyn Context) -> Result<SinkLimits> {
        match self.head("probe", cx) {
            Err(error) if error.status != Status::NotFound => Err(error),
            _ => Ok(SinkLimits::default()),
        }
    }

    /// Stores the `size` bytes of `source` under `key`. Ok means durable and visible; on an error,
    /// cancellation or crash the key shows what it showed before. Fails with
    /// [`crate::Status::Exists`] where the key is taken.
    fn put(&self, key: &str, size: u64, source: &mut dyn BufRead, cx: &dyn Context) -> Result<()>;

    /// Writes the bytes of `range` (all when `None`). [`crate::Status::NotFound`] before the first byte;
    /// [`crate::Status::Corrupt`] where the object ends before the range.
    fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        into: &mut dyn Write,
        cx: &dyn Context,
    ) -> Result<()>;

    /// An object, or [`crate::Status::NotFound`]. As given here it looks into the list.
    fn head(&self, key: &str, cx: &dyn Context) -> Result<ObjectInfo> {
        let mut found = None;
        let each = &mut |object: ObjectInfo| {
            if object.key == key {
                found = Some(object);
            }
            Ok(())
        };
        self.list(key, each, cx)?;
        found.ok_or_else(|| Error::new(Status::NotFound, format!("{key} is not there")))
    }

    /// Every object whose key begins with `prefix`, each once, in any order.
    fn list(&self, prefix: &str, each: Each<'_, ObjectInfo>, cx: &dyn Context) -> Result<()>;

    /// Removes an object; Ok where there is none.
    fn remove(&self, key: &str, cx: &dyn Context) -> Result<()>;

    /// Removes leftovers of interrupted puts (a killed plugin cannot clean up); returns how many. Never an
    /// object, and nothing that a put under way still needs. As given here there are none.
    fn sweep(&self, _cx: &dyn Context) -> Result<u64> {
        Ok(0)
    }
}

/// Says of each table whether it is provably unchanged since the base. **Fails towards dumping**: what cannot be
/// proven is `Unknown`, and a missing verdict counts as such.
pub trait ChangeDetector: Send + Sync {
    /// Reads what must be read *before* the snapshot is taken; `None`: nothing.
    fn baseline(&self, target: &Target, cx: &dyn Context) -> Result<Option<Value>>;

    /// A verdict for every table of the request. Without a base every verdict is `Changed` and only carries the
    /// evidence for next time. The evidence of an unchanged table must compare right with the backup that holds
    /// its data.
    fn verdicts(
        &self,
        request: &DetectionRequest,
        each: Each<'_, TableVerdict>,
        cx: &dyn Context,
    ) -> Result<Summary>;
}

/// Writes the archive of a backup.
pub trait Dumper: Send + Sync {
    /// Checks that it can dump this source.
    fn probe(&self, target: &Target, cx: &dyn Context) -> Result<DumperFacts>;

    /// Writes one archive in the custom format of pg_dump: the complete schema, sequence values, large objects
    /// where asked for, and the rows of the tables in scope, all as the snapshot sees them. Offsets need not be
    /// filled in and any compression will do: respaldo compresses anew, counts rows and fingerprints them.
    fn dump(&self, request: &DumpRequest, into: &mut dyn Write, cx: &dyn Context) -> Result<()>;
}

/// Looks at one aspect of a sealed backup.
pub trait Validator: Send + Sync {
    /// Examines an archive and goes on after the first problem. A failed check is a finding; `Err` means that the
    /// check could not be made, which never counts as good.
    fn validate(
        &self,
        subject: &Subject,
        archive: &mut dyn BufRead,
        each: Each<'_, Finding>,
        cx: &dyn Context,
    ) -> Result<()>;
}
