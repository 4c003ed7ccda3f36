//! Which backup is meant, and what it is called.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::backup::{ArchiveName, BackupId};

use crate::history::History;
use crate::intent::WorkDir;
use crate::parts::Parts;
use crate::ports::{Context, Fault, FaultKind, ObjectReader};

/// Which backup is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The newest.
    Latest,
    /// The newest whose snapshot is not later.
    At(DateTime<FixedOffset>),
    /// By its number in the catalog.
    Id(BackupId),
    /// By its name.
    Name(ArchiveName),
}

/// The name of the backup a selector means; [`FaultKind::NotFound`] where there is none, [`FaultKind::NoCatalog`]
/// where it has a number and nobody who knows it answers.
pub(crate) fn resolve(
    parts: &Parts,
    selector: &Selector,
    cx: &Context,
) -> Result<ArchiveName, Fault> {
    let nothing = |what: String| Fault::bare(FaultKind::NotFound, what);
    let work = WorkDir::open(&parts.settings.work_dir)?;
    let point = |at| {
        let history = History::load(&parts.store, &*parts.codec, &work, cx)?;
        Ok::<_, Fault>(history.restore_point(at))
    };
    match selector {
        Selector::Latest => {
            point(None)?.ok_or_else(|| nothing("there is no backup in storage".to_owned()))
        }
        Selector::At(at) => {
            point(Some(*at))?.ok_or_else(|| nothing(format!("no backup is as old as {at}")))
        }
        Selector::Name(name) if is_there(parts, name, cx)? => Ok(name.clone()),
        Selector::Name(name) => Err(nothing(format!("there is no backup {name} in storage"))),
        Selector::Id(id) => by_id(parts, *id)?.ok_or_else(|| {
            nothing(format!(
                "the catalog has no backup of respaldo with id {id}"
            ))
        }),
    }
}

/// Whether there is anything of that backup. One whose manifest alone is gone is damaged, and
/// whoever reads it says so.
fn is_there(parts: &Parts, name: &ArchiveName, cx: &Context) -> Result<bool, Fault> {
    Ok(parts.store.is_sealed(name, cx)?
        || ObjectReader::head(&*parts.store, &name.key(), cx).is_ok())
}

fn by_id(parts: &Parts, id: BackupId) -> Result<Option<ArchiveName>, Fault> {
    let Some(catalog) = &parts.catalog else {
        let hint = "name the backup by its archive, or configure [catalog] url";
        return Err(Fault::new(
            FaultKind::NoCatalog,
            "without a catalog there are no ids",
            hint,
        ));
    };
    let entry = catalog.get(id).map_err(not_asked)?;
    let entry = entry.filter(|entry| entry.ours);
    Ok(entry.and_then(|entry| entry.archive.parse().ok()))
}

/// Storage is well: whoever tells of this fault must not blame it.
fn not_asked(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::NotFound | FaultKind::Cancelled => fault,
        _ => Fault::new(
            FaultKind::NoCatalog,
            "asking the catalog which backup has this id",
            fault,
        ),
    }
}
