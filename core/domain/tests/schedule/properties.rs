//! What holds for every schedule, zone and history.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use respaldo_domain::schedule::Task::{
    Differential as Dif, Full, Incremental as Inc, Validation as Val,
};
use respaldo_domain::schedule::{
    Daily, Monthly, Occurrence, PastRun, Rules, Schedule, Task, Weekly, due, next, overdue,
};

use crate::world::{ZONES, made, occurrence, zone};

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
        // Until something comes to be due. What a wrong clock dated later may do for that by then.
        let from_a_wrong_clock = past.iter().any(|run| run.started_at > now);
        let next = next(&schedule, now, &zone).into_iter().min_by_key(|due| due.at).unwrap();
        prop_assert_eq!(due(&rules, &past, next.at - TimeDelta::seconds(1), &zone), []);
        let then = due(&rules, &past, next.at, &zone);
        prop_assert!(from_a_wrong_clock || then.iter().any(|run| run.occurrence == next.at));
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
