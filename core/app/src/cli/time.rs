//! Points in time and backups as people name them.

use std::str::FromStr;

use chrono::{
    DateTime, FixedOffset, Local, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone,
};
use respaldo_domain::backup::{ArchiveName, BackupId};

/// `--at`: the newest backup, or the newest one whose snapshot is not later than a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimePoint {
    /// The newest.
    Latest,
    /// As of this time.
    At(DateTime<FixedOffset>),
}

/// A text that names no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotATime {
    /// Neither form.
    #[error("write RFC 3339 (2026-11-24T02:17:46-03:00), YYYY-MM-DD[ HH:MM[:SS]] or latest")]
    Form,
    /// A local time that the clocks skipped.
    #[error("this local time does not exist: the clocks were put forward over it")]
    Skipped,
}

impl FromStr for TimePoint {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("latest") {
            return Ok(Self::Latest);
        }
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(at));
        }
        in_zone(local(text).ok_or(NotATime::Form)?, &Local).map(Self::At)
    }
}

fn local(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim().replacen('T', " ", 1);
    let with_time = |form: &str| NaiveDateTime::parse_from_str(&text, form).ok();
    let date = || {
        Some(
            NaiveDate::parse_from_str(&text, "%Y-%m-%d")
                .ok()?
                .and_time(NaiveTime::MIN),
        )
    };
    with_time("%Y-%m-%d %H:%M:%S")
        .or_else(|| with_time("%Y-%m-%d %H:%M"))
        .or_else(date)
}

/// Of an hour that the clocks repeat, the earlier: "not later than" then never takes a backup
/// made after what was meant.
fn in_zone<Z: TimeZone>(at: NaiveDateTime, zone: &Z) -> Result<DateTime<FixedOffset>, NotATime> {
    match zone.from_local_datetime(&at) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Ok(at.fixed_offset()),
        LocalResult::None => Err(NotATime::Skipped),
    }
}

/// A backup by its number in the catalog or by its lasting name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackupRef {
    /// Number.
    Id(BackupId),
    /// Archive's file name.
    Archive(ArchiveName),
}

/// A text that names no backup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a backup's number (42) or its file name (full_20261124_021746_7f3a.backup)")]
pub struct NotABackup;

impl FromStr for BackupRef {
    type Err = NotABackup;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(BackupId(id))),
            Err(_) => text.parse().map(Self::Archive).map_err(|_| NotABackup),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rfc_3339_or_local_with_parts_left_out() {
        let exact = "2026-11-24T02:17:46-03:00";
        let at = DateTime::parse_from_rfc3339(exact).unwrap();
        assert_eq!(exact.parse(), Ok(TimePoint::At(at)));
        assert_eq!("Latest".parse(), Ok(TimePoint::Latest));
        let midnight = "2026-11-24 00:00:00".parse::<TimePoint>().unwrap();
        for text in ["2026-11-24", "2026-11-24 00:00", "2026-11-24T00:00"] {
            assert_eq!(text.parse(), Ok(midnight), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "24/11/2026",
            "2026-13-01",
            "2026-11-24 25:00",
        ] {
            assert_eq!(text.parse::<TimePoint>(), Err(NotATime::Form), "{text}");
        }
    }

    #[test]
    fn a_backup_is_a_number_or_a_file_name() {
        assert_eq!("42".parse(), Ok(BackupRef::Id(BackupId(42))));
        assert!(matches!(
            "inc_20261124_021746.backup".parse(),
            Ok(BackupRef::Archive(_))
        ));
        assert_eq!("../x".parse::<BackupRef>(), Err(NotABackup));
    }
}
