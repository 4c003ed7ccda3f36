//! Local time. Clocks that are put forward or back make hours that never occur, or twice; each
//! local time has one instant here all the same.

use std::fmt::Debug;

use chrono::{DateTime, FixedOffset, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Utc};

/// Hours that no zone is away from UTC, a change of the date line included.
const FAR_HOURS: i64 = 40;

/// A clock on a wall: any time zone of chrono's.
pub trait WallClock: Debug + Send + Sync {
    /// What it shows at an instant.
    fn at(&self, instant: DateTime<Utc>) -> DateTime<FixedOffset>;

    /// The first instant at which it has come to show this: the earlier of two, and the end of
    /// the gap for a time that never occurs.
    fn first(&self, local: NaiveDateTime) -> DateTime<Utc>;
}

impl<Z> WallClock for Z
where
    Z: TimeZone + Debug + Send + Sync,
    Z::Offset: Send + Sync,
{
    fn at(&self, instant: DateTime<Utc>) -> DateTime<FixedOffset> {
        instant.with_timezone(self).fixed_offset()
    }

    fn first(&self, local: NaiveDateTime) -> DateTime<Utc> {
        match self.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.to_utc(),
            LocalResult::None => end_of_gap(self, local),
        }
    }
}

/// The change of the clocks that skipped a local time: before it they show less, from it on more.
fn end_of_gap(zone: &dyn WallClock, local: NaiveDateTime) -> DateTime<Utc> {
    let (mut before, mut after) = (-FAR_HOURS * 3600, FAR_HOURS * 3600);
    let instant = |seconds| local.and_utc() + TimeDelta::seconds(seconds);
    while after - before > 1 {
        let middle = before.midpoint(after);
        if zone.at(instant(middle)).naive_local() < local {
            before = middle;
        } else {
            after = middle;
        }
    }
    instant(after)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    #[test]
    fn each_local_time_has_one_instant() {
        for (zone, local, utc) in [
            (
                "America/Argentina/Buenos_Aires",
                "2026-11-24 23:00",
                "2026-11-25 02:00",
            ),
            // Put forward at 02:00: 02:00 to 02:59 do not occur.
            ("Europe/Madrid", "2026-03-29 02:30", "2026-03-29 01:00"),
            // Put back at 03:00: 02:00 to 02:59 occur twice.
            ("Europe/Madrid", "2026-10-25 02:30", "2026-10-25 00:30"),
            // Put forward at midnight, and back at midnight.
            ("America/Santiago", "2026-09-06 00:00", "2026-09-06 04:00"),
            ("America/Santiago", "2026-09-06 00:59", "2026-09-06 04:00"),
            ("America/Santiago", "2026-04-04 23:30", "2026-04-05 02:30"),
            // By half an hour.
            (
                "Australia/Lord_Howe",
                "2026-10-04 02:15",
                "2026-10-03 15:30",
            ),
            (
                "Australia/Lord_Howe",
                "2026-04-05 01:45",
                "2026-04-04 14:45",
            ),
            // 30 December 2011 did not occur in Samoa.
            ("Pacific/Apia", "2011-12-30 23:00", "2011-12-30 10:00"),
        ] {
            let zone_of: Tz = zone.parse().unwrap();
            let parsed = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").unwrap();
            let first = zone_of.first(parsed).format("%Y-%m-%d %H:%M").to_string();
            assert_eq!(first, utc, "{zone} {local}");
        }
    }
}
