//! When each type is due, in local time: daily at 23:00, weekly on Sunday at 23:30, monthly on
//! day 1 at 00:00. A type whose last run is before its last hour, or that never ran, was missed.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

use crate::kind::LegacyKind;
use crate::zone::Zone;

/// Days to look at for an hour of any type; more than a month has, for the date line's sake.
const DAYS: i64 = 34;

/// The last time before or at `now` at which a backup had to be made; `None` for manual ones.
pub fn last_required(kind: LegacyKind, now: DateTime<Utc>, zone: Zone) -> Option<DateTime<Utc>> {
    let today = zone.local(now).date() + TimeDelta::days(1);
    let days = (0..=DAYS).map(|back| today - TimeDelta::days(back));
    days.filter_map(|day| hour_on(kind, day, zone))
        .find(|at| *at <= now)
}

/// The first time after `now` at which a backup has to be made; `None` for manual ones.
pub fn next_required(kind: LegacyKind, now: DateTime<Utc>, zone: Zone) -> Option<DateTime<Utc>> {
    let today = zone.local(now).date() - TimeDelta::days(1);
    let days = (0..=DAYS).map(|on| today + TimeDelta::days(on));
    days.filter_map(|day| hour_on(kind, day, zone))
        .find(|at| *at > now)
}

/// The types that were missed, in the order in which to make them up. A last run that lies after
/// `now` was told by a wrong clock and counts for nothing.
pub fn missed(
    now: DateTime<Utc>,
    zone: Zone,
    last_run: impl Fn(LegacyKind) -> Vec<DateTime<Utc>>,
) -> Vec<LegacyKind> {
    let is_missed = |kind: &LegacyKind| {
        let last = last_run(*kind).into_iter().filter(|at| *at <= now).max();
        let required = last_required(*kind, now, zone);
        required.is_some_and(|required| last.is_none_or(|last| last < required))
    };
    let scheduled = LegacyKind::SCHEDULED.into_iter();
    scheduled.filter(is_missed).collect()
}

/// The hour of a type on a day, where it has one on that day.
fn hour_on(kind: LegacyKind, day: NaiveDate, zone: Zone) -> Option<DateTime<Utc>> {
    let (is_day, hour, minute) = match kind {
        LegacyKind::Daily => (true, 23, 0),
        LegacyKind::Weekly => (day.weekday() == Weekday::Sun, 23, 30),
        LegacyKind::Monthly => (day.day() == 1, 0, 0),
        LegacyKind::Manual => (false, 0, 0),
    };
    let time = NaiveTime::from_hms_opt(hour, minute, 0)?;
    is_day.then(|| zone.instant(day.and_time(time)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn buenos_aires() -> Zone {
        Zone::named("America/Argentina/Buenos_Aires").unwrap()
    }

    #[test]
    fn the_last_hour_of_each_type_is_that_of_the_existing_service() {
        // A Tuesday.
        for (now, daily, weekly, monthly) in [
            (
                "2026-11-24T22:59:59-03:00",
                "2026-11-23T23:00:00-03:00",
                "2026-11-22T23:30:00-03:00",
                "2026-11-01T00:00:00-03:00",
            ),
            (
                "2026-11-24T23:00:00-03:00",
                "2026-11-24T23:00:00-03:00",
                "2026-11-22T23:30:00-03:00",
                "2026-11-01T00:00:00-03:00",
            ),
            (
                "2026-11-01T00:00:00-03:00",
                "2026-10-31T23:00:00-03:00",
                "2026-10-25T23:30:00-03:00",
                "2026-11-01T00:00:00-03:00",
            ),
        ] {
            let last = |kind| last_required(kind, at(now), buenos_aires());
            assert_eq!(last(LegacyKind::Daily), Some(at(daily)), "{now}");
            assert_eq!(last(LegacyKind::Weekly), Some(at(weekly)), "{now}");
            assert_eq!(last(LegacyKind::Monthly), Some(at(monthly)), "{now}");
            assert_eq!(last(LegacyKind::Manual), None);
        }
    }

    #[test]
    fn what_never_ran_was_missed_and_a_run_from_the_future_counts_for_nothing() {
        let now = at("2026-11-24T12:00:00-03:00");
        let all = missed(now, buenos_aires(), |_| Vec::new());
        assert_eq!(all, LegacyKind::SCHEDULED);
        let ahead = at("2027-01-01T00:00:00Z");
        assert_eq!(missed(now, buenos_aires(), |_| vec![ahead]), all);
        let ran = |kind| match kind {
            LegacyKind::Weekly => vec![at("2026-11-22T23:29:00-03:00")],
            _ => vec![ahead, at("2026-11-23T23:00:00-03:00")],
        };
        assert_eq!(missed(now, buenos_aires(), ran), [LegacyKind::Weekly]);
    }

    fn any_zone() -> impl Strategy<Value = Zone> {
        let names = [
            "America/Argentina/Buenos_Aires",
            "America/Havana",
            "Europe/Madrid",
            "Pacific/Apia",
            "Australia/Lord_Howe",
            "UTC",
        ];
        proptest::sample::select(names.to_vec()).prop_map(|name| Zone::named(name).unwrap())
    }

    proptest! {
        #[test]
        fn hours_lie_around_now_and_none_between(
            seconds in 1_300_000_000_i64..2_000_000_000,
            zone in any_zone(),
            kind in proptest::sample::select(LegacyKind::SCHEDULED.to_vec()),
        ) {
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            let last = last_required(kind, now, zone).unwrap();
            let next = next_required(kind, now, zone).unwrap();
            prop_assert!(last <= now && now < next);
            prop_assert_eq!(next_required(kind, last, zone), Some(next));
            prop_assert_eq!(last_required(kind, next - TimeDelta::seconds(1), zone), Some(last));
            let longest = match kind {
                LegacyKind::Daily => 50,
                LegacyKind::Weekly => 8 * 24,
                _ => 32 * 24,
            };
            prop_assert!(next - last <= TimeDelta::hours(longest));
        }

        #[test]
        fn a_backup_made_now_satisfies_now(
            seconds in 1_300_000_000_i64..2_000_000_000,
            zone in any_zone(),
        ) {
            let now = DateTime::from_timestamp(seconds, 0).unwrap();
            prop_assert_eq!(missed(now, zone, |_| vec![now]), Vec::new());
        }
    }
}
