use proptest::prelude::*;

use super::*;

fn at(minute: usize) -> DateTime<FixedOffset> {
    let start = DateTime::parse_from_rfc3339("2026-11-24T23:00:00-03:00").unwrap();
    start + chrono::Duration::minutes(i64::try_from(minute).unwrap())
}

const RUNS: [&str; 3] = ["FULL", "INCREMENTAL", "daily"];

fn topics() -> impl Strategy<Value = Topic> {
    let run = proptest::option::of(proptest::sample::select(RUNS.to_vec()));
    let alarm = proptest::sample::select(Alarm::ALL.to_vec());
    (alarm, run).prop_map(|(alarm, run)| Topic {
        alarm,
        run: run.map(str::to_owned),
    })
}

fn failed(run: &str) -> Event {
    Event::RunFailed {
        run: run.to_owned(),
        why: "no space".to_owned(),
    }
}

fn succeeded(run: &str) -> Event {
    Event::RunSucceeded(run.to_owned())
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let run = || proptest::sample::select(RUNS.to_vec());
    let event = prop_oneof![
        run().prop_map(|run| Event::RunStarted(run.to_owned())),
        run().prop_map(succeeded),
        run().prop_map(failed),
        topics().prop_map(|topic| Event::Holds(topic, "seen".to_owned())),
        topics().prop_map(Event::Over),
        Just(Event::NothingLeft),
        proptest::sample::subsequence(RUNS.to_vec(), 0..=RUNS.len())
            .prop_map(|runs| Event::Left(runs.into_iter().map(str::to_owned).collect())),
    ];
    proptest::collection::vec(event, 0..60)
}

fn is_of_a_run(event: &Event) -> bool {
    matches!(
        event,
        Event::RunStarted(_) | Event::RunSucceeded(_) | Event::RunFailed { .. }
    )
}

/// Everything told, one after another; `restart` after that many events.
fn told(events: &[Event], restart: Option<usize>) -> Vec<Tell> {
    let mut alerts = Alerts::default();
    let mut all = Vec::new();
    for (index, event) in events.iter().enumerate() {
        if restart == Some(index) {
            let kept = serde_json::to_string(&alerts).unwrap();
            alerts = serde_json::from_str(&kept).unwrap();
        }
        all.extend(alerts.see(event.clone(), at(index)));
    }
    all
}

proptest! {
    #[test]
    fn an_alarm_begins_once_and_ends_once_in_turn_for_each_thing_it_concerns(events in events()) {
        let mut is_raised: BTreeMap<Topic, bool> = BTreeMap::new();
        for tell in told(&events, None) {
            let Some(alarm) = tell.kind.alarm() else { continue };
            let begins = matches!(tell.kind, NoticeKind::Began(_));
            let before = is_raised.insert(Topic { alarm, run: tell.run }, begins);
            prop_assert_eq!(before.unwrap_or(false), !begins);
        }
    }

    #[test]
    fn a_restart_changes_nothing_of_what_is_told(events in events(), when in 0_usize..60) {
        prop_assert_eq!(told(&events, Some(when)), told(&events, None));
    }

    #[test]
    fn every_run_is_told_whatever_alarms_there_are(events in events()) {
        let runs = events.iter().filter(|event| is_of_a_run(event));
        let told = told(&events, None);
        prop_assert_eq!(told.iter().filter(|tell| !tell.kind.is_for_people()).count(), runs.count());
    }

    #[test]
    fn what_is_seen_is_what_is_raised(events in events()) {
        let mut alerts = Alerts::default();
        for (index, event) in events.into_iter().enumerate() {
            alerts.see(event.clone(), at(index));
            let is_raised = |topic: &Topic| alerts.raised().any(|raised| raised == topic);
            match event {
                Event::Holds(topic, _) => prop_assert!(is_raised(&topic)),
                Event::Over(topic) => prop_assert!(!is_raised(&topic)),
                Event::RunFailed { run, .. } => prop_assert!(is_raised(&Topic::failing(&run))),
                Event::RunSucceeded(run) => prop_assert!(!is_raised(&Topic::failing(&run))),
                Event::NothingLeft => prop_assert!(RUNS.iter().all(|run| !is_raised(&Topic::failing(run)))),
                Event::Left(waiting) => {
                    for run in RUNS.iter().filter(|run| !waiting.iter().any(|left| left == *run)) {
                        prop_assert!(!is_raised(&Topic::of(Alarm::BackupMissed, run)));
                    }
                }
                Event::RunStarted(_) => {}
            }
        }
    }

    #[test]
    fn a_run_that_succeeds_ends_no_alarm_of_another(events in events(), run in proptest::sample::select(RUNS.to_vec())) {
        let mut alerts = Alerts::default();
        for (index, event) in events.into_iter().enumerate() {
            alerts.see(event, at(index));
        }
        let others = |alerts: &Alerts| -> Vec<Topic> {
            alerts.raised().filter(|topic| **topic != Topic::failing(run)).cloned().collect()
        };
        let before = others(&alerts);
        alerts.see(succeeded(run), at(60));
        prop_assert_eq!(others(&alerts), before);
    }
}

/// What people are told, in short.
fn for_people(events: &[Event], restart: Option<usize>) -> Vec<String> {
    let told = told(events, restart).into_iter();
    let word = |tell: Tell| {
        let run = tell.run.unwrap_or_default();
        match tell.kind {
            NoticeKind::Began(alarm) => Some(format!("began {alarm:?} {run}")),
            NoticeKind::Ended(alarm) => Some(format!("ended {alarm:?} {run}")),
            _ => None,
        }
    };
    told.filter_map(word).collect()
}

#[test]
fn a_backup_that_fails_all_night_is_alerted_once_and_its_recovery_once() {
    let night = [
        failed("FULL"),
        failed("FULL"),
        failed("FULL"),
        succeeded("FULL"),
        succeeded("FULL"),
    ];
    let words = ["began BackupFailing FULL", "ended BackupFailing FULL"];
    assert_eq!(for_people(&night, Some(2)), words);
    assert_eq!(told(&night, None)[5].since, Some(at(0)));
}

#[test]
fn a_full_that_goes_on_failing_is_alerted_once_whatever_is_made_in_its_stead() {
    let day = || [failed("FULL"), succeeded("INCREMENTAL"), failed("FULL")];
    let missed = Event::Holds(Alarm::BackupMissed.into(), "since Monday".to_owned());
    let mut days = vec![missed];
    days.extend(day().into_iter().chain(day()).chain(day()));
    let begins = ["began BackupMissed ", "began BackupFailing FULL"];
    assert_eq!(for_people(&days, Some(5)), begins);
    days.push(succeeded("FULL"));
    days.push(Event::NothingLeft);
    let ends = ["ended BackupFailing FULL", "ended BackupMissed "];
    assert_eq!(for_people(&days, None), [begins, ends].concat());
}

#[test]
fn what_was_made_by_hand_ends_the_alarm_when_nothing_is_left() {
    let events = [failed("FULL"), failed("INCREMENTAL"), Event::NothingLeft];
    let told = for_people(&events, None);
    let ends = [
        "ended BackupFailing FULL",
        "ended BackupFailing INCREMENTAL",
    ];
    assert_eq!(told[2..], ends);
}

fn notice(kind: NoticeKind, run: Option<&str>, minute: usize) -> Notice {
    Notice {
        kind,
        subject: "x".to_owned(),
        at: at(minute),
        database: "app".to_owned(),
        run: run.map(str::to_owned),
        detail: serde_json::json!({ "why": "y" }),
    }
}

#[test]
fn what_a_way_did_not_take_is_owed_to_it_alone_across_a_restart() {
    let ways = ["mail".to_owned(), "webhook".to_owned()];
    let began = notice(NoticeKind::Began(Alarm::EngineStopped), None, 0);
    let ended = notice(NoticeKind::Ended(Alarm::EngineStopped), None, 1);
    let mut owed = Owed::default();
    owed.owe(&began, None);
    owed.address(&ways);
    owed.owe(&ended, Some(&ways));
    owed.settle("mail", &began);
    let kept = serde_json::to_string(&owed).unwrap();
    let mut owed: Owed = serde_json::from_str(&kept).unwrap();
    assert_eq!(owed.to("mail"), std::slice::from_ref(&ended));
    assert_eq!(owed.to("webhook"), [began, ended]);
    owed.address(&ways[1..]);
    assert_eq!(owed.to("mail"), []);
}

#[test]
fn of_too_many_notices_one_goes_that_another_overtakes() {
    let ways = ["mail".to_owned()];
    let first = notice(NoticeKind::Began(Alarm::EngineLegacy), None, 0);
    let mut owed = Owed::default();
    owed.owe(&first, Some(&ways));
    for minute in 1..=MOST_WAITING {
        let kind = match minute % 2 {
            1 => NoticeKind::Began(Alarm::BackupFailing),
            _ => NoticeKind::Ended(Alarm::BackupFailing),
        };
        owed.owe(&notice(kind, Some("FULL"), minute), Some(&ways));
    }
    assert_eq!(owed.to("mail").len(), MOST_WAITING);
    assert_eq!(owed.to("mail")[0], first);
    assert_eq!(owed.to("mail")[1].at, at(2));
}

#[test]
fn a_notice_is_read_back_as_it_was_written() {
    let notice = notice(NoticeKind::Began(Alarm::BackupMissed), None, 0);
    let text = serde_json::to_string(&notice).unwrap();
    assert!(
        text.contains(r#""kind":{"what":"began","alarm":"backup-missed"}"#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notice);
}
