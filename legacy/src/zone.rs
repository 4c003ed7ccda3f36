//! Local time: that of the machine, or of a named zone. Clocks that are put back or forward make
//! hours that occur twice or never; each local time has one instant here all the same.

use chrono::{DateTime, Local, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// Longest stretch of local time that was ever skipped: a day, at a change of the date line.
const LONGEST_GAP_MINUTES: i64 = 26 * 60;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zone {
    /// That of this machine.
    #[default]
    Machine,
    /// One of the IANA database.
    Named(Tz),
}

impl Zone {
    /// The zone of an IANA name, such as `America/Argentina/Buenos_Aires`.
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self::Named)
    }

    /// What the clocks on the wall show.
    pub fn local(self, at: DateTime<Utc>) -> NaiveDateTime {
        match self {
            Self::Machine => at.with_timezone(&Local).naive_local(),
            Self::Named(zone) => at.with_timezone(&zone).naive_local(),
        }
    }

    /// When the clocks show this: the first time where they show it twice, the end of the gap
    /// where they never do.
    pub fn instant(self, local: NaiveDateTime) -> DateTime<Utc> {
        match self {
            Self::Machine => first_instant(&Local, local),
            Self::Named(zone) => first_instant(&zone, local),
        }
    }
}

fn first_instant<Z: TimeZone>(zone: &Z, local: NaiveDateTime) -> DateTime<Utc> {
    let later = (0..=LONGEST_GAP_MINUTES).map(|minutes| local + TimeDelta::minutes(minutes));
    let mut shown = later.filter_map(|local| zone.from_local_datetime(&local).earliest());
    shown
        .next()
        .map_or_else(|| local.and_utc(), |at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(zone: &str, local: &str) -> String {
        let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M").unwrap();
        let at = Zone::named(zone).unwrap().instant(local);
        at.format("%Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn each_local_time_has_one_instant() {
        for (zone, local, utc) in [
            (
                "America/Argentina/Buenos_Aires",
                "2026-11-24 23:00",
                "2026-11-25 02:00",
            ),
            // Put forward at midnight: 00:00 to 00:59 do not occur.
            ("America/Havana", "2026-03-08 00:00", "2026-03-08 05:00"),
            // Put back at 01:00: 00:00 to 00:59 occur twice.
            ("America/Havana", "2026-11-01 00:00", "2026-11-01 04:00"),
            // 30 December 2011 did not occur in Samoa.
            ("Pacific/Apia", "2011-12-30 23:00", "2011-12-30 10:00"),
        ] {
            assert_eq!(instant(zone, local), utc, "{zone} {local}");
        }
    }

    #[test]
    fn a_zone_that_does_not_exist_is_none() {
        assert_eq!(Zone::named("America/Nowhere"), None);
    }
}
