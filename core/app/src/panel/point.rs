//! Backups and times as requests name them.

use chrono::{DateTime, Days, TimeDelta, Utc};
use respaldo_contract::messages::ErrorCode;
use respaldo_engine::operations::Selector;
use respaldo_panel::ask::Point;

use crate::cli::time::{BackupRef, TimePoint};
use crate::failure::Failure;

/// A backup by its number or its lasting name. What is neither names none.
pub fn backup(which: &str) -> Result<Selector, Failure> {
    let parsed = which.parse::<BackupRef>();
    let parsed = parsed.map_err(|error| Failure::of(ErrorCode::UnknownBackup, &error))?;
    Ok(parsed.into())
}

/// A restore point, and the time that was asked for.
pub fn point(point: &Point) -> Result<(Selector, Option<TimePoint>), Failure> {
    match point {
        Point::Id(which) => Ok((backup(which)?, None)),
        Point::At(at) => {
            let at = time(at)?;
            let selector = match at {
                TimePoint::Latest => Selector::Latest,
                TimePoint::At(at) => Selector::At(at),
            };
            Ok((selector, Some(at)))
        }
    }
}

fn time(text: &str) -> Result<TimePoint, Failure> {
    text.parse()
        .map_err(|error| Failure::of(ErrorCode::Usage, &error))
}

/// A time that a list begins with.
pub fn since(text: &str) -> Result<Option<DateTime<Utc>>, Failure> {
    Ok(match time(text)? {
        TimePoint::Latest => None,
        TimePoint::At(at) => Some(at.to_utc()),
    })
}

/// A time that a list ends with: that day or moment included.
pub fn until(text: &str) -> Result<Option<DateTime<Utc>>, Failure> {
    let TimePoint::At(at) = time(text)? else {
        return Ok(None);
    };
    let is_day = text.trim().len() == "2026-11-24".len();
    let next = match is_day {
        true => at.checked_add_days(Days::new(1)),
        false => at.checked_add_signed(TimeDelta::microseconds(1)),
    };
    Ok(next.map(|next| next.to_utc()))
}
