//! A folder from which a restore point is rebuilt without us: the archives it needs as they are
//! stored, lists that say which rows to take from which, and a script for psql, pg_restore and
//! sha256sum.
//!
//! Stock pg_restore loads rows under the name their table had when they were dumped. The rows of
//! tables that were renamed since are put into one more archive, under their present names.
//! Like an export the folder has its name last: an interrupted kit is no kit.
//!
//! Of an encrypted backup everything but the script and the guide stays encrypted, and the script
//! opens it with the program age, unless the kit is to be decrypted.

mod plan;
mod script;

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::PathBuf;

use respaldo_archive::{Hashes, Offset, SplicedBlock, write_spliced};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::manifest::Manifest;
use respaldo_domain::object::{ENCRYPTED, ObjectKey, ObjectRole, Sha256};
use uuid::Uuid;

use self::plan::{Plan, Renamed};
use crate::export::{ExportError, blame, find, hold};
use crate::faults::step;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::private;
use crate::publish::NewFolder;
use crate::selector::Selector;
use crate::store::{HashingReader, Vault, fault_of_io, io_of_fault, sha256};

/// Bytes moved at once.
const BUFFER_BYTES: usize = 256 * 1024;
/// Largest roles script taken along.
const MAX_ROLES_BYTES: u64 = 64 * 1024 * 1024;

/// What is asked for.
pub struct EscapeKitRequest<'a> {
    /// The restore point.
    pub selector: Selector,
    /// A folder that does not exist, or is empty.
    pub folder: PathBuf,
    /// Whether what is encrypted is written in the clear.
    pub decrypted: bool,
    /// Writes RESTORE.md, in the languages of the people who will read it, for a kit that is
    /// encrypted or not.
    pub guide: &'a dyn Fn(&Manifest, bool) -> String,
}

/// What a kit holds.
#[derive(Debug)]
pub struct EscapeKitReport {
    /// The restore point.
    pub manifest: Manifest,
    /// Its files, in the order of SHA256SUMS.
    pub files: Vec<KitFile>,
}

/// A file of a kit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitFile {
    /// Its path in the folder.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its hash.
    pub sha256: Sha256,
}

/// Writes a kit.
pub fn escape_kit(
    parts: &Parts,
    request: &EscapeKitRequest<'_>,
    cx: &Context,
) -> Result<EscapeKitReport, ExportError> {
    let manifest = find(parts, &request.selector, cx)?;
    let _reading = hold(parts, &manifest, cx)?;
    let plan = plan::plan(parts, &manifest, cx)?;
    let is_encrypted = manifest.is_encrypted() && !request.decrypted;
    let mut kit = Kit {
        folder: NewFolder::begin(&request.folder).map_err(ExportError::Output)?,
        files: Vec::new(),
        encrypting: is_encrypted.then(|| parts.store.vault()),
    };
    kit.add_archives(parts, &manifest, &plan, cx)?;
    kit.add_renamed(parts, &plan.renamed, cx)?;
    let has_roles = kit.add_roles(parts, &manifest, cx)?;
    for (name, text) in &plan.lists {
        kit.add_private(name, text.as_bytes(), cx)?;
    }
    let script = script::script(parts, &manifest, &plan, has_roles, is_encrypted);
    kit.add_text(script::NAME, &script)?;
    let guide = (request.guide)(&manifest, is_encrypted);
    kit.add_text("RESTORE.md", &guide)?;
    kit.publish(manifest)
}

/// A kit being written.
struct Kit<'a> {
    folder: NewFolder,
    files: Vec<KitFile>,
    /// Encrypts what must not be read by everybody.
    encrypting: Option<&'a Vault>,
}

impl Kit<'_> {
    fn add_archives(
        &mut self,
        parts: &Parts,
        manifest: &Manifest,
        plan: &Plan,
        cx: &Context,
    ) -> Result<(), ExportError> {
        let needed = manifest
            .archives
            .iter()
            .filter(|facts| plan.archives.contains(&facts.name));
        let total = needed.clone().map(|facts| facts.size_bytes).sum();
        cx.progress().step("kit.archives", Some(total));
        for facts in needed {
            step("kit.archive").map_err(ExportError::Backup)?;
            let key = facts.name.key();
            let name = archive_path(&facts.name);
            // An archive of the chain may be older than its encryption.
            if self.encrypting.is_some() && facts.name.is_encrypted() {
                let stored = parts.store.open(&key, None, cx);
                let stored = stored.map_err(ExportError::Backup)?;
                let written = self.add(&self.stored(&name), stored, cx)?;
                check(&key, written, facts.sha256)?;
            } else {
                let inside = parts.store.open_inside(&key, None, cx);
                let inside = inside.map_err(ExportError::Backup)?;
                let written = self.add_private(&name, inside, cx)?;
                check(&key, written, facts.archive_sha256())?;
            }
        }
        Ok(())
    }

    /// Rows of renamed tables, joined as an export joins them.
    fn add_renamed(
        &mut self,
        parts: &Parts,
        renamed: &Renamed,
        cx: &Context,
    ) -> Result<(), ExportError> {
        let Some(toc) = renamed.toc.clone() else {
            return Ok(());
        };
        step("kit.renamed").map_err(ExportError::Backup)?;
        let with_block = toc.entries.iter().filter(|e| e.offset != Offset::NoData);
        let block = |entry: &respaldo_archive::Entry| {
            let dump_id = entry.dump_id;
            let length = renamed.sources.get(&dump_id)?.length;
            Some(SplicedBlock { dump_id, length })
        };
        let blocks: Vec<SplicedBlock> = with_block.filter_map(block).collect();
        let open = |dump_id: i32| {
            let source = renamed
                .sources
                .get(&dump_id)
                .ok_or(io::ErrorKind::NotFound)?;
            source.open(parts, cx).map_err(io_of_fault)
        };
        if self.encrypting.is_some() {
            let mut joined = unnamed(parts)?;
            write_spliced(&joined, toc, &blocks, Hashes::Spared, open).map_err(blame)?;
            let back = joined.rewind();
            back.map_err(|error| writing(plan::RENAMED, error))?;
            return self.add_private(plan::RENAMED, joined, cx).map(drop);
        }
        let file = self
            .folder
            .file(plan::RENAMED)
            .map_err(ExportError::Output)?;
        let finished = write_spliced(&file, toc, &blocks, Hashes::Spared, open).map_err(blame)?;
        sync(finished.out, plan::RENAMED)?;
        drop(file);
        self.note(plan::RENAMED)
    }

    /// The roles stored with the full of the chain, where it has some.
    fn add_roles(
        &mut self,
        parts: &Parts,
        manifest: &Manifest,
        cx: &Context,
    ) -> Result<bool, ExportError> {
        let full = match parts.store.header(&manifest.full, &*parts.codec, cx) {
            Ok(full) => full,
            // The rows do not need it, and neither does a restore by a role that owns everything.
            Err(fault) if fault.kind == FaultKind::NotFound => return Ok(false),
            Err(fault) => return Err(ExportError::Backup(fault)),
        };
        let Some(object) = full.object(ObjectRole::Roles) else {
            return Ok(false);
        };
        let stored = parts
            .store
            .read_all(&object.key, MAX_ROLES_BYTES, cx)
            .map_err(ExportError::Backup)?;
        check(&object.key, sha256(&stored), object.sha256)?;
        if self.encrypting.is_some() && object.key.is_encrypted() {
            self.add(&self.stored(script::ROLES), &stored[..], cx)?;
        } else {
            let roles = parts.store.read_inside(&object.key, MAX_ROLES_BYTES, cx);
            let roles = roles.map_err(ExportError::Backup)?;
            self.add_private(script::ROLES, &roles[..], cx)?;
        }
        Ok(true)
    }

    /// What a file is called that may be encrypted.
    fn stored(&self, name: &str) -> String {
        match self.encrypting {
            Some(_) => format!("{name}{ENCRYPTED}"),
            None => name.to_owned(),
        }
    }

    /// Writes a file that is encrypted where the kit is; returns the hash of what is in it.
    fn add_private(
        &mut self,
        name: &str,
        from: impl Read,
        cx: &Context,
    ) -> Result<Sha256, ExportError> {
        let Some(vault) = self.encrypting else {
            return self.add(name, from, cx);
        };
        let name = self.stored(name);
        let file = self.folder.file(&name).map_err(ExportError::Output)?;
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, &file);
        let inside = vault.encrypt(from, &mut out, cx);
        let inside = inside.map_err(ExportError::Output)?;
        out.flush().map_err(|e| writing(&name, e))?;
        drop(out);
        sync(&file, &name)?;
        drop(file);
        self.note(&name)?;
        Ok(inside.sha256)
    }

    fn add_text(&mut self, name: &str, text: &str) -> Result<(), ExportError> {
        self.add(name, text.as_bytes(), &Context::quiet()).map(drop)
    }

    /// Writes a file durably, and returns its hash.
    fn add(&mut self, name: &str, from: impl Read, cx: &Context) -> Result<Sha256, ExportError> {
        let file = self.folder.file(name).map_err(ExportError::Output)?;
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, &file);
        let mut from = HashingReader::new(from);
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            cx.check().map_err(ExportError::Backup)?;
            let got = from.read(&mut buffer).map_err(|e| reading(name, e))?;
            if got == 0 {
                break;
            }
            cx.progress().bytes(got as u64);
            out.write_all(&buffer[..got])
                .map_err(|e| writing(name, e))?;
        }
        out.flush().map_err(|e| writing(name, e))?;
        drop(out);
        sync(&file, name)?;
        let (sha256, size_bytes) = from.finish();
        self.files.push(KitFile {
            name: name.to_owned(),
            size_bytes,
            sha256,
        });
        Ok(sha256)
    }

    /// Takes down a file that was written by other means.
    fn note(&mut self, name: &str) -> Result<(), ExportError> {
        let file = self.folder.read(name).map_err(ExportError::Output)?;
        let mut hash = HashingReader::new(file);
        hash.drain().map_err(|e| writing(name, e))?;
        let (sha256, size_bytes) = hash.finish();
        self.files.push(KitFile {
            name: name.to_owned(),
            size_bytes,
            sha256,
        });
        Ok(())
    }

    /// The sums come last but for the name of the folder.
    fn publish(mut self, manifest: Manifest) -> Result<EscapeKitReport, ExportError> {
        let line = |file: &KitFile| format!("{}  {}\n", file.sha256, file.name);
        let sums: String = self.files.iter().map(line).collect();
        let files = self.files.clone();
        self.add_text(script::SUMS, &sums)?;
        step("kit.publish").map_err(ExportError::Output)?;
        self.folder.publish().map_err(ExportError::Output)?;
        Ok(EscapeKitReport { manifest, files })
    }
}

/// Where an archive lies in a kit, once it is decrypted.
fn archive_path(name: &ArchiveName) -> String {
    format!("archives/{}", name.plain())
}

/// A file of the working folder that is gone when it is closed.
fn unnamed(parts: &Parts) -> Result<File, ExportError> {
    let path = parts
        .settings
        .work_dir
        .join(format!("kit-{}", Uuid::new_v4().simple()));
    let making =
        |error| ExportError::Output(Fault::io(format!("making {}", path.display()), error));
    let mut options = private::writing();
    let opened = options.read(true).create_new(true).open(&path);
    let file = opened.map_err(making)?;
    // Where an open file cannot be removed it stays, and says by its name what it was.
    let _ = std::fs::remove_file(&path);
    Ok(file)
}

fn check(key: &ObjectKey, found: Sha256, expected: Sha256) -> Result<(), ExportError> {
    if found == expected {
        return Ok(());
    }
    let what = format!("{key} is damaged");
    Err(ExportError::Backup(Fault::bare(FaultKind::Corrupt, what)))
}

fn sync(file: &std::fs::File, name: &str) -> Result<(), ExportError> {
    file.sync_all().map_err(|e| writing(name, e))
}

fn writing(name: &str, error: io::Error) -> ExportError {
    ExportError::Output(Fault::io(format!("writing {name}"), error))
}

fn reading(name: &str, error: io::Error) -> ExportError {
    ExportError::Backup(fault_of_io(format!("reading what becomes {name}"), error))
}
