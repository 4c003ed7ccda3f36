//! Edits of the rules, and clocks that are wrong.

use chrono::TimeDelta;
use respaldo_domain::schedule::Task::{Full, Incremental as Inc, Validation as Val};
use respaldo_domain::schedule::{Daily, Monthly, Schedule};

use crate::world::{Supervisor, assert_same, local, occurrence, utc, walked, zone};

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
