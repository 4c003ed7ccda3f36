//! Validation: looking at a sealed set.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use respaldo_domain::manifest::{Header, Manifest};
use respaldo_domain::object::ObjectKey;
use respaldo_domain::validation::{Finding, ValidationLevel};
use respaldo_postgres::ConnInfo;

use super::{Context, Fault, ObjectInfo};

/// Looks at one aspect of a sealed backup.
pub trait Validator: Send + Sync {
    /// Name in the configuration.
    fn name(&self) -> &str;

    /// The level it belongs to.
    fn level(&self) -> ValidationLevel;

    /// Examines a backup and goes on after the first problem. A failed check is a finding; `Err`
    /// means that the check could not be made, which never counts as good.
    fn validate(
        &self,
        request: &ValidationRequest<'_>,
        cx: &Context,
    ) -> Result<Vec<Finding>, Fault>;
}

/// What is validated and what may be used for it.
pub struct ValidationRequest<'a> {
    /// The sealed backup.
    pub header: &'a Header,
    /// Its objects as they are stored.
    pub objects: &'a dyn ObjectReader,
    /// What is in them; `None` where that is encrypted and no key is at hand, which is told
    /// without the validators.
    pub inside: Option<Inside<'a>>,
    /// A server where scratch databases may be made, for drills.
    pub scratch_server: Option<&'a ConnInfo>,
    /// What was found good before, in the same look at several backups.
    pub verified: &'a Verified,
}

/// What lies in the objects of a set.
#[derive(Clone, Copy)]
pub struct Inside<'a> {
    /// The whole manifest.
    pub manifest: &'a Manifest,
    /// The objects, decrypted where they are encrypted.
    pub objects: &'a dyn ObjectReader,
}

/// What one look at several backups found good, so that what many of them read is read once. Only
/// digests are kept: there may be a block for each table of each backup.
#[derive(Debug, Default)]
pub struct Verified {
    digests: Mutex<HashSet<(u64, u64)>>,
}

impl Verified {
    /// Whether this was found good.
    pub fn knows(&self, claim: &impl Hash) -> bool {
        self.lock().contains(&digest(claim))
    }

    /// Notes that this was found good.
    pub fn note(&self, claim: &impl Hash) {
        self.lock().insert(digest(claim));
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<(u64, u64)>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(claim: &impl Hash) -> (u64, u64) {
    let half = |which: u8| {
        let mut hasher = DefaultHasher::new();
        (which, claim).hash(&mut hasher);
        hasher.finish()
    };
    (half(0), half(1))
}

/// Reads objects of a store without staging them.
pub trait ObjectReader: Send + Sync {
    /// Size of an object.
    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault>;

    /// A stream over a range of it (all when `None`), fetched in bounded windows.
    fn open<'a>(
        &'a self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        cx: &Context,
    ) -> Result<Box<dyn Read + Send + 'a>, Fault>;
}
