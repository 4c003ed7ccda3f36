//! What meets a due time.

use chrono::TimeDelta;
use respaldo_domain::schedule::Task::{
    Differential as Dif, Full, Incremental as Inc, Validation as Val,
};
use respaldo_domain::schedule::{PastRun, due};

use crate::world::{default_rules, local, made, occurrence, utc, zone};

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
fn waking_up_often_or_again_after_a_restart_changes_nothing() {
    let zone = zone("Europe/Madrid");
    let now = local(zone, "2026-10-25 02:30");
    let past = [made(Full, now - TimeDelta::days(3))];
    let asked = due(&default_rules(), &past, now, &zone);
    assert_eq!(asked, due(&default_rules(), &past, now, &zone));
    let later = due(&default_rules(), &past, now + TimeDelta::seconds(15), &zone);
    assert_eq!(asked, later);
}
