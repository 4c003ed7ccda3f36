use chrono::{Datelike, TimeZone};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;

struct Zone(Tz);

impl WallClock for Zone {
    fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        at.with_timezone(&self.0).naive_local()
    }

    fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        let later = (0..26 * 60).map(|minutes| local + TimeDelta::minutes(minutes));
        let mut shown = later.filter_map(|local| self.0.from_local_datetime(&local).earliest());
        shown.next().unwrap().to_utc()
    }
}

const ZONES: [Tz; 4] = [
    Tz::America__Argentina__Buenos_Aires,
    Tz::Europe__Madrid,
    // Put forward at midnight.
    Tz::America__Santiago,
    // By half an hour.
    Tz::Australia__Lord_Howe,
];
const FULL: Task = Task::Backup(BackupKind::Full);
const DIFFERENTIAL: Task = Task::Backup(BackupKind::Differential);
const INCREMENTAL: Task = Task::Backup(BackupKind::Incremental);

fn utc(text: &str) -> DateTime<Utc> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M")
        .unwrap()
        .and_utc()
}

/// Runs as a service would that looks every `step`, from one instant to another; what it makes takes no time.
struct Service {
    schedule: Schedule,
    zone: Zone,
    past: PastRuns,
    made: Vec<(Task, String)>,
}

impl Service {
    fn new(zone: Tz) -> Self {
        Self {
            schedule: Schedule::default(),
            zone: Zone(zone),
            past: PastRuns::default(),
            made: Vec::new(),
        }
    }

    fn run(&mut self, from: DateTime<Utc>, until: DateTime<Utc>, step: TimeDelta) {
        let mut now = from;
        while now < until {
            for run in self.schedule.due(&self.past, now, &self.zone) {
                self.past.add(run.task, now);
                let local = self.zone.local(now).format("%Y-%m-%d %H:%M").to_string();
                self.made.push((run.task, local));
            }
            now += step;
        }
    }

    fn count(&self, task: Task) -> usize {
        self.made.iter().filter(|(made, _)| *made == task).count()
    }

    fn times(&self, task: Task) -> Vec<&str> {
        let of = self.made.iter().filter(|(made, _)| *made == task);
        of.map(|(_, at)| at.as_str()).collect()
    }
}

#[test]
fn a_year_in_four_zones_has_exactly_its_runs() {
    for zone in ZONES {
        let mut service = Service::new(zone);
        let clock = Zone(zone);
        let local = |year| {
            chrono::NaiveDate::from_ymd_opt(year, 1, 1)
                .unwrap()
                .and_hms_opt(0, 0, 0)
                .unwrap()
        };
        let (from, until) = (clock.instant(local(2028)), clock.instant(local(2029)));
        service.run(from, until, TimeDelta::minutes(10));
        // 2028 is a leap year with 53 Sundays. Each day has its look, the first of them for the day before.
        assert_eq!(service.count(FULL), 12, "{zone}");
        assert_eq!(service.count(DIFFERENTIAL), 53, "{zone}");
        assert_eq!(service.count(INCREMENTAL), 366, "{zone}");
        assert_eq!(service.count(Task::Validation), 367, "{zone}");
        // Santiago has no midnight on the day its clocks go forward; no day 1 is one.
        let on_time =
            |times: Vec<&str>, hour: &str| times.iter().filter(|at| at.ends_with(hour)).count();
        assert_eq!(on_time(service.times(FULL), " 00:00"), 12, "{zone}");
        assert_eq!(on_time(service.times(DIFFERENTIAL), " 23:30"), 53, "{zone}");
        assert_eq!(on_time(service.times(INCREMENTAL), " 23:00"), 366, "{zone}");
    }
}

#[test]
fn an_hour_in_a_gap_comes_once_at_its_end_and_one_shown_twice_comes_once() {
    let mut service = Service::new(Tz::Europe__Madrid);
    service.schedule.incremental = Daily {
        hour: 2,
        minute: 30,
    };
    service.run(
        utc("2026-03-27 12:00"),
        utc("2026-03-30 12:00"),
        TimeDelta::minutes(5),
    );
    service.run(
        utc("2026-10-23 12:00"),
        utc("2026-10-26 12:00"),
        TimeDelta::minutes(5),
    );
    let times = service.times(INCREMENTAL);
    let expected = [
        "2026-03-28 02:30",
        "2026-03-29 03:00",
        "2026-03-30 02:30",
        "2026-10-24 02:30",
        "2026-10-25 02:30",
        "2026-10-26 02:30",
    ];
    assert_eq!(times, expected);
}

#[test]
fn day_31_is_the_last_day_of_every_month() {
    let mut service = Service::new(Tz::UTC);
    service.schedule.full.day = 31;
    service.run(
        utc("2027-12-31 00:00"),
        utc("2028-12-31 12:00"),
        TimeDelta::hours(1),
    );
    let days: Vec<&str> = service
        .times(FULL)
        .into_iter()
        .map(|at| &at[5..10])
        .collect();
    let expected = [
        "12-31", "01-31", "02-29", "03-31", "04-30", "05-31", "06-30", "07-31", "08-31", "09-30",
        "10-31", "11-30", "12-31",
    ];
    assert_eq!(days, expected);
}

#[test]
fn what_was_missed_is_made_up_once_and_nothing_that_another_covers() {
    let zone = Zone(Tz::UTC);
    let schedule = Schedule::default();
    // A Wednesday.
    let now = utc("2026-11-25 10:00");
    let due = |runs: &[(Task, &str)]| -> Vec<Task> {
        let mut past = PastRuns::default();
        past.add(Task::Validation, now);
        for (task, at) in runs {
            past.add(*task, utc(at));
        }
        let due = schedule.due(&past, now, &zone);
        due.into_iter().map(|run| run.task).collect()
    };
    assert_eq!(due(&[]), [FULL]);
    assert_eq!(
        due(&[
            (FULL, "2026-10-20 10:00"),
            (INCREMENTAL, "2026-11-25 09:00")
        ]),
        [FULL]
    );
    assert_eq!(due(&[(FULL, "2026-11-01 00:00")]), [DIFFERENTIAL]);
    assert_eq!(due(&[(FULL, "2026-11-23 00:00")]), [INCREMENTAL]);
    assert_eq!(due(&[(FULL, "2026-11-24 23:00")]), []);
    let chain = [
        (FULL, "2026-11-01 00:00"),
        (DIFFERENTIAL, "2026-11-22 23:30"),
    ];
    assert_eq!(due(&chain), [INCREMENTAL]);
    // An incremental does not make a differential needless.
    let chain = [
        (FULL, "2026-11-01 00:00"),
        (INCREMENTAL, "2026-11-25 09:00"),
    ];
    assert_eq!(due(&chain), [DIFFERENTIAL]);
}

#[test]
fn an_outage_of_a_month_is_made_up_by_one_full() {
    let mut service = Service::new(Tz::Europe__Madrid);
    service.run(
        utc("2026-03-05 00:00"),
        utc("2026-03-20 00:00"),
        TimeDelta::minutes(15),
    );
    service.made.clear();
    service.run(
        utc("2026-04-20 08:07"),
        utc("2026-04-20 20:00"),
        TimeDelta::minutes(15),
    );
    let made: Vec<Task> = service.made.iter().map(|(task, _)| *task).collect();
    assert_eq!(made, [FULL, Task::Validation]);
}

#[test]
fn an_edit_takes_effect_at_once_and_makes_up_nothing_that_was_made() {
    let mut service = Service::new(Tz::UTC);
    service.run(
        utc("2026-11-02 00:00"),
        utc("2026-11-10 12:00"),
        TimeDelta::minutes(15),
    );
    let before = service.count(INCREMENTAL);
    service.schedule.incremental = Daily {
        hour: 14,
        minute: 0,
    };
    service.run(
        utc("2026-11-10 12:00"),
        utc("2026-11-10 15:00"),
        TimeDelta::minutes(15),
    );
    assert_eq!(service.times(INCREMENTAL)[before..], ["2026-11-10 14:00"]);
}

#[test]
fn a_clock_that_was_years_ahead_for_an_hour_stops_no_run() {
    let mut service = Service::new(Tz::UTC);
    service.run(
        utc("2026-11-02 00:00"),
        utc("2026-11-03 00:00"),
        TimeDelta::minutes(15),
    );
    service.run(
        utc("2031-11-02 00:00"),
        utc("2031-11-02 01:00"),
        TimeDelta::minutes(15),
    );
    service.made.clear();
    service.run(
        utc("2026-11-03 00:00"),
        utc("2026-11-05 00:00"),
        TimeDelta::minutes(15),
    );
    assert_eq!(
        service.times(INCREMENTAL),
        ["2026-11-03 23:00", "2026-11-04 23:00"]
    );
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let daily = || (0..24_u32, 0..60_u32).prop_map(|(hour, minute)| Daily { hour, minute });
    let full = (1..=31_u32, daily()).prop_map(|(day, time)| Monthly { day, time });
    let differential = (0..7_u32, daily()).prop_map(|(weekday, time)| Weekly { weekday, time });
    (full, differential, daily(), daily()).prop_map(|(full, differential, incremental, look)| {
        Schedule {
            full,
            differential,
            incremental,
            validation: Validation(look),
        }
    })
}

proptest! {
    #[test]
    fn the_last_hour_is_past_the_next_is_to_come_and_none_lies_between(
        schedule in schedules(), zone in 0..4_usize, minutes in 0..4_i64 * 366 * 24 * 60,
    ) {
        let zone = Zone(ZONES[zone]);
        let now = utc("2026-01-01 00:00") + TimeDelta::minutes(minutes);
        for task in Task::ALL {
            let (last, next) = (schedule.last(task, now, &zone), schedule.next(task, now, &zone));
            prop_assert!(last <= now && now < next);
            prop_assert_eq!(schedule.next(task, last, &zone), next);
            prop_assert_eq!(schedule.last(task, next, &zone), next);
            let days = (next - last).num_hours();
            let longest = match task {
                Task::Backup(BackupKind::Full) => 62 * 24,
                Task::Backup(BackupKind::Differential) => 8 * 24,
                _ => 50,
            };
            prop_assert!(days <= longest);
        }
    }

    #[test]
    fn what_is_due_once_made_is_due_no_more(
        schedule in schedules(), zone in 0..4_usize, minutes in 0..366_i64 * 24 * 60,
        past in proptest::collection::vec((0..4_usize, 0..400_i64 * 24 * 60), 0..12),
    ) {
        let zone = Zone(ZONES[zone]);
        let begin = utc("2026-01-01 00:00");
        let now = begin + TimeDelta::minutes(minutes);
        let mut runs = PastRuns::default();
        for (task, at) in past {
            runs.add(Task::ALL[task], begin + TimeDelta::minutes(at));
        }
        let due = schedule.due(&runs, now, &zone);
        prop_assert!(due.is_sorted_by_key(|run| run.task));
        prop_assert!(due.iter().filter(|run| run.task != Task::Validation).count() <= 1);
        for run in due {
            prop_assert!(run.since <= now);
            runs.add(run.task, now);
        }
        prop_assert!(schedule.due(&runs, now, &zone).is_empty());
    }
}

#[test]
fn a_sunday_is_weekday_6() {
    let schedule = Schedule::default();
    let next = schedule.next(DIFFERENTIAL, utc("2026-11-24 12:00"), &Zone(Tz::UTC));
    assert_eq!(next.weekday(), chrono::Weekday::Sun);
}
