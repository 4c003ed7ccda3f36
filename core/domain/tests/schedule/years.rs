//! Whole years, with and without interruptions.

use chrono::{Datelike, TimeDelta};
use respaldo_domain::schedule::Schedule;
use respaldo_domain::schedule::Task::{
    Differential as Dif, Full, Incremental as Inc, Validation as Val,
};

use crate::world::{
    Supervisor, ZONES, assert_same, greatest_of_each_instant, local, schedule, walked, zone,
};

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

/// What happens to a supervisor in a year.
enum Turn {
    /// It is away from then until then.
    Away(&'static str, &'static str),
    /// Other rules hold from then.
    Edit(&'static str, Schedule),
}

#[test]
fn a_year_of_outages_and_edits_runs_what_the_rules_in_force_ask_for_in_four_zones() {
    let turns = [
        Turn::Away("2026-01-14 18:00", "2026-01-15 08:00"),
        Turn::Away("2026-02-10 18:00", "2026-04-20 08:00"),
        Turn::Edit(
            "2026-05-01 12:00",
            schedule(1, (0, 0), (6, 23, 30), (22, 0)),
        ),
        Turn::Away("2026-05-09 18:00", "2026-05-11 08:00"),
        Turn::Edit(
            "2026-06-20 12:00",
            schedule(15, (3, 0), (5, 21, 30), (22, 0)),
        ),
        Turn::Away("2026-07-14 18:00", "2026-07-16 09:00"),
        Turn::Edit(
            "2026-08-12 12:00",
            schedule(31, (4, 30), (2, 20, 0), (2, 15)),
        ),
        Turn::Away("2026-09-05 23:30", "2026-09-06 09:00"),
        Turn::Away("2026-10-03 22:00", "2026-10-04 12:00"),
        Turn::Edit("2026-11-03 12:00", Schedule::default()),
        Turn::Away("2026-12-30 12:00", "2026-12-31 12:00"),
    ];
    for name in ZONES {
        let zone = zone(name);
        let (from, until) = (
            local(zone, "2026-01-01 12:00"),
            local(zone, "2027-01-01 12:00"),
        );
        let mut rule = Schedule::default();
        let mut supervisor = Supervisor::up_to_date(zone, rule, from);
        let (mut expected, mut since) = (Vec::new(), from);
        let awake = |supervisor: &mut Supervisor, rule, since, until| {
            supervisor.awake(since, until);
            let due = greatest_of_each_instant(&walked(&rule, zone, since, until));
            due.into_iter()
                .map(|due| (due.task, due.at))
                .collect::<Vec<_>>()
        };
        for turn in &turns {
            match *turn {
                Turn::Edit(at, schedule) => {
                    let at = local(zone, at);
                    expected.extend(awake(&mut supervisor, rule, since, at));
                    supervisor.edit(schedule, at);
                    (rule, since) = (schedule, at);
                }
                Turn::Away(off, on) => {
                    let (off, on) = (local(zone, off), local(zone, on));
                    expected.extend(awake(&mut supervisor, rule, since, off));
                    let slept = walked(&rule, zone, off, on);
                    let backups = slept.iter().map(|due| due.task).filter(|task| *task != Val);
                    let validation = slept.iter().any(|due| due.task == Val).then_some(Val);
                    expected.extend(backups.min().into_iter().chain(validation).map(|t| (t, on)));
                    since = on;
                }
            }
        }
        expected.extend(awake(&mut supervisor, rule, since, until));
        assert_same(&supervisor.begun(), &expected, name);
        let fulls = expected.iter().filter(|(task, _)| *task == Full).count();
        assert_eq!(fulls, 10, "{name}");
    }
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
