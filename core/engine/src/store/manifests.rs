//! The sealed sets of a store: found by their manifests, removed manifest first.

use std::collections::{BTreeMap, BTreeSet};

use respaldo_domain::backup::{ArchiveName, BackupKind};
use respaldo_domain::manifest::{Header, Manifest};
use respaldo_domain::object::{ObjectKey, ObjectRole, SealedObject};

use super::read::read_whole;
use super::{Kept, Store, StoreSink};
use crate::faults;
use crate::ports::{Codec, Context, Fault, FaultKind, ObjectReader};

/// No manifest is larger: half a million tables fit.
const MAX_MANIFEST_BYTES: u64 = 512 * 1024 * 1024;
const SUFFIX: &str = ".manifest.json";
const KINDS: [BackupKind; 3] = [
    BackupKind::Full,
    BackupKind::Differential,
    BackupKind::Incremental,
];

/// The headers of all manifests of a store.
#[derive(Debug)]
pub struct ManifestListing {
    /// One for each sealed set, in the order of names.
    pub manifests: Vec<ManifestRead>,
    /// Sinks which could not be listed: sets that only they hold are missing above.
    pub unlisted: Vec<SinkFault>,
}

/// A manifest as it was found.
#[derive(Debug)]
pub struct ManifestRead {
    /// The set.
    pub name: ArchiveName,
    /// Names of the sinks which hold the manifest.
    pub sinks: Vec<String>,
    /// The first good copy, or why there is none.
    pub result: Result<Header, Fault>,
}

/// A failure of one sink.
#[derive(Debug)]
pub struct SinkFault {
    /// The sink's name.
    pub sink: String,
    /// What it said.
    pub fault: Fault,
}

impl Store {
    /// Reads every manifest's header, merged over the sinks. Fails when no sink can be listed.
    pub fn manifests(&self, codec: &dyn Codec, cx: &Context) -> Result<ManifestListing, Fault> {
        let (holders, unlisted) = self.find_manifests(cx)?;
        let mut manifests = Vec::new();
        for (name, holders) in holders {
            cx.check()?;
            let result = self.first_good(&holders, &name, codec, cx);
            let result = result.map(|(header, _)| header);
            let sinks = holders
                .iter()
                .map(|entry| entry.sink.name().to_owned())
                .collect();
            manifests.push(ManifestRead {
                name,
                sinks,
                result,
            });
        }
        Ok(ManifestListing {
            manifests,
            unlisted,
        })
    }

    /// The header of a set's manifest, for which no key is needed.
    pub fn header(
        &self,
        name: &ArchiveName,
        codec: &dyn Codec,
        cx: &Context,
    ) -> Result<Header, Fault> {
        self.header_bytes(name, codec, cx).map(|(header, _)| header)
    }

    /// The whole manifest of one set. Of an encrypted one it is what this machine kept of it, or what
    /// a key opens; [`FaultKind::NoKey`] where there is neither.
    pub fn manifest(
        &self,
        name: &ArchiveName,
        codec: &dyn Codec,
        cx: &Context,
    ) -> Result<Manifest, Fault> {
        if name.is_encrypted() {
            let header = self.header(name, codec, cx)?;
            return self.whole(&header, codec, cx);
        }
        self.first_answer(0, &name.manifest_key(), |_, sink| {
            let bytes = read_whole(sink, &name.manifest_key(), MAX_MANIFEST_BYTES, cx)?;
            let manifest = codec.decode_manifest(&bytes)?;
            is_of(&manifest, name).map(|()| manifest)
        })
    }

    /// The whole manifest that belongs to a header.
    fn whole(&self, header: &Header, codec: &dyn Codec, cx: &Context) -> Result<Manifest, Fault> {
        let contradiction = || {
            let subject = format!("the header of {} contradicts its manifest", header.archive);
            Fault::bare(FaultKind::Corrupt, subject)
        };
        let object = header
            .object(ObjectRole::Manifest)
            .ok_or_else(contradiction)?;
        let whole = |bytes: &[u8]| {
            let manifest = completed(codec.decode_manifest(bytes)?, object);
            match manifest.header.public() == *header {
                true => Ok(manifest),
                false => Err(contradiction()),
            }
        };
        let kept = self.vault.kept(&header.archive, Kept::Manifest);
        if let Some(Ok(manifest)) = kept.map(|bytes| whole(&bytes)) {
            return Ok(manifest);
        }
        self.with_sound(&object.key, cx, |store| {
            whole(&store.read_inside(&object.key, MAX_MANIFEST_BYTES, cx)?)
        })
    }

    /// Names of all sealed sets, in the order of names. Fails when a required sink cannot be listed:
    /// what only it knows may depend on what the others show.
    pub fn sealed(&self, cx: &Context) -> Result<Vec<ArchiveName>, Fault> {
        let (holders, unlisted) = self.find_manifests(cx)?;
        let is_required = |name: &str| {
            self.sinks
                .iter()
                .any(|entry| entry.required && entry.sink.name() == name)
        };
        match unlisted.into_iter().find(|lost| is_required(&lost.sink)) {
            Some(lost) => Err(lost.fault),
            None => Ok(holders.into_keys().collect()),
        }
    }

    /// The sealed sets which other sinks hold and this one does not, the oldest first. Fails when it
    /// cannot be listed; another that cannot be is passed over.
    pub fn lacking(&self, sink: &str, cx: &Context) -> Result<Vec<ArchiveName>, Fault> {
        let (holders, unlisted) = self.find_manifests(cx)?;
        if let Some(lost) = unlisted.into_iter().find(|lost| lost.sink == sink) {
            return Err(lost.fault);
        }
        let lacks =
            |holders: &Vec<&StoreSink>| holders.iter().all(|entry| entry.sink.name() != sink);
        let lacking = holders.into_iter().filter(|(_, holders)| lacks(holders));
        let mut names: Vec<ArchiveName> = lacking.map(|(name, _)| name).collect();
        names.sort_by(|a, b| a.moment().cmp(b.moment()));
        Ok(names)
    }

    /// The bytes of what seals a set as the first sink has them in which it can be read.
    pub(crate) fn header_bytes(
        &self,
        name: &ArchiveName,
        codec: &dyn Codec,
        cx: &Context,
    ) -> Result<(Header, Vec<u8>), Fault> {
        let holders: Vec<&StoreSink> = self.sinks.iter().collect();
        self.first_good(&holders, name, codec, cx)
    }

    fn first_good(
        &self,
        holders: &[&StoreSink],
        name: &ArchiveName,
        codec: &dyn Codec,
        cx: &Context,
    ) -> Result<(Header, Vec<u8>), Fault> {
        let key = name.manifest_key();
        let store = self.over(holders.iter().map(|&entry| entry.clone()).collect());
        store.first_answer(0, &key, |_, sink| {
            let bytes = read_whole(sink, &key, MAX_MANIFEST_BYTES, cx)?;
            let header = codec.decode_header(&bytes)?;
            is_of(&header, name).map(|()| (header, bytes))
        })
    }

    /// Names of all archives in their proper places, sealed or not. Fails when any sink cannot be
    /// listed: what only it has may be missed.
    pub fn archives(&self, cx: &Context) -> Result<BTreeSet<ArchiveName>, Fault> {
        let mut found = BTreeSet::new();
        for entry in &self.sinks {
            for kind in KINDS {
                for object in entry.sink.list(&format!("{}/", kind.folder()), cx)? {
                    let name = object.key.file_name().parse::<ArchiveName>().ok();
                    found.extend(name.filter(|name| name.key() == object.key));
                }
            }
        }
        Ok(found)
    }

    /// Whether a set is sealed. Where there are required sinks they decide, because they are
    /// written first: an optional sink that is down does not keep a run from its own litter.
    pub fn is_sealed(&self, name: &ArchiveName, cx: &Context) -> Result<bool, Fault> {
        let required = self.sinks.iter().filter(|entry| entry.required).count();
        let deciding = if required == 0 {
            self.sinks.len()
        } else {
            required
        };
        let deciding = self.over(self.sinks[..deciding].to_vec());
        match ObjectReader::head(&deciding, &name.manifest_key(), cx) {
            Ok(_) => Ok(true),
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Removes the objects of a set of ours that was never sealed; a sink which has its manifest
    /// nevertheless keeps everything. Goes on after a failure and returns the first.
    pub fn remove_unsealed(&self, name: &ArchiveName, cx: &Context) -> Result<(), Fault> {
        let mut first_fault = None;
        for entry in &self.sinks {
            if let Err(fault) = remove_litter(entry, name, cx) {
                first_fault.get_or_insert(fault);
            }
        }
        first_fault.map_or(Ok(()), Err)
    }

    /// Removes a set from every sink: all manifests, then, where `may_go` has nothing against it, the other
    /// objects where the manifest is gone. Goes on after a failure of a sink and returns the first; to
    /// be called again it is harmless.
    pub fn delete_set(
        &self,
        manifest: &Header,
        may_go: impl FnOnce() -> Result<(), Fault>,
        cx: &Context,
    ) -> Result<(), Fault> {
        let objects = own_objects(manifest)?;
        let mut first_fault = None;
        let mut unsealed = Vec::new();
        for entry in &self.sinks {
            match delete(entry, &manifest.archive.manifest_key(), cx) {
                Ok(()) => unsealed.push(entry),
                Err(fault) => _ = first_fault.get_or_insert(fault),
            }
        }
        may_go()?;
        for entry in unsealed {
            for key in &objects {
                if let Err(fault) = delete(entry, key, cx) {
                    first_fault.get_or_insert(fault);
                }
            }
        }
        first_fault.map_or(Ok(()), Err)
    }

    /// Who holds which manifest, and who could not be asked.
    fn find_manifests(&self, cx: &Context) -> Result<(Holders<'_>, Vec<SinkFault>), Fault> {
        let mut holders = Holders::new();
        let mut unlisted = Vec::new();
        for entry in &self.sinks {
            match list_manifests(entry, cx) {
                Ok(names) => {
                    for name in names {
                        holders.entry(name).or_default().push(entry);
                    }
                }
                Err(fault) => {
                    cx.check()?;
                    unlisted.push(SinkFault {
                        sink: entry.sink.name().to_owned(),
                        fault,
                    });
                }
            }
        }
        if unlisted.len() < self.sinks.len() {
            return Ok((holders, unlisted));
        }
        let nothing = || Fault::bare(FaultKind::Invalid, "no sink is configured");
        Err(unlisted
            .into_iter()
            .next()
            .map_or_else(nothing, |first| first.fault))
    }
}

type Holders<'a> = BTreeMap<ArchiveName, Vec<&'a StoreSink>>;

fn list_manifests(entry: &StoreSink, cx: &Context) -> Result<Vec<ArchiveName>, Fault> {
    let mut names = Vec::new();
    for kind in KINDS {
        faults::step("store.list")?;
        let found = entry.sink.list(&format!("{}/", kind.folder()), cx)?;
        names.extend(found.iter().filter_map(|object| sealed_by(&object.key)));
    }
    Ok(names)
}

/// The set that a key seals, if it is the key of a manifest in its proper place.
fn sealed_by(key: &ObjectKey) -> Option<ArchiveName> {
    let name: ArchiveName = key.file_name().strip_suffix(SUFFIX)?.parse().ok()?;
    (name.manifest_key() == *key).then_some(name)
}

fn is_of(header: &Header, name: &ArchiveName) -> Result<(), Fault> {
    if header.archive == *name {
        return Ok(());
    }
    let subject = format!(
        "{} is the manifest of {}",
        name.manifest_key(),
        header.archive
    );
    Err(Fault::bare(FaultKind::Corrupt, subject))
}

/// A whole manifest with the object that it is itself, which it cannot name.
fn completed(mut manifest: Manifest, itself: &SealedObject) -> Manifest {
    manifest.header.objects.push(itself.clone());
    manifest
}

fn remove_litter(entry: &StoreSink, name: &ArchiveName, cx: &Context) -> Result<(), Fault> {
    match entry.sink.head(&name.manifest_key(), cx) {
        Ok(_) => return Ok(()),
        Err(fault) if fault.kind == FaultKind::NotFound => {}
        Err(fault) => return Err(fault),
    }
    for key in name.object_keys() {
        delete(entry, &key, cx)?;
    }
    Ok(())
}

/// The keys that may be removed with a set. A manifest that names others is not obeyed.
fn own_objects(manifest: &Header) -> Result<Vec<ObjectKey>, Fault> {
    let name = &manifest.archive;
    let own = name.object_keys();
    let named = || manifest.objects.iter().map(|object| &object.key);
    if let Some(foreign) = named().find(|key| !own.contains(key)) {
        let subject = format!("{foreign} is not an object of {name}");
        return Err(Fault::bare(FaultKind::Invalid, subject));
    }
    Ok(named().cloned().collect())
}

fn delete(entry: &StoreSink, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
    cx.check()?;
    faults::step("store.delete")?;
    entry.sink.delete(key, cx)
}
