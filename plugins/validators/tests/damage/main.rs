//! Every kind of damage to every object is found by the level that promises it.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, like tests, fail by panicking"
)]

mod fixture;

use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use fixture::Repository;
use respaldo_domain::manifest::Compression;
use respaldo_domain::object::{ObjectKey, Sha256};
use respaldo_domain::validation::{FindingCode, Severity, ValidationLevel};
use respaldo_engine::ports::{
    Context, Fault, FaultKind, Interrupt, ObjectInfo, ObjectReader, Quiet, StorageSink, Verified,
};
use respaldo_engine::store::Store;

const LEVELS: [ValidationLevel; 4] = [
    ValidationLevel::Presence,
    ValidationLevel::Checksum,
    ValidationLevel::Readable,
    ValidationLevel::Chain,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    BitFlip,
    Truncated,
    Missing,
    Swapped,
    Empty,
}

const DAMAGES: [Damage; 5] = [
    Damage::BitFlip,
    Damage::Truncated,
    Damage::Missing,
    Damage::Swapped,
    Damage::Empty,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Archive,
    Manifest,
    Stats,
    BaseArchive,
    BaseManifest,
}

const TARGETS: [Target; 5] = [
    Target::Archive,
    Target::Manifest,
    Target::Stats,
    Target::BaseArchive,
    Target::BaseManifest,
];

impl Target {
    /// Its key, and the key of the object it is confused with.
    fn keys(self, repository: &Repository) -> (ObjectKey, ObjectKey) {
        let (own, base) = (&repository.incremental.archive, &repository.full.archive);
        match self {
            Self::Archive => (own.key(), base.key()),
            Self::Manifest => (own.manifest_key(), base.manifest_key()),
            Self::Stats => (own.stats_key(), base.stats_key()),
            Self::BaseArchive => (base.key(), own.key()),
            Self::BaseManifest => (base.manifest_key(), own.manifest_key()),
        }
    }
}

/// Does the damage; says whether it shows in the object's size.
fn damage(repository: &Repository, target: Target, damage: Damage) -> bool {
    let (key, other) = target.keys(repository);
    let whole = repository.sink.bytes(&key).unwrap();
    let mut bytes = whole.clone();
    match damage {
        Damage::BitFlip => bytes[whole.len() / 2] ^= 1,
        Damage::Truncated => bytes.truncate(whole.len() / 2),
        Damage::Swapped => bytes = repository.sink.bytes(&other).unwrap(),
        Damage::Empty => bytes.clear(),
        Damage::Missing => {
            repository.sink.delete(&key, &Context::quiet()).unwrap();
            return true;
        }
    }
    assert_ne!(bytes, whole, "{target:?} {damage:?} changes nothing");
    let resized = bytes.len() != whole.len();
    repository.sink.tamper(&key, bytes);
    resized
}

/// Levels that must find it. Nobody knows a manifest's size, so there only "none" shows in it.
fn promised(target: Target, damage: Damage, resized: bool) -> Vec<ValidationLevel> {
    use ValidationLevel::{Chain, Checksum, Presence, Readable};
    let presence = match target {
        Target::Manifest => matches!(damage, Damage::Missing | Damage::Empty),
        Target::BaseManifest => false,
        Target::Archive | Target::Stats | Target::BaseArchive => resized,
    };
    let deeper: &[ValidationLevel] = match target {
        Target::Archive => &[Checksum, Readable],
        Target::Manifest | Target::Stats => &[Checksum],
        Target::BaseArchive | Target::BaseManifest => &[Chain],
    };
    presence
        .then_some(Presence)
        .into_iter()
        .chain(deeper.iter().copied())
        .collect()
}

#[test]
fn an_undamaged_set_has_no_findings() {
    for compression in [Compression::None, Compression::Gzip] {
        let repository = Repository::new(compression);
        for level in LEVELS {
            assert_eq!(repository.find(level), [], "{compression:?}");
            let (full, store, cx) = (&repository.full, &repository.store, Context::quiet());
            assert_eq!(repository.find_with(level, full, store, &cx).unwrap(), []);
        }
    }
}

#[test]
fn every_damage_is_found_by_the_levels_that_promise_it_and_by_no_other() {
    for compression in [Compression::None, Compression::Gzip] {
        for target in TARGETS {
            for kind in DAMAGES {
                let repository = Repository::new(compression);
                let resized = damage(&repository, target, kind);
                let promised = promised(target, kind, resized);
                for level in LEVELS {
                    let found = repository.find(level);
                    let context =
                        format!("{compression:?} {target:?} {kind:?} {level:?} {found:?}");
                    assert_eq!(!found.is_empty(), promised.contains(&level), "{context}");
                    assert!(
                        found
                            .iter()
                            .all(|f| f.severity == Severity::Error && f.level == level)
                    );
                }
            }
        }
    }
}

#[test]
fn every_byte_of_a_block_counts() {
    let repository = Repository::new(Compression::Gzip);
    let key = repository.incremental.archive.key();
    let whole = repository.sink.bytes(&key).unwrap();
    let block = repository
        .incremental
        .dumped()
        .next()
        .unwrap()
        .data
        .clone()
        .unwrap()
        .block;
    let (first, last) = (
        block.offset as usize,
        (block.offset + block.length) as usize - 1,
    );
    for at in (first..last).step_by(last / 50).chain([last]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        repository.sink.tamper(&key, bytes);
        let found = repository.find(ValidationLevel::Readable);
        assert_eq!(found.len(), 1, "byte {at}: {found:?}");
        assert_eq!(found[0].code, FindingCode::WrongChecksum);
        assert!(found[0].subject.contains("public.t2"), "{found:?}");
    }
}

#[test]
fn looking_goes_on_after_the_first_problem() {
    let mut repository = Repository::new(Compression::Gzip);
    for table in &mut repository.full.tables {
        table.data.as_mut().unwrap().fingerprint.sum ^= 1;
    }
    let (full, store, cx) = (&repository.full, &repository.store, Context::quiet());
    let found = repository
        .find_with(ValidationLevel::Readable, full, store, &cx)
        .unwrap();
    let codes: Vec<_> = found.iter().map(|finding| &finding.code).collect();
    assert_eq!(codes, [&FindingCode::WrongRows, &FindingCode::WrongRows]);
}

#[test]
fn a_manifest_that_is_readable_and_another_is_found() {
    let mut repository = Repository::new(Compression::Gzip);
    repository.incremental.header.label = Some("other".to_owned());
    let found = repository.find(ValidationLevel::Checksum);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, FindingCode::WrongChecksum);
}

#[test]
fn an_archive_that_its_own_manifest_describes_otherwise_breaks_the_chain() {
    let mut repository = Repository::new(Compression::Gzip);
    repository.incremental.header.archives[0].sha256 = Sha256([0; 32]);
    let found = repository.find(ValidationLevel::Chain);
    let codes: Vec<_> = found.iter().map(|finding| &finding.code).collect();
    assert_eq!(
        codes,
        [&FindingCode::BrokenChain, &FindingCode::WrongChecksum]
    );
}

#[test]
fn a_manifest_that_points_to_another_block_is_found_though_every_hash_fits() {
    let mut repository = Repository::new(Compression::Gzip);
    let [first, second] = &mut repository.full.tables[..] else {
        panic!("two tables")
    };
    std::mem::swap(&mut first.data, &mut second.data);
    second.data.as_mut().unwrap().block.dump_id = 2;
    let (full, store, cx) = (&repository.full, &repository.store, Context::quiet());
    let found = repository
        .find_with(ValidationLevel::Readable, full, store, &cx)
        .unwrap();
    assert!(
        found.iter().any(|f| f.code == FindingCode::Unreadable),
        "{found:?}"
    );
}

#[test]
fn lost_and_damaged_large_objects_are_found() {
    let mut repository = Repository::new(Compression::Gzip);
    let base = repository.full.archive.key();
    let mut bytes = repository.sink.bytes(&base).unwrap();
    // The last object is empty; what is before it belongs to the first.
    let at = bytes.len() - 60;
    bytes[at] ^= 0xff;
    repository.sink.tamper(&base, bytes);
    let found = repository.find(ValidationLevel::Chain);
    let about_them =
        |f: &&respaldo_domain::validation::Finding| f.subject.contains("large objects");
    assert_eq!(found.iter().filter(about_them).count(), 1, "{found:?}");

    repository = Repository::new(Compression::Gzip);
    repository.incremental.large_objects.count = 3;
    let found = repository.find(ValidationLevel::Chain);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code, FindingCode::WrongRows);
}

#[test]
fn a_manifest_that_does_not_describe_an_archive_it_needs_is_found() {
    let mut repository = Repository::new(Compression::Gzip);
    repository.incremental.header.archives.remove(0);
    let found = repository.find(ValidationLevel::Presence);
    assert!(
        found
            .iter()
            .all(|f| f.code == FindingCode::ManifestUnreadable)
    );
    assert_eq!(found.len(), 2, "one table and the large objects: {found:?}");
}

#[test]
fn unknown_fingerprints_are_said_to_be_unchecked() {
    let mut repository = Repository::new(Compression::Gzip);
    repository.full.header.tools.fingerprint = "other/2".to_owned();
    let (full, store, cx) = (&repository.full, &repository.store, Context::quiet());
    let found = repository
        .find_with(ValidationLevel::Readable, full, store, &cx)
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, FindingCode::NotChecked);
}

/// A store that does not answer.
struct Down(FaultKind);

impl ObjectReader for Down {
    fn head(&self, key: &ObjectKey, _cx: &Context) -> Result<ObjectInfo, Fault> {
        Err(Fault::bare(self.0, key.as_str()))
    }

    fn open<'a>(
        &'a self,
        key: &ObjectKey,
        _range: Option<Range<u64>>,
        _cx: &Context,
    ) -> Result<Box<dyn Read + Send + 'a>, Fault> {
        Err(Fault::bare(self.0, key.as_str()))
    }
}

/// Counts how often an object is opened.
struct Counting<'s> {
    store: &'s Store,
    opened: Mutex<Vec<ObjectKey>>,
}

impl ObjectReader for Counting<'_> {
    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        self.store.head(key, cx)
    }

    fn open<'a>(
        &'a self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        cx: &Context,
    ) -> Result<Box<dyn Read + Send + 'a>, Fault> {
        self.opened.lock().unwrap().push(key.clone());
        self.store.open(key, range, cx)
    }
}

#[test]
fn what_several_backups_read_is_read_once_in_one_look_and_damage_is_told_for_each() {
    let mut repository = Repository::new(Compression::Gzip);
    let (verified, cx) = (Verified::default(), Context::quiet());
    let base = repository.full.archive.key();
    let opened = |repository: &Repository| {
        let counting = Counting {
            store: &repository.store,
            opened: Mutex::default(),
        };
        let manifest = &repository.incremental;
        let level = ValidationLevel::Chain;
        let found = repository.find_again(level, manifest, &counting, &verified, &cx);
        let opened = counting.opened.into_inner().unwrap();
        let times = opened.into_iter().filter(|key| *key == base).count();
        (found.unwrap().len(), times)
    };
    let (found, first) = opened(&repository);
    assert_eq!(found, 0);
    assert!(
        first > 2,
        "whole, its table of contents, its blocks: {first}"
    );
    assert_eq!(opened(&repository), (0, 1), "its table of contents alone");

    // Another manifest may say something else of the same bytes.
    for facts in &mut repository.incremental.header.archives {
        facts.sha256 = Sha256([7; 32]);
    }
    let (found, _) = opened(&repository);
    assert!(found > 0);
    let (again, _) = opened(&repository);
    assert_eq!(again, found, "only what is good is remembered");
}

#[test]
fn a_store_that_does_not_answer_is_never_taken_for_a_good_one_nor_for_damage() {
    let repository = Repository::new(Compression::Gzip);
    let (manifest, cx) = (&repository.incremental, Context::quiet());
    for level in LEVELS {
        let down = Down(FaultKind::Unavailable);
        let found = repository.find_with(level, manifest, &down, &cx).unwrap();
        assert!(!found.is_empty(), "{level:?}");
        assert!(
            found.iter().all(|f| f.code == FindingCode::NotChecked),
            "{found:?}"
        );
    }
}

#[test]
fn an_interrupt_ends_a_validation_without_a_verdict() {
    let repository = Repository::new(Compression::Gzip);
    let interrupt = Interrupt::default();
    interrupt.set();
    let cx = Context::new(interrupt, Arc::new(Quiet));
    for level in LEVELS {
        let found = repository.find_with(level, &repository.incremental, &repository.store, &cx);
        assert_eq!(found.unwrap_err().kind, FaultKind::Cancelled, "{level:?}");
    }
}
