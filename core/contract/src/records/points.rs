//! Days one can go back to.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::Serialize;

/// The restore points of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestorePointRecord {
    /// The day.
    pub fecha: NaiveDate,
    /// How many there are.
    pub cantidad_backups: usize,
    /// The first.
    pub primero: DateTime<FixedOffset>,
    /// The last.
    pub ultimo: DateTime<FixedOffset>,
}

/// Restore points per day, newest day first, at most `limit` days. A time counts for the day it
/// has in its own offset.
///
/// ```
/// use respaldo_contract::records::restore_points;
///
/// let at = |text| chrono::DateTime::parse_from_rfc3339(text).unwrap();
/// let times = [at("2026-11-23T23:00:00-03:00"), at("2026-11-24T00:10:00-03:00")];
/// let days = restore_points(times, 100);
/// assert_eq!(days.len(), 2);
/// assert_eq!(days[0].fecha.to_string(), "2026-11-24");
/// ```
pub fn restore_points(
    times: impl IntoIterator<Item = DateTime<FixedOffset>>,
    limit: usize,
) -> Vec<RestorePointRecord> {
    let mut days: BTreeMap<NaiveDate, RestorePointRecord> = BTreeMap::new();
    for at in times {
        let fecha = at.date_naive();
        let new = RestorePointRecord {
            fecha,
            cantidad_backups: 0,
            primero: at,
            ultimo: at,
        };
        let day = days.entry(fecha).or_insert(new);
        day.cantidad_backups += 1;
        day.primero = day.primero.min(at);
        day.ultimo = day.ultimo.max(at);
    }
    days.into_values().rev().take(limit).collect()
}
