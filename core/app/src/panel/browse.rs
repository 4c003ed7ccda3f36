//! The catalog in parts; where it does not answer, what storage holds, cut and counted here.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, Local, NaiveDate, Utc};
use respaldo_contract::labels::Label;
use respaldo_domain::backup::{BackupId, BackupKind, BackupState};
use respaldo_engine::operations::Operations;
use respaldo_engine::ports::{
    Browse, CatalogEntry, CatalogFilter, Context, Day, EntryOrder, EntryPage, Fault, FaultKind,
    Part, Sum, Survey,
};

use crate::failure::{Failure, of_catalog};

/// Asks the catalog; what it gives is `Some`, and `None` is that storage has to be asked. A catalog that went with the
/// server is made again from storage first.
pub fn asked<T>(
    operations: &Operations,
    cx: &Context,
    ask: impl Fn(&dyn Browse) -> Result<T, Fault>,
) -> Result<Option<T>, Failure> {
    let catalog = operations.parts().catalog.as_ref();
    let Some(browse) = catalog.and_then(|catalog| catalog.browse()) else {
        return Ok(None);
    };
    let told = match ask(browse) {
        Err(fault) if fault.kind == FaultKind::NotFound => {
            let newest = CatalogFilter {
                limit: Some(1),
                ..CatalogFilter::default()
            };
            // It makes the tables, and brings in what storage holds.
            operations
                .list(&newest, cx)
                .map_err(|fault| of_catalog(&fault))?;
            ask(browse)
        }
        told => told,
    };
    match told {
        Ok(told) => Ok(Some(told)),
        Err(fault) if is_away(fault.kind) => {
            tracing::debug!(%fault, "the catalog does not answer: storage is asked");
            Ok(None)
        }
        Err(fault) => Err(of_catalog(&fault)),
    }
}

fn is_away(kind: FaultKind) -> bool {
    use FaultKind::{Denied, NotFound, Unavailable};
    matches!(kind, Unavailable | Denied | NotFound)
}

/// Everything that storage holds, newest first.
pub fn stored(operations: &Operations, cx: &Context) -> Result<Vec<CatalogEntry>, Failure> {
    let listed = operations.list(&CatalogFilter::default(), cx);
    listed.map_err(|fault| of_catalog(&fault))
}

/// A part of the backups.
pub fn page(
    operations: &Operations,
    wanted: &EntryPage,
    cx: &Context,
) -> Result<Part<CatalogEntry>, Failure> {
    if let Some(part) = asked(operations, cx, |browse| browse.page(wanted))? {
        return Ok(part);
    }
    Ok(part_of(stored(operations, cx)?, wanted))
}

fn part_of(mut entries: Vec<CatalogEntry>, wanted: &EntryPage) -> Part<CatalogEntry> {
    entries.retain(|entry| is_wanted(entry, wanted));
    match wanted.order {
        EntryOrder::Started => entries.sort_by_key(|entry| entry.started_at),
        EntryOrder::Size => entries.sort_by_key(|entry| entry.size_bytes),
        EntryOrder::Kind => entries.sort_by(|a, b| a.kind_label.cmp(&b.kind_label)),
        EntryOrder::State => entries.sort_by_key(|entry| entry.state.label()),
    }
    if wanted.descending {
        entries.reverse();
    }
    let total = entries.len() as u64;
    let count = wanted.rows.len();
    let rows = entries
        .into_iter()
        .skip(wanted.rows.start as usize)
        .take(count);
    Part {
        rows: rows.collect(),
        total,
    }
}

fn is_wanted(entry: &CatalogEntry, wanted: &EntryPage) -> bool {
    let kind = BackupKind::from_label(&entry.kind_label).ok();
    let at = entry.started_at.to_utc();
    let has = |text: &String| {
        let text = text.to_lowercase();
        let label = entry.label.as_deref().unwrap_or_default();
        entry.archive.to_lowercase().contains(&text) || label.to_lowercase().contains(&text)
    };
    wanted.kind.is_none_or(|wanted| kind == Some(wanted))
        && wanted.state.is_none_or(|wanted| entry.state == wanted)
        && wanted.since.is_none_or(|since: DateTime<Utc>| at >= since)
        && wanted.before.is_none_or(|before| at < before)
        && wanted.text.as_ref().is_none_or(has)
}

/// How things stand.
pub fn survey(
    operations: &Operations,
    points: u32,
    days: u32,
    cx: &Context,
) -> Result<Survey, Failure> {
    if let Some(survey) = asked(operations, cx, |browse| browse.survey(points, days))? {
        return Ok(survey);
    }
    let entries = stored(operations, cx)?;
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    let mut of_day: BTreeMap<NaiveDate, u64> = BTreeMap::new();
    let done = entries
        .iter()
        .filter(|entry| entry.state == BackupState::Completed);
    for entry in done.clone() {
        let bytes = entry.size_bytes.unwrap_or(0);
        let label = entry.kind_label.clone();
        let sum = sums.entry(label.clone()).or_insert(Sum {
            kind_label: label,
            count: 0,
            bytes: 0,
            first: entry.started_at,
            last: entry.started_at,
        });
        sum.count += 1;
        sum.bytes += bytes;
        sum.first = sum.first.min(entry.started_at);
        sum.last = sum.last.max(entry.started_at);
        *of_day.entry(day_of(entry.started_at)).or_default() += bytes;
    }
    let mut all = 0;
    let growth = of_day.into_iter().map(|(day, bytes)| {
        all += bytes;
        (day, all)
    });
    let growth: Vec<_> = growth.collect();
    let left = growth.len().saturating_sub(days as usize);
    Ok(Survey {
        sums: sums.into_values().collect(),
        last: done.clone().next().cloned(),
        tables: None,
        running: Vec::new(),
        // Without a catalog nothing is known to be proven.
        points: done
            .clone()
            .take(points as usize)
            .map(|entry| (entry.clone(), None))
            .collect(),
        growth: growth[left..].to_vec(),
        oldest_unproven: done.map(|entry| entry.started_at).min(),
    })
}

fn day_of(at: DateTime<FixedOffset>) -> NaiveDate {
    at.with_timezone(&Local).date_naive()
}

/// Days with backups, newest first.
pub fn days(operations: &Operations, limit: u32, cx: &Context) -> Result<Vec<Day>, Failure> {
    if let Some(days) = asked(operations, cx, |browse| browse.days(limit))? {
        return Ok(days);
    }
    let mut days: BTreeMap<NaiveDate, Day> = BTreeMap::new();
    for entry in stored(operations, cx)? {
        let at = entry.started_at;
        let day = days.entry(day_of(at)).or_insert(Day {
            count: 0,
            first: at,
            last: at,
        });
        day.count += 1;
        day.first = day.first.min(at);
        day.last = day.last.max(at);
    }
    Ok(days.into_values().rev().take(limit as usize).collect())
}

/// The number of a backup, as the catalog knows it.
pub fn number(operations: &Operations, which: &str) -> Result<Option<BackupId>, Failure> {
    if let Ok(number) = which.parse() {
        return Ok(Some(BackupId(number)));
    }
    let Ok(name) = which.parse() else {
        return Ok(None);
    };
    let Some(catalog) = &operations.parts().catalog else {
        return Ok(None);
    };
    let found = catalog.find(&name).map_err(|fault| of_catalog(&fault))?;
    Ok(found.and_then(|entry| entry.id))
}
