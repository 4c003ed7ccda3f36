//! What a restore would do: the plan it would execute, what is wrong with what it would read and,
//! where asked for, what it would change in the live database.

use std::collections::BTreeMap;
use std::sync::Arc;

use respaldo_domain::manifest::{Manifest, TableEntry};
use respaldo_domain::report::{LiveChange, LiveDifference, PreviewBackup, PreviewReport};
use respaldo_domain::restore_plan::{self, RestorePlan};
use respaldo_domain::table::{TableFacts, TableName};
use respaldo_domain::validation::{Finding, FindingCode, Severity, ValidationLevel};
use respaldo_postgres::{SessionOptions, Snapshot};

use crate::backup::chain;
use crate::parts::Parts;
use crate::ports::{Catalog, Context, Fault, FaultKind};
use crate::restore::fingerprint;
use crate::selector::{Selector, resolve};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct PreviewRequest {
    /// The restore point.
    pub selector: Selector,
    /// Compare with the live database, too: reads every table of it.
    pub live: bool,
}

/// Plans a restore and looks at everything it would read. `None` where there is no restore point.
pub fn preview(
    parts: &Parts,
    request: &PreviewRequest,
    cx: &Context,
) -> Result<Option<PreviewReport>, Fault> {
    let name = match resolve(parts, &request.selector, cx) {
        Ok(name) => name,
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let manifest = parts.store.manifest(&name, &*parts.codec, cx)?;
    let plan = restore_plan::plan(manifest, &[])
        .map_err(|e| Fault::new(FaultKind::Internal, "planning a restore", e))?;
    let problems = problems(parts, &plan, cx)?;
    let backups = backups(parts, &plan, cx);
    let live = if request.live {
        compare(parts, &plan.manifest, cx)?
    } else {
        Vec::new()
    };
    Ok(Some(PreviewReport {
        plan,
        backups,
        problems,
        live,
    }))
}

/// The backups it takes data from. One whose own manifest is gone is shown with the restore
/// point's, because its archive is what counts.
fn backups(parts: &Parts, plan: &RestorePlan, cx: &Context) -> Vec<PreviewBackup> {
    let mut backups = Vec::new();
    for share in &plan.sources {
        let name = &share.facts.name;
        let Ok(manifest) = parts.store.manifest(name, &*parts.codec, cx) else {
            continue;
        };
        // A number is a convenience: a lost catalog must not keep a restore from being planned.
        let known = |catalog: &Arc<dyn Catalog>| catalog.find(name).ok().flatten();
        let id = parts
            .catalog
            .as_ref()
            .and_then(known)
            .and_then(|entry| entry.id);
        let location = parts.store.location(&name.key());
        backups.push(PreviewBackup {
            id,
            manifest,
            location,
        });
    }
    backups
}

/// Archives that are missing or are not what their hash says.
fn problems(parts: &Parts, plan: &RestorePlan, cx: &Context) -> Result<Vec<Finding>, Fault> {
    let mut problems = Vec::new();
    for share in &plan.sources {
        cx.check()?;
        let key = share.facts.name.key();
        let problem = match parts.store.hash(&key, cx) {
            Ok((sha256, size))
                if sha256 == share.facts.sha256 && size == share.facts.size_bytes =>
            {
                continue;
            }
            Ok(_) => (
                FindingCode::WrongChecksum,
                "its bytes are not those sealed".to_owned(),
            ),
            Err(fault) if fault.kind == FaultKind::NotFound => {
                (FindingCode::Missing, chain(&fault))
            }
            Err(fault) => (FindingCode::NotChecked, chain(&fault)),
        };
        problems.push(Finding {
            level: ValidationLevel::Checksum,
            severity: Severity::Error,
            code: problem.0,
            subject: key.to_string(),
            detail: problem.1,
        });
    }
    Ok(problems)
}

/// Every table of the restore point and of the live database, by name.
fn compare(parts: &Parts, manifest: &Manifest, cx: &Context) -> Result<Vec<LiveDifference>, Fault> {
    let mut snapshot = Snapshot::open(&parts.source, &SessionOptions::default())?;
    let live: BTreeMap<TableName, Arc<TableFacts>> = snapshot
        .tables()?
        .into_iter()
        .filter(|table| table.has_data() && !parts.settings.operational.contains(&table.name))
        .map(|table| (table.name.clone(), table))
        .collect();
    let then: BTreeMap<&TableName, &TableEntry> = manifest
        .tables
        .iter()
        .filter(|t| t.data.is_some())
        .map(|t| (&t.name, t))
        .collect();
    let mut names: Vec<&TableName> = live.keys().chain(then.keys().copied()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| {
            let change = change(
                &mut snapshot,
                live.get(name).map(|facts| &**facts),
                then.get(name).copied(),
                cx,
            )?;
            Ok(LiveDifference {
                table: name.clone(),
                change,
            })
        })
        .collect()
}

fn change(
    snapshot: &mut Snapshot,
    live: Option<&TableFacts>,
    then: Option<&TableEntry>,
    cx: &Context,
) -> Result<LiveChange, Fault> {
    let now = match live {
        Some(facts) => Some(fingerprint(
            snapshot.session(),
            &facts.name,
            &facts.columns,
            "",
            cx,
        )?),
        None => None,
    };
    let data = then.and_then(|entry| entry.data.as_ref());
    Ok(match (now, data) {
        (Some(now), Some(data)) if now == data.fingerprint => LiveChange::Identical,
        (Some(now), Some(data)) => LiveChange::Differs {
            rows_now: now.rows,
            rows_then: data.fingerprint.rows,
        },
        (Some(now), None) => LiveChange::WouldVanish { rows: now.rows },
        (None, data) => LiveChange::WouldReturn {
            rows: data.map_or(0, |data| data.fingerprint.rows),
        },
    })
}
