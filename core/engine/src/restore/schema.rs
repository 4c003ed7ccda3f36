//! Definitions, sequence values and large objects: restored by stock pg_restore from small
//! archives cut out of the stored ones, without their rows. Indexes and constraints are made by our
//! own sessions.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use respaldo_archive::{ArchiveWriter, EncodeOptions, Entry, Offset, Section, Toc};
use respaldo_domain::backup::ArchiveName;
use respaldo_domain::restore_plan::RestorePlan;
use respaldo_postgres::{ConnInfo, Session, SessionOptions, ToolCommand, ToolError, sql};

use super::makings::{self, Making};
use super::{Restore, RestoreError};
use crate::faults::step;
use crate::ports::{Context, Fault, FaultKind, ObjectReader};
use crate::run_folder::RunFolder;

/// Longest run of one pg_restore.
const TOOL_LIMIT: Duration = Duration::from_hours(7 * 24);

/// The small archives of a restore, removed when dropped.
pub(crate) struct SchemaFiles {
    _folder: RunFolder,
    /// Everything but rows, without the SQL of the makings.
    definitions: PathBuf,
    /// Large objects that lie in another archive.
    large_objects: Option<PathBuf>,
    /// Whether the definitions come with sequence values or large objects.
    pub(super) has_data: bool,
    /// Indexes and constraints that our own sessions make.
    pub(super) makings: Vec<Making>,
    /// Whether anything is left to pg_restore after the rows.
    has_rest: bool,
    /// Extensions the definitions make.
    pub(super) extensions: Vec<String>,
    /// Tablespaces the definitions name.
    tablespaces: Vec<String>,
}

/// Cuts the small archives out of the stored ones.
pub(super) fn fetch(
    restore: &Restore<'_>,
    plan: &RestorePlan,
) -> Result<SchemaFiles, RestoreError> {
    restore
        .enter("restore.fetch")
        .map_err(RestoreError::Backup)?;
    cut(restore, plan).map_err(RestoreError::Backup)
}

fn cut(restore: &Restore<'_>, plan: &RestorePlan) -> Result<SchemaFiles, Fault> {
    let own = plan.manifest.definitions_in();
    let folder = RunFolder::make(&restore.work, "restore")?;
    let definitions = folder.file("definitions.dump");
    let large_objects = folder.file("large_objects.dump");
    let toc = read_toc(restore, own)?;
    let mut files = SchemaFiles {
        _folder: folder,
        definitions,
        large_objects: None,
        has_data: false,
        makings: Vec::new(),
        has_rest: false,
        extensions: Vec::new(),
        tablespaces: Vec::new(),
    };
    let text = |text: &respaldo_archive::Text| text.as_str().map(str::to_owned);
    files.extensions = toc
        .entries
        .iter()
        .filter(|e| e.is("EXTENSION"))
        .filter_map(|e| text(&e.tag))
        .collect();
    files.tablespaces = toc
        .entries
        .iter()
        .filter_map(|e| text(e.tablespace.as_ref()?))
        .collect();
    let mut definitions = toc.slice(|entry| !entry.is_table_data());
    // Archives that stock tools or earlier versions of us made are not.
    definitions.make_exact();
    files.has_data = definitions
        .entries
        .iter()
        .any(|entry| entry.section == Section::Data);
    files.makings = makings::take_from(&mut definitions);
    files.has_rest = has_rest(&definitions);
    write_slice(restore, own, definitions, &files.definitions)?;
    if let Some(other) = plan
        .manifest
        .large_objects
        .archive
        .as_ref()
        .filter(|name| *name != own)
    {
        let slice = read_toc(restore, other)?.slice(belongs_to_large_objects);
        write_slice(restore, other, slice, &large_objects)?;
        files.large_objects = Some(large_objects);
    }
    files.has_data |= files.large_objects.is_some();
    Ok(files)
}

/// Whether anything is left to make after the rows. Comments and grants belong to the section they
/// stand in.
fn has_rest(toc: &Toc) -> bool {
    let before = |entry: &&Entry| entry.section != Section::PostData;
    let has_sql = |entry: &Entry| entry.defn.as_ref().is_some_and(|sql| !sql.is_empty());
    toc.entries.iter().skip_while(before).any(has_sql)
}

/// An entry about large objects, or one that every archive begins with.
fn belongs_to_large_objects(entry: &Entry) -> bool {
    const PREAMBLE: [&str; 3] = ["ENCODING", "STDSTRINGS", "SEARCHPATH"];
    entry.is_of_large_objects() || PREAMBLE.iter().any(|kind| entry.is(kind))
}

/// The table of contents of a stored archive.
fn read_toc(restore: &Restore<'_>, archive: &ArchiveName) -> Result<Toc, Fault> {
    let store = &restore.parts.store;
    let mut stream = store.open_inside(&archive.key(), None, restore.cx)?;
    let (toc, _) = Toc::read(&mut stream).map_err(|e| corrupt(archive, e))?;
    Ok(toc)
}

fn corrupt(archive: &ArchiveName, error: respaldo_archive::ArchiveError) -> Fault {
    Fault::new(
        FaultKind::Corrupt,
        format!("{archive} cannot be read"),
        error,
    )
}

/// Writes a slice as an archive of its own, with the blocks its entries have (large objects).
fn write_slice(
    restore: &Restore<'_>,
    archive: &ArchiveName,
    slice: Toc,
    path: &Path,
) -> Result<(), Fault> {
    let blocks: Vec<(i32, u64)> = slice
        .entries
        .iter()
        .filter_map(|entry| match entry.offset {
            Offset::At(offset) => Some((entry.dump_id, offset)),
            Offset::NotSet | Offset::NoData => None,
        })
        .collect();
    let file =
        File::create_new(path).map_err(|e| Fault::io(format!("creating {}", path.display()), e))?;
    let inside = restore.parts.store.inside();
    let size = inside.head(&archive.key(), restore.cx)?.size_bytes;
    let mut writer = ArchiveWriter::create(file, slice, EncodeOptions::default())
        .map_err(|e| corrupt(archive, e))?;
    for (dump_id, offset) in blocks {
        let range = Some(offset..size);
        let stored = inside.open(&archive.key(), range, restore.cx)?;
        writer
            .copy_stored(dump_id, stored)
            .map_err(|e| corrupt(archive, e))?;
    }
    writer.finish().map_err(|e| corrupt(archive, e))?;
    Ok(())
}

/// Everything that tables need before their rows come.
pub(super) fn before_rows(
    restore: &Restore<'_>,
    plan: &RestorePlan,
    files: &SchemaFiles,
    database: &ConnInfo,
) -> Result<(), RestoreError> {
    restore
        .enter("restore.definitions")
        .map_err(RestoreError::Definitions)?;
    if !plan
        .manifest
        .schemas
        .iter()
        .any(|schema| schema == "public")
    {
        drop_public(database).map_err(RestoreError::Definitions)?;
    }
    let command = pg_restore(restore, plan, files, database, &files.definitions)?;
    run(restore.cx, plan, command.arg("--section=pre-data"))
}

/// Sequence values and large objects. `cx` is the part of the run that this belongs to.
pub(super) fn beside_rows(
    restore: &Restore<'_>,
    plan: &RestorePlan,
    files: &SchemaFiles,
    database: &ConnInfo,
    cx: &Context,
) -> Result<(), RestoreError> {
    step("restore.sequences").map_err(RestoreError::Definitions)?;
    let command = pg_restore(restore, plan, files, database, &files.definitions)?;
    run(cx, plan, command.arg("--section=data"))?;
    let Some(large_objects) = &files.large_objects else {
        return Ok(());
    };
    step("restore.large_objects").map_err(RestoreError::Definitions)?;
    let command = pg_restore(restore, plan, files, database, large_objects)?;
    run(cx, plan, command)
}

/// What is left after rows, indexes and constraints: triggers, rules, policies, grants, contents
/// of materialised views, and what no session of ours makes. One after another: with several jobs
/// pg_restore may switch a trigger off on a partition before the statement that makes it has run,
/// for the archive names no such dependency.
pub(super) fn after_rows(
    restore: &Restore<'_>,
    plan: &RestorePlan,
    files: &SchemaFiles,
    database: &ConnInfo,
) -> Result<(), RestoreError> {
    restore
        .enter("restore.rest")
        .map_err(RestoreError::Definitions)?;
    if !files.has_rest {
        return Ok(());
    }
    let command = pg_restore(restore, plan, files, database, &files.definitions)?;
    run(restore.cx, plan, command.arg("--section=post-data"))
}

fn pg_restore(
    restore: &Restore<'_>,
    plan: &RestorePlan,
    files: &SchemaFiles,
    database: &ConnInfo,
    archive: &Path,
) -> Result<ToolCommand, RestoreError> {
    let options = &restore.request.options;
    let tools = restore.parts.tools.get();
    let tools = tools.map_err(|error| RestoreError::Definitions(error.into()))?;
    let mut command = tools.pg_restore.command(database);
    if plan.manifest.coverage.is_complete() {
        command = command.arg("--exit-on-error");
    }
    if options.no_owner {
        command = command.arg("--no-owner");
    }
    if options.no_privileges {
        command = command.arg("--no-privileges");
    }
    if !has_tablespaces(files, database)? {
        command = command.arg("--no-tablespaces");
    }
    if let Some(id) = restore.parts.settings.maintenance_user_id {
        command = command.setting("app.user_id", id.to_string());
    }
    // The last step of all makes this durable, too.
    command = command.setting("synchronous_commit", "off");
    Ok(command.arg(archive))
}

/// A partial backup may lack what its definitions refer to; then pg_restore's complaints do not
/// end the restore, and the comparison of rows decides.
fn run(cx: &Context, plan: &RestorePlan, command: ToolCommand) -> Result<(), RestoreError> {
    let stop = || cx.interrupt().is_set();
    match command.run(&stop, TOOL_LIMIT) {
        Ok(_) => Ok(()),
        Err(error @ ToolError::Failed { .. }) if !plan.manifest.coverage.is_complete() => {
            tracing::warn!(%error, "definitions of a partial backup are incomplete");
            Ok(())
        }
        Err(error) => Err(RestoreError::Definitions(Fault {
            subject: "running pg_restore".to_owned(),
            ..error.into()
        })),
    }
}

pub(super) fn has_tablespaces(
    files: &SchemaFiles,
    database: &ConnInfo,
) -> Result<bool, RestoreError> {
    if files.tablespaces.iter().all(String::is_empty) {
        return Ok(true);
    }
    let mut session = Session::connect(database, &SessionOptions::default())
        .map_err(|e| RestoreError::Server(e.into()))?;
    let question = "SELECT spcname::text FROM pg_catalog.pg_tablespace UNION ALL SELECT ''";
    Ok(super::preflight::missing(&mut session, &files.tablespaces, question)?.is_empty())
}

/// The source had dropped schema public; every new database has one.
fn drop_public(database: &ConnInfo) -> Result<(), Fault> {
    let mut session = Session::connect(database, &SessionOptions::default())?;
    session.execute(sql("DROP SCHEMA IF EXISTS public"))?;
    Ok(())
}
