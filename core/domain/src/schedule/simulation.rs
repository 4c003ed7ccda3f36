//! Years of schedule in simulated time, held against due times found in another way: minute by
//! minute, by looking at a wall clock.

use chrono::{DateTime, Datelike, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;

/// Argentina has no summer time; Madrid changes by night, Santiago at midnight, Lord Howe by half
/// an hour.
const ZONES: [&str; 4] = [
    "America/Argentina/Buenos_Aires",
    "Europe/Madrid",
    "America/Santiago",
    "Australia/Lord_Howe",
];

/// Every due time of the tests is at a multiple of it.
const TICK_MINUTES: i64 = 5;

fn zone(name: &str) -> Tz {
    name.parse().unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// An instant by what the clock shows; of two, the earlier.
fn local(zone: Tz, text: &str) -> DateTime<Utc> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    local.and_local_timezone(zone).earliest().unwrap().to_utc()
}

fn ticks(from: DateTime<Utc>, until: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    let step = TimeDelta::minutes(TICK_MINUTES);
    std::iter::successors(Some(from), move |at| Some(*at + step)).take_while(move |at| *at < until)
}

fn occurrence(task: Task, at: DateTime<Utc>) -> Occurrence {
    Occurrence { task, at }
}

/// Due times of a period, by walking through it: a time is due when the clock comes to show it or
/// has leapt over it, and never again when it is put back.
fn walked(
    schedule: &Schedule,
    zone: Tz,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Vec<Occurrence> {
    let shown = |at: DateTime<Utc>| at.with_timezone(&zone).naive_local();
    // An hour that the clocks repeat may have begun before.
    let early = from - TimeDelta::days(2);
    let mut furthest = shown(early);
    let mut found = Vec::new();
    for at in ticks(early + TimeDelta::minutes(TICK_MINUTES), until) {
        let now = shown(at).max(furthest);
        let days = furthest
            .date()
            .iter_days()
            .take_while(|day| *day <= now.date());
        for day in days {
            for task in Task::ALL {
                let time = time_on(schedule, task, day);
                let due = time.map(|time| day.and_time(time));
                if at >= from && due.is_some_and(|due| furthest < due && due <= now) {
                    found.push(occurrence(task, at));
                }
            }
        }
        furthest = now;
    }
    found
}

fn time_on(schedule: &Schedule, task: Task, day: chrono::NaiveDate) -> Option<NaiveTime> {
    let last = (day + TimeDelta::days(1)).day() == 1;
    let time = match task {
        Task::Full => {
            let wanted = schedule.full.day();
            let is_day = day.day() == wanted || (last && day.day() < wanted);
            is_day.then(|| schedule.full.time())
        }
        Task::Differential => {
            let weekday = day.weekday().num_days_from_monday();
            (weekday == schedule.differential.weekday()).then(|| schedule.differential.time())
        }
        Task::Incremental => Some(schedule.incremental),
        Task::Validation => Some(schedule.validation),
    };
    NaiveTime::from_hms_opt(time?.hour(), time?.minute(), 0)
}

/// A change of the clocks can make two backups due at one instant.
fn greatest_of_each_instant(all: &[Occurrence]) -> Vec<Occurrence> {
    let outdone = |due: &Occurrence| {
        let mut others = all
            .iter()
            .filter(|other| other.at == due.at && other.task != due.task);
        others.any(|other| other.task.does_for(due.task))
    };
    all.iter().copied().filter(|due| !outdone(due)).collect()
}

/// A year is too long to be printed.
fn assert_same<T: PartialEq + std::fmt::Debug>(found: &[T], expected: &[T], what: &str) {
    let pairs = found.iter().zip(expected);
    let same = pairs
        .take_while(|(found, expected)| found == expected)
        .count();
    let next = (found.get(same), expected.get(same));
    assert!(
        found == expected,
        "{what}: after {same}, found and expected {next:?}"
    );
}

/// A supervisor that wakes at every tick and runs one thing at a time.
struct Supervisor {
    zone: Tz,
    rules: Rules,
    past: Vec<PastRun>,
    /// What was run, each with when it was begun.
    ran: Vec<(DueRun, DateTime<Utc>)>,
    /// Minutes that a run takes.
    takes: fn(Task) -> i64,
    busy_until: DateTime<Utc>,
}

impl Supervisor {
    /// One whose backups are up to date.
    fn up_to_date(zone: Tz, schedule: Schedule, now: DateTime<Utc>) -> Self {
        let past = Task::ALL.map(|task| made(task, now)).to_vec();
        Self {
            zone,
            rules: Rules::always(schedule),
            past,
            ran: Vec::new(),
            takes: |_| 0,
            busy_until: DateTime::<Utc>::MIN_UTC,
        }
    }

    fn wake(&mut self, now: DateTime<Utc>) {
        while self.busy_until <= now {
            let due = due(&self.rules, &self.past, now, &self.zone);
            let Some(run) = due.into_iter().next() else {
                return;
            };
            let minutes = (self.takes)(run.task);
            if minutes > 0 {
                self.busy_until = now + TimeDelta::minutes(minutes);
            }
            self.past.push(made(run.task, now));
            self.ran.push((run, now));
        }
    }

    fn awake(&mut self, from: DateTime<Utc>, until: DateTime<Utc>) {
        ticks(from, until).for_each(|now| self.wake(now));
    }

    fn edit(&mut self, schedule: Schedule, now: DateTime<Utc>) {
        self.rules = self.rules.clone().edited(schedule, now, &self.zone);
    }

    /// What was run, with when it was begun.
    fn begun(&self) -> Vec<(Task, DateTime<Utc>)> {
        self.ran.iter().map(|(run, at)| (run.task, *at)).collect()
    }

    /// What was run, by its due times.
    fn met(&self) -> Vec<Occurrence> {
        let met = |(run, _): &(DueRun, _)| occurrence(run.task, run.occurrence);
        self.ran.iter().map(met).collect()
    }

    fn tasks(&self) -> Vec<Task> {
        self.ran.iter().map(|(run, _)| run.task).collect()
    }
}

fn default_rules() -> Rules {
    Rules::always(Schedule::default())
}

fn made(task: Task, started_at: DateTime<Utc>) -> PastRun {
    PastRun {
        task,
        started_at,
        fresh: true,
    }
}

fn schedule(day: u32, full: (u32, u32), dif: (u32, u32, u32), inc: (u32, u32)) -> Schedule {
    let time = |(hour, minute)| Daily::new(hour, minute).unwrap();
    Schedule {
        full: Monthly::new(day, time(full)).unwrap(),
        differential: Weekly::new(dif.0, time((dif.1, dif.2))).unwrap(),
        incremental: time(inc),
        ..Schedule::default()
    }
}

use Task::{Differential as Dif, Full, Incremental as Inc, Validation as Val};

#[test]
fn a_year_awake_runs_everything_once_at_its_time_in_four_zones() {
    for name in ZONES {
        let zone = zone(name);
        let (from, until) = (
            local(zone, "2026-01-01 12:00"),
            local(zone, "2027-01-01 12:00"),
        );
        // The existing hours; hours in the night of the changes; the last day, a half hour.
        for schedule in [
            Schedule::default(),
            schedule(29, (2, 30), (6, 2, 0), (0, 0)),
            schedule(31, (0, 30), (5, 23, 30), (2, 15)),
        ] {
            let mut supervisor = Supervisor::up_to_date(zone, schedule, from);
            supervisor.awake(from, until);
            let expected = walked(&schedule, zone, from, until);
            assert_same(
                &supervisor.met(),
                &greatest_of_each_instant(&expected),
                name,
            );
            assert!(supervisor.ran.iter().all(|(run, at)| run.occurrence == *at));
            let count = |task| expected.iter().filter(|due| due.task == task).count();
            assert_eq!(
                (count(Full), count(Inc), count(Val)),
                (12, 365, 365),
                "{name}"
            );
            assert_eq!(count(Dif), 52, "{name}");
        }
    }
}

#[test]
fn what_takes_long_makes_others_wait_and_nothing_runs_twice_or_beside_another() {
    for name in ZONES {
        let zone = zone(name);
        let (from, until) = (
            local(zone, "2028-01-01 12:00"),
            local(zone, "2029-01-01 12:00"),
        );
        let mut supervisor = Supervisor::up_to_date(zone, Schedule::default(), from);
        supervisor.takes = |task| match task {
            Full => 185,
            Dif => 45,
            Inc => 35,
            Val => 150,
        };
        supervisor.awake(from, until);
        let expected = walked(&Schedule::default(), zone, from, until);
        assert_same(&supervisor.met(), &expected, name);
        for pair in supervisor.ran.windows(2) {
            let end = pair[0].1 + TimeDelta::minutes((supervisor.takes)(pair[0].0.task));
            assert!(end <= pair[1].1, "{name}: {pair:?}");
        }
    }
}

#[test]
fn after_an_outage_the_greatest_overdue_backup_is_made_and_one_validation() {
    for name in ZONES {
        let zone = zone(name);
        let (from, until) = (
            local(zone, "2026-01-01 12:00"),
            local(zone, "2027-01-01 12:00"),
        );
        let outages = [
            // Overnight; over a Sunday; over two months; over each change of the clocks; an hour
            // in which nothing is due.
            ("2026-01-14 18:00", "2026-01-15 08:00"),
            ("2026-01-17 18:00", "2026-01-19 08:00"),
            ("2026-02-10 18:00", "2026-04-20 08:00"),
            ("2026-05-05 10:00", "2026-05-05 11:00"),
            ("2026-09-05 23:30", "2026-09-06 09:00"),
            ("2026-10-03 22:00", "2026-10-04 12:00"),
            ("2026-10-24 22:00", "2026-10-25 12:00"),
        ]
        .map(|(off, on)| (local(zone, off), local(zone, on)));
        let schedule = Schedule::default();
        let all = walked(&schedule, zone, from, until);
        let mut supervisor = Supervisor::up_to_date(zone, schedule, from);
        let (mut expected, mut since) = (Vec::new(), from);
        for (off, on) in outages.into_iter().chain([(until, until)]) {
            supervisor.awake(since, off);
            let within = |from, until| {
                all.iter()
                    .filter(move |due| from <= due.at && due.at < until)
            };
            expected.extend(within(since, off).map(|due| (due.task, due.at)));
            let slept: Vec<_> = within(off, on).collect();
            let greatest = slept
                .iter()
                .map(|due| due.task)
                .filter(|task| *task != Val)
                .min();
            let validation = slept.iter().any(|due| due.task == Val).then_some(Val);
            expected.extend(
                greatest
                    .into_iter()
                    .chain(validation)
                    .map(|task| (task, on)),
            );
            since = on;
        }
        let ran: Vec<_> = supervisor
            .ran
            .iter()
            .map(|(run, at)| (run.task, *at))
            .collect();
        assert_eq!(ran, expected, "{name}");
    }
}

#[test]
fn a_new_database_gets_one_full_and_then_a_look_at_it() {
    let zone = zone("America/Argentina/Buenos_Aires");
    let now = local(zone, "2026-11-24 10:00");
    let first = due(&default_rules(), &[], now, &zone);
    let [full] = first.as_slice() else {
        panic!("{first:?}");
    };
    assert_eq!(
        (full.task, full.occurrence),
        (Full, local(zone, "2026-11-01 00:00"))
    );
    let covered = [(Dif, "2026-11-22 23:30"), (Inc, "2026-11-23 23:00")];
    let covered = covered.map(|(task, at)| occurrence(task, local(zone, at)));
    assert_eq!(full.covers, covered);
    let then = due(&default_rules(), &[made(Full, now)], now, &zone);
    assert_eq!(then.iter().map(|run| run.task).collect::<Vec<_>>(), [Val]);
}

#[test]
fn what_was_not_made_of_the_database_itself_does_for_its_own_kind_alone() {
    let zone = zone("UTC");
    let now = utc("2026-11-24T10:00:00Z");
    let merged = PastRun {
        fresh: false,
        ..made(Full, now)
    };
    let past = [merged, made(Val, now)];
    let tasks: Vec<_> = due(&default_rules(), &past, now, &zone)
        .into_iter()
        .map(|run| (run.task, run.covers.len()))
        .collect();
    assert_eq!(tasks, [(Dif, 1)]);
}

#[test]
fn an_edit_counts_at_once_and_makes_nothing_run_twice() {
    let zone = zone("Europe/Madrid");
    let at = |text| local(zone, text);
    let start = at("2026-06-03 12:00");
    let mut supervisor = Supervisor::up_to_date(zone, Schedule::default(), start);
    let with_inc = |hour, minute| Schedule {
        incremental: Daily::new(hour, minute).unwrap(),
        ..Schedule::default()
    };
    let with_full = |day| Schedule {
        full: Monthly::new(day, Daily::new(3, 0).unwrap()).unwrap(),
        ..Schedule::default()
    };
    // From then on; each to be followed until the next.
    let edits = [
        ("2026-06-03 12:00", Schedule::default()),
        // Later, earlier than now, later again, back.
        ("2026-06-04 12:00", with_inc(23, 55)),
        ("2026-06-05 15:00", with_inc(14, 0)),
        ("2026-06-06 13:55", with_inc(14, 5)),
        ("2026-06-06 15:00", with_inc(23, 0)),
        // A day of this month that has passed, one to come, and one of them back.
        ("2026-06-08 12:00", with_full(5)),
        ("2026-06-08 13:00", with_full(10)),
        ("2026-06-11 13:00", with_full(1)),
        ("2026-07-02 13:00", Schedule::default()),
    ]
    .map(|(text, schedule)| (at(text), schedule));
    let until = edits[1..]
        .iter()
        .map(|(at, _)| *at)
        .chain([at("2026-07-05 12:00")]);
    let mut expected = Vec::new();
    for ((from, schedule), until) in edits.into_iter().zip(until) {
        supervisor.edit(schedule, from);
        supervisor.awake(from, until);
        expected.extend(walked(&schedule, zone, from, until));
    }
    assert_same(&supervisor.met(), &expected, "edits");
    let fulls = expected.iter().filter(|due| due.task == Full).count();
    assert_eq!(fulls, 2);
}

#[test]
fn what_was_overdue_by_the_old_rule_is_so_after_an_edit() {
    let zone = zone("UTC");
    let start = utc("2026-06-03T12:00:00Z");
    let mut supervisor = Supervisor::up_to_date(zone, Schedule::default(), start);
    let later = Schedule {
        incremental: Daily::new(23, 30).unwrap(),
        ..Schedule::default()
    };
    let back = utc("2026-06-04T12:00:00Z");
    supervisor.edit(later, back);
    supervisor.wake(back);
    assert_eq!(
        supervisor.met()[0],
        occurrence(Inc, utc("2026-06-03T23:00:00Z"))
    );
    supervisor.awake(back, utc("2026-06-05T00:00:00Z"));
    let ran = [(Inc, back), (Val, back), (Inc, utc("2026-06-04T23:30:00Z"))];
    assert_eq!(supervisor.begun(), ran);
}

#[test]
fn an_edit_that_a_wrong_clock_dated_stops_nothing() {
    let zone = zone("UTC");
    let start = utc("2026-06-03T12:00:00Z");
    let mut supervisor = Supervisor::up_to_date(zone, Schedule::default(), start);
    let later = Schedule {
        incremental: Daily::new(23, 20).unwrap(),
        ..Schedule::default()
    };
    supervisor.edit(later, utc("2029-01-01T00:00:00Z"));
    supervisor.awake(start, utc("2026-06-03T12:05:00Z"));
    let before = supervisor.ran.len();
    let (from, until) = (utc("2026-06-03T12:05:00Z"), utc("2026-07-03T12:05:00Z"));
    supervisor.awake(from, until);
    assert_same(
        &supervisor.met()[before..],
        &walked(&later, zone, from, until),
        "after",
    );
}

#[test]
fn day_31_is_the_last_day_of_each_month_leap_years_too() {
    let zone = zone("America/New_York");
    let schedule = schedule(31, (4, 0), (6, 23, 30), (23, 0));
    let mut now = local(zone, "2028-01-01 00:00");
    let mut days = Vec::new();
    for _ in 0..14 {
        now = schedule.next_due(Full, now, &zone).unwrap();
        days.push(now.with_timezone(&zone).day());
    }
    assert_eq!(
        days,
        [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28]
    );
}

#[test]
fn a_clock_put_back_over_a_due_time_repeats_nothing_within_an_hour() {
    let zone = zone("UTC");
    let mut supervisor =
        Supervisor::up_to_date(zone, Schedule::default(), utc("2026-11-24T12:00:00Z"));
    supervisor.awake(utc("2026-11-24T12:00:00Z"), utc("2026-11-24T23:10:00Z"));
    supervisor.awake(utc("2026-11-24T22:20:00Z"), utc("2026-11-25T12:00:00Z"));
    assert_eq!(supervisor.tasks(), [Inc, Val]);
}

#[test]
fn a_clock_that_is_wrong_for_an_hour_costs_one_backup_and_loses_none() {
    let zone = zone("America/Santiago");
    for wrong in ["2027-08-20T12:00:00Z", "2019-01-01T00:00:00Z"] {
        let start = utc("2026-11-24T12:00:00Z");
        let mut supervisor = Supervisor::up_to_date(zone, Schedule::default(), start);
        supervisor.awake(start, utc("2026-11-25T12:00:00Z"));
        let before = supervisor.ran.len();
        supervisor.awake(utc(wrong), utc(wrong) + TimeDelta::hours(1));
        // A full, and a look at what there is.
        assert!(
            supervisor.ran.len() - before <= 2,
            "{:?}",
            supervisor.tasks()
        );
        let (from, until) = (utc("2026-11-25T13:00:00Z"), utc("2027-11-25T13:00:00Z"));
        let before = supervisor.ran.len();
        supervisor.awake(from, until);
        let expected = walked(&Schedule::default(), zone, from, until);
        assert_same(&supervisor.met()[before..], &expected, wrong);
    }
}

#[test]
fn waking_up_often_or_again_after_a_restart_changes_nothing() {
    let zone = zone("Europe/Madrid");
    let now = local(zone, "2026-10-25 02:30");
    let past = [made(Full, now - TimeDelta::days(3))];
    let asked = due(&default_rules(), &past, now, &zone);
    assert_eq!(asked, due(&default_rules(), &past, now, &zone));
    let later = due(&default_rules(), &past, now + TimeDelta::seconds(15), &zone);
    assert_eq!(asked, later);
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let time =
        || (0..24_u32, 0..60_u32).prop_map(|(hour, minute)| Daily::new(hour, minute).unwrap());
    (1..=31_u32, time(), 0..7_u32, time(), time(), time()).prop_map(
        |(day, full, weekday, differential, incremental, validation)| Schedule {
            full: Monthly::new(day, full).unwrap(),
            differential: Weekly::new(weekday, differential).unwrap(),
            incremental,
            validation,
        },
    )
}

fn any_zone() -> impl Strategy<Value = Tz> {
    let names = [
        &ZONES[..],
        &[
            "America/New_York",
            "Pacific/Apia",
            "Africa/Casablanca",
            "UTC",
        ],
    ]
    .concat();
    proptest::sample::select(names).prop_map(zone)
}

fn any_time() -> impl Strategy<Value = DateTime<Utc>> {
    (1_300_000_000_i64..2_000_000_000).prop_map(|at| DateTime::from_timestamp(at, 0).unwrap())
}

fn any_past(now: DateTime<Utc>) -> impl Strategy<Value = Vec<PastRun>> {
    let run = (
        proptest::sample::select(Task::ALL.to_vec()),
        -100..2400_i64,
        any::<bool>(),
    );
    let run = run.prop_map(move |(task, hours_ago, fresh)| PastRun {
        task,
        started_at: now - TimeDelta::hours(hours_ago),
        fresh,
    });
    proptest::collection::vec(run, 0..12)
}

fn any_moment() -> impl Strategy<Value = (DateTime<Utc>, Vec<PastRun>)> {
    any_time().prop_flat_map(|now| (Just(now), any_past(now)))
}

proptest! {
    #[test]
    fn due_times_lie_around_now_and_none_between(
        schedule in any_schedule(),
        zone in any_zone(),
        now in any_time(),
        task in proptest::sample::select(Task::ALL.to_vec()),
    ) {
        let last = schedule.last_due(task, now, &zone).unwrap();
        let next = schedule.next_due(task, now, &zone).unwrap();
        prop_assert!(last <= now && now < next);
        prop_assert_eq!(schedule.next_due(task, last, &zone), Some(next));
        prop_assert_eq!(schedule.last_due(task, next - TimeDelta::seconds(1), &zone), Some(last));
        let longest = match task {
            Full => 32,
            Dif => 8,
            Inc | Val => 2,
        };
        prop_assert!(next - last <= TimeDelta::days(longest) + TimeDelta::hours(2));
    }

    #[test]
    fn what_is_due_is_in_order_once_each_and_together_all_that_is_overdue(
        schedule in any_schedule(),
        zone in any_zone(),
        (now, past) in any_moment(),
    ) {
        let rules = Rules::always(schedule);
        let runs = due(&rules, &past, now, &zone);
        prop_assert!(runs.windows(2).all(|pair| pair[0].task < pair[1].task));
        prop_assert!(runs.iter().filter(|run| run.task.kind().is_some()).count() <= 1);
        let mut said: Vec<Occurrence> = runs.iter().flat_map(|run| run.covers.clone()).collect();
        said.extend(runs.iter().map(|run| occurrence(run.task, run.occurrence)));
        said.sort();
        prop_assert_eq!(&said, &overdue(&rules, &past, now, &zone));
        prop_assert!(said.iter().all(|due| due.at <= now));
    }

    #[test]
    fn when_what_is_due_has_been_run_nothing_is_due(
        schedule in any_schedule(),
        zone in any_zone(),
        (now, mut past) in any_moment(),
    ) {
        let rules = Rules::always(schedule);
        for run in due(&rules, &past, now, &zone) {
            past.push(made(run.task, now));
        }
        past.push(made(Val, now));
        prop_assert_eq!(due(&rules, &past, now, &zone), []);
        // Until something comes to be due.
        let next = next(&schedule, now, &zone).into_iter().min_by_key(|due| due.at).unwrap();
        prop_assert_eq!(due(&rules, &past, next.at - TimeDelta::seconds(1), &zone), []);
        let then = due(&rules, &past, next.at, &zone);
        prop_assert!(then.iter().any(|run| run.occurrence == next.at));
    }

    #[test]
    fn where_a_run_fails_what_it_covers_brings_everything_up_to_date_but_itself(
        schedule in any_schedule(),
        zone in any_zone(),
        (now, mut past) in any_moment(),
    ) {
        let rules = Rules::always(schedule);
        let Some(first) = due(&rules, &past, now, &zone).into_iter().next() else {
            return Ok(());
        };
        if let Some(instead) = first.covers.first() {
            past.push(made(instead.task, now));
            let left = overdue(&rules, &past, now, &zone);
            prop_assert!(left.iter().all(|due| due.task == first.task || due.task == Val));
        }
    }

    #[test]
    fn having_run_more_makes_nothing_more_due(
        schedule in any_schedule(),
        zone in any_zone(),
        (now, past) in any_moment(),
    ) {
        let rules = Rules::always(schedule);
        let all = overdue(&rules, &past, now, &zone);
        for without in 0..past.len() {
            let mut fewer = past.clone();
            let run = fewer.remove(without);
            let less = overdue(&rules, &fewer, now, &zone);
            let first_backup = run.task.kind().is_some();
            prop_assert!(all.iter().all(|due| less.contains(due) || (first_backup && due.task == Val)));
        }
    }
}
