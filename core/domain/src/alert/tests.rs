use proptest::prelude::*;

use super::*;

fn at(minute: usize) -> DateTime<FixedOffset> {
    let start = DateTime::parse_from_rfc3339("2026-11-24T23:00:00-03:00").unwrap();
    start + chrono::Duration::minutes(i64::try_from(minute).unwrap())
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let alarm = || proptest::sample::select(Alarm::ALL.to_vec());
    let event = prop_oneof![
        Just(Event::RunStarted),
        Just(Event::RunSucceeded),
        Just(Event::RunFailed("no space".to_owned())),
        alarm().prop_map(|alarm| Event::Holds(alarm, "seen".to_owned())),
        alarm().prop_map(Event::Over),
    ];
    proptest::collection::vec(event, 0..60)
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
    fn an_alarm_begins_once_and_ends_once_in_turn(events in events()) {
        for alarm in Alarm::ALL {
            let of_it = told(&events, None).into_iter().filter_map(|tell| match tell.kind {
                NoticeKind::Began(which) if which == alarm => Some(true),
                NoticeKind::Ended(which) if which == alarm => Some(false),
                _ => None,
            });
            let turns: Vec<bool> = of_it.collect();
            let expected: Vec<bool> = (0..turns.len()).map(|turn| turn % 2 == 0).collect();
            prop_assert_eq!(turns, expected);
        }
    }

    #[test]
    fn a_restart_changes_nothing_of_what_is_told(events in events(), when in 0_usize..60) {
        prop_assert_eq!(told(&events, Some(when)), told(&events, None));
    }

    #[test]
    fn every_run_is_told_whatever_alarms_there_are(events in events()) {
        let runs = events.iter().filter(|event| !matches!(event, Event::Holds(..) | Event::Over(_)));
        let told = told(&events, None);
        prop_assert_eq!(told.iter().filter(|tell| !tell.kind.is_for_people()).count(), runs.count());
    }

    #[test]
    fn what_is_seen_is_what_is_raised(events in events()) {
        let mut alerts = Alerts::default();
        for (index, event) in events.into_iter().enumerate() {
            alerts.see(event.clone(), at(index));
            let raised: Vec<Alarm> = alerts.raised().collect();
            match event {
                Event::Holds(alarm, _) => prop_assert!(raised.contains(&alarm)),
                Event::Over(alarm) => prop_assert!(!raised.contains(&alarm)),
                Event::RunFailed(_) => prop_assert!(raised.contains(&Alarm::BackupFailing)),
                Event::RunSucceeded => prop_assert!(!raised.contains(&Alarm::BackupFailing)),
                Event::RunStarted => {}
            }
        }
    }
}

#[test]
fn a_backup_that_fails_all_night_is_alerted_once_and_its_recovery_once() {
    let failed = || Event::RunFailed("no space".to_owned());
    let night = [
        failed(),
        failed(),
        failed(),
        Event::RunSucceeded,
        Event::RunSucceeded,
    ];
    let told = told(&night, Some(2));
    let for_people: Vec<_> = told
        .iter()
        .filter(|tell| tell.kind.is_for_people())
        .collect();
    assert_eq!(for_people.len(), 2);
    assert_eq!(for_people[0].kind, NoticeKind::Began(Alarm::BackupFailing));
    assert_eq!(for_people[1].kind, NoticeKind::Ended(Alarm::BackupFailing));
    assert_eq!(for_people[1].since, Some(at(0)));
}

#[test]
fn a_notice_is_read_back_as_it_was_written() {
    let notice = Notice {
        kind: NoticeKind::Began(Alarm::BackupMissed),
        subject: "x".to_owned(),
        at: at(0),
        database: "app".to_owned(),
        detail: serde_json::json!({ "why": "y" }),
    };
    let text = serde_json::to_string(&notice).unwrap();
    assert!(
        text.contains(r#""kind":{"what":"began","alarm":"backup-missed"}"#),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notice);
}
