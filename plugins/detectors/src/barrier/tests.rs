use super::*;

fn at(ms: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::milliseconds(ms)
}

/// A client seen at `seen` that has been idle since `since` after a query begun at `query`; the
/// snapshot was taken at 0.
fn idle(pid: i32, seen: i64, since: i64, query: i64) -> Sighting {
    Sighting {
        seen_at: at(seen),
        pid,
        started_at: Some(at(-1_000_000)),
        backend_type: Some("client backend".to_owned()),
        state: Some("idle".to_owned()),
        state_changed_at: Some(at(since)),
        query_started_at: Some(at(query)),
    }
}

fn in_state(state: &str) -> Sighting {
    Sighting {
        state: Some(state.to_owned()),
        ..idle(1, 60_000, 59_000, 58_000)
    }
}

fn barrier(first: &[Sighting]) -> Barrier {
    Barrier::new(
        at(0).fixed_offset(),
        Trust::Server,
        &BTreeSet::new(),
        None,
        first,
    )
}

#[test]
fn a_pool_that_was_idle_long_before_costs_no_wait() {
    assert!(barrier(&[idle(1, 20, -10_490, -10_500)]).is_complete());
}

#[test]
fn a_session_idle_for_less_than_ten_seconds_is_waited_for() {
    let mut watched = barrier(&[idle(1, 100, -2_000, -2_001)]);
    assert_eq!(
        watched.foreseeable_wait(),
        Some(Duration::from_millis(8_400))
    );
    watched.observe(&[idle(1, 8_000, -2_000, -2_001)], Duration::from_secs(8));
    assert!(!watched.is_complete());
    watched.observe(
        &[idle(1, 8_500, -2_000, -2_001)],
        Duration::from_millis(8_500),
    );
    assert!(watched.is_complete());
}

#[test]
fn only_a_query_begun_well_after_the_snapshot_clears_a_busy_session() {
    let mut watched = barrier(&[idle(1, 10, 5, 4)]);
    // Its commit waited three seconds for a standby: idle late, but begun too early.
    watched.observe(&[idle(1, 3_100, 3_060, 60)], Duration::from_secs(3));
    assert!(!watched.is_complete());
    watched.observe(&[idle(1, 4_200, 4_150, 1_099)], Duration::from_secs(4));
    assert!(!watched.is_complete());
    watched.observe(&[idle(1, 4_400, 4_350, 1_100)], Duration::from_secs(5));
    assert!(watched.is_complete());
}

#[test]
fn whoever_is_gone_or_replaced_has_reported() {
    let mut watched = barrier(&[in_state("active")]);
    assert!(!watched.is_complete());
    let other = Sighting {
        started_at: Some(at(5)),
        ..in_state("active")
    };
    watched.observe(&[other], Duration::from_secs(1));
    assert!(watched.is_complete());
}

#[test]
fn everything_but_an_idle_client_may_hide_something() {
    let hidden = Sighting {
        started_at: None,
        backend_type: None,
        state: None,
        state_changed_at: None,
        query_started_at: None,
        ..in_state("idle")
    };
    let worker = Sighting {
        backend_type: Some("logical replication worker".to_owned()),
        ..in_state("idle")
    };
    let states = [
        "active",
        "idle in transaction",
        "disabled",
        "fastpath function call",
    ];
    let sessions = states
        .iter()
        .map(|state| in_state(state))
        .chain([hidden, worker]);
    for session in sessions {
        let watched = barrier(std::slice::from_ref(&session));
        assert!(!watched.is_complete(), "{session:?}");
        assert_eq!(watched.foreseeable_wait(), None, "{session:?}");
        assert_eq!(watched.held_by().len(), 1);
    }
}

#[test]
fn processes_without_writes_of_their_own_are_not_waited_for() {
    for kind in HARMLESS {
        let process = Sighting {
            backend_type: Some((*kind).to_owned()),
            ..in_state("active")
        };
        assert!(barrier(&[process]).is_complete(), "{kind}");
    }
}

#[test]
fn who_came_after_the_snapshot_is_ignored_unless_seen_before_it() {
    let late = Sighting {
        started_at: Some(at(1)),
        ..in_state("active")
    };
    assert!(barrier(std::slice::from_ref(&late)).is_complete());
    let before = BTreeSet::from([(late.pid, at(1))]);
    let watched = Barrier::new(
        at(0).fixed_offset(),
        Trust::Server,
        &before,
        None,
        std::slice::from_ref(&late),
    );
    assert!(!watched.is_complete());
    let early = in_state("active");
    let own = Some(early.pid);
    let none = BTreeSet::new();
    assert!(Barrier::new(at(0).fixed_offset(), Trust::Server, &none, own, &[early]).is_complete());
}

#[test]
fn a_strict_barrier_believes_only_its_own_clock() {
    let first = idle(1, 100, -60_000, -60_000);
    let mut watched = Barrier::new(
        at(0).fixed_offset(),
        Trust::Repetition,
        &BTreeSet::new(),
        None,
        std::slice::from_ref(&first),
    );
    assert!(!watched.is_complete());
    watched.observe(
        &[idle(1, 200_000, -60_000, -60_000)],
        Duration::from_secs(10),
    );
    assert!(!watched.is_complete());
    watched.observe(&[first], Duration::from_millis(10_500));
    assert!(watched.is_complete());
}

#[test]
fn a_strict_barrier_clears_a_busy_session_when_handing_over_was_forced() {
    let mut watched = Barrier::new(
        at(0).fixed_offset(),
        Trust::Repetition,
        &BTreeSet::new(),
        None,
        &[idle(1, 10, 5, 4)],
    );
    watched.observe(&[idle(1, 2_000, 1_900, 1_800)], Duration::from_secs(2));
    watched.observe(&[idle(1, 62_000, 61_990, 61_980)], Duration::from_secs(62));
    assert!(!watched.is_complete());
    watched.observe(&[idle(1, 63_200, 63_100, 63_000)], Duration::from_secs(63));
    assert!(watched.is_complete());
}
