//! Names of backup files: `backup_daily_20261124_230000.sql`, a custom-format archive despite its
//! ending. Further ones of the same second end in `_2.sql`, `_3.sql` ...

use std::fmt;

use chrono::NaiveDateTime;

use crate::kind::LegacyKind;

const STAMP: &str = "%Y%m%d_%H%M%S";

/// What a file name says: its type and the local time at which it was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BackupName {
    /// Type.
    pub kind: LegacyKind,
    /// Local time, to the second.
    pub at: NaiveDateTime,
    /// From 1; higher where the second was taken.
    pub copy: u32,
}

impl BackupName {
    /// Reads a file name; `None` for one that this service does not write.
    pub fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("backup_")?.strip_suffix(".sql")?;
        let (kind, rest) = rest.split_once('_')?;
        let (stamp, copy) = rest.split_at_checked(15)?;
        let is_stamp = |(at, byte): (usize, u8)| match at {
            8 => byte == b'_',
            _ => byte.is_ascii_digit(),
        };
        if !stamp.bytes().enumerate().all(is_stamp) {
            return None;
        }
        Some(Self {
            kind: kind.parse().ok()?,
            at: NaiveDateTime::parse_from_str(stamp, STAMP).ok()?,
            copy: parse_copy(copy)?,
        })
    }

    /// The name while the file is being written: nobody takes it for a backup.
    pub fn unfinished(&self) -> String {
        format!(".{self}{UNFINISHED}")
    }
}

/// Ending of every file that is not finished.
pub(crate) const UNFINISHED: &str = ".part";

fn parse_copy(text: &str) -> Option<u32> {
    if text.is_empty() {
        return Some(1);
    }
    let copy: u32 = text.strip_prefix('_')?.parse().ok()?;
    // One way to spell a name, so that what was read is written alike.
    (copy > 1 && text == format!("_{copy}")).then_some(copy)
}

impl fmt::Display for BackupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "backup_{}_{}", self.kind, self.at.format(STAMP))?;
        if self.copy > 1 {
            write!(f, "_{}", self.copy)?;
        }
        f.write_str(".sql")
    }
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, TimeDelta};
    use proptest::prelude::*;

    use super::*;

    fn any_name() -> impl Strategy<Value = BackupName> {
        let first = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap_or_default();
        let kinds = proptest::sample::select(LegacyKind::ALL.to_vec());
        (kinds, 0..4_000_000_000_i64, 1..50_u32).prop_map(move |(kind, seconds, copy)| BackupName {
            kind,
            at: first.and_time(chrono::NaiveTime::MIN) + TimeDelta::seconds(seconds),
            copy,
        })
    }

    proptest! {
        #[test]
        fn a_name_is_read_as_it_was_written(name in any_name()) {
            prop_assert_eq!(BackupName::parse(&name.to_string()), Some(name));
            prop_assert_eq!(BackupName::parse(&name.unfinished()), None);
        }

        #[test]
        fn whatever_is_read_is_written_alike(text in "backup_(daily|manual)_[0-9]{8}_[0-9]{6}(_[0-9]{1,3})?\\.sql") {
            if let Some(name) = BackupName::parse(&text) {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }

    #[test]
    fn names_are_those_of_the_existing_service() {
        let name = BackupName::parse("backup_weekly_20261122_233000.sql").unwrap();
        assert_eq!(name.kind, LegacyKind::Weekly);
        assert_eq!(name.at.to_string(), "2026-11-22 23:30:00");
        for other in [
            "backup_tienda_20261122_233000.sql",
            "backup_daily_20261322_233000.sql",
            "backup_daily_20261122_233000.backup",
            "backup_daily_20261122-233000.sql",
            "backup_daily_20261122_233000_1.sql",
            "backup_daily_20261122_233000_02.sql",
            "backup_daily_ñ0261122_233000.sql",
            "full_20261122_233000.backup",
            "",
        ] {
            assert_eq!(BackupName::parse(other), None, "{other}");
        }
    }
}
