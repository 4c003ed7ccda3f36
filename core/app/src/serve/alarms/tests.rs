use std::fs;

use chrono::TimeDelta;
use respaldo_domain::alert::{Alerts, Notice, NoticeKind};
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::config::Environment;

/// Machines that share a folder, and a webhook where nobody listens: what is told stays owed.
struct Scene {
    folder: TempDir,
    sources: Sources,
}

/// One process of a machine.
struct Process {
    state: StateFile,
    alarms: Alarms,
}

impl Scene {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("respaldo.toml");
        fs::write(&file, "[notify]\nwebhook = \"http://127.0.0.1:9/\"\n").unwrap();
        let sources = Sources {
            file: Some(file),
            ..Sources::of(Environment::default())
        };
        Self { folder, sources }
    }

    fn process(&self) -> Process {
        let state = StateFile::new();
        state.also_in(self.folder.path());
        state.enter(EngineState::Professional);
        let alarms = Alarms::new(&self.sources, "tienda", Lang::En, &state);
        Process { state, alarms }
    }

    fn leader(&self) -> Process {
        let mut process = self.process();
        process.leads(true);
        process
    }

    fn kept(&self, file: &str) -> Value {
        let text = fs::read(self.folder.path().join(file)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// What people are to be told by whoever leads, in short.
    fn told(&self) -> Vec<String> {
        told(&self.kept(SHARED_FILE))
    }

    /// The same by this machine.
    fn told_of_machine(&self) -> Vec<String> {
        told(&self.kept(&state_file::of_machine(OWN_FILE)))
    }

    fn raised(&self) -> usize {
        let alerts = self.kept(SHARED_FILE)["alerts"].clone();
        let alerts: Alerts = serde_json::from_value(alerts).unwrap_or_default();
        alerts.raised().count()
    }
}

fn told(kept: &Value) -> Vec<String> {
    let owed = kept["owed"]["of_each"]["webhook"].clone();
    let owed: Vec<Notice> = serde_json::from_value(owed).unwrap_or_default();
    let word = |notice: Notice| {
        let run = notice.run.map(|run| format!(" {run}")).unwrap_or_default();
        match notice.kind {
            NoticeKind::Began(alarm) => format!("began {alarm:?}{run}"),
            NoticeKind::Ended(alarm) => format!("ended {alarm:?}{run}"),
            other => format!("{other:?}"),
        }
    };
    owed.into_iter().map(word).collect()
}

impl Process {
    fn leads(&mut self, leads: bool) {
        self.state.leads(leads);
        self.alarms.follow_the_lead();
    }
}

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::minutes(minutes)
}

fn full() -> RunInfo {
    run("FULL", Some(Task::Full))
}

fn incremental() -> RunInfo {
    run("INCREMENTAL", Some(Task::Incremental))
}

fn run(name: &str, task: Option<Task>) -> RunInfo {
    let name = name.to_owned();
    RunInfo { name, task }
}

/// Due since the beginning.
fn waits(runs: &[RunInfo]) -> Vec<Waiting> {
    let waiting = |run: &RunInfo| Waiting {
        run: run.clone(),
        since: Some(at(0)),
    };
    runs.iter().map(waiting).collect()
}

const MISSED: [&str; 2] = ["began BackupMissed FULL", "ended BackupMissed FULL"];

#[test]
fn what_is_due_and_not_made_for_an_hour_is_told_and_that_it_is_made() {
    let scene = Scene::open();
    let mut leader = scene.leader();
    leader.alarms.looked(&waits(&[full()]), at(1));
    leader.alarms.looked(&waits(&[full()]), at(60));
    assert_eq!(scene.told(), [""; 0]);
    leader.alarms.looked(&waits(&[full()]), at(62));
    leader.alarms.looked(&waits(&[full()]), at(63));
    assert_eq!(scene.told(), MISSED[..1]);
    leader.alarms.made(&incremental(), None);
    leader.alarms.looked(&waits(&[full()]), at(64));
    assert_eq!(scene.told(), MISSED[..1], "the full is still missing");
    leader.alarms.looked(&[], at(65));
    leader.alarms.looked(&[], at(66));
    assert_eq!(scene.told(), MISSED);
}

#[test]
fn each_kind_that_is_missed_is_told_by_its_name_and_ends_by_itself() {
    let scene = Scene::open();
    let mut leader = scene.leader();
    let both = waits(&[full(), incremental()]);
    leader.alarms.looked(&both, at(0));
    leader.alarms.looked(&both, at(62));
    assert_eq!(
        scene.told(),
        ["began BackupMissed FULL", "began BackupMissed INCREMENTAL"]
    );
    leader.alarms.looked(&both[1..], at(63));
    leader.alarms.looked(&[], at(64));
    assert_eq!(
        scene.told()[2..],
        ["ended BackupMissed FULL", "ended BackupMissed INCREMENTAL"]
    );
}

#[test]
fn a_legacy_backup_that_lacks_something_is_told_once_until_one_lacks_nothing() {
    let scene = Scene::open();
    let mut process = scene.process();
    let daily = run("daily", None);
    for _ in 0..2 {
        process.alarms.begins(&daily, at(0));
        process.alarms.made(&daily, Some("the copy failed"));
    }
    process.alarms.made(&run("weekly", None), None);
    assert_eq!(scene.told_of_machine(), ["began BackupIncomplete daily"]);
    process.alarms.made(&daily, None);
    process.alarms.made(&daily, Some("the copy failed"));
    process.alarms.enters(&EngineState::Professional);
    assert_eq!(
        scene.told_of_machine()[1..],
        [
            "ended BackupIncomplete daily",
            "began BackupIncomplete daily",
            "ended BackupIncomplete daily"
        ]
    );
    assert_eq!(scene.told(), [""; 0]);
}

#[test]
fn neither_a_lost_lead_nor_a_restart_ends_a_missed_backup_or_puts_it_off() {
    let scene = Scene::open();
    let mut leader = scene.leader();
    leader.alarms.looked(&waits(&[full()]), at(0));
    leader.leads(false);
    leader.alarms.looked(&[], at(30));
    drop(leader);
    let mut next = scene.leader();
    next.alarms.looked(&waits(&[full()]), at(61));
    assert_eq!(scene.told(), MISSED[..1]);
    next.leads(false);
    next.alarms.looked(&[], at(62));
    next.leads(true);
    next.alarms.looked(&waits(&[full()]), at(63));
    assert_eq!(scene.told(), MISSED[..1]);
    next.alarms.looked(&[], at(64));
    assert_eq!(scene.told(), MISSED);
}

#[test]
fn a_process_that_dies_with_each_run_is_told_of_as_a_missed_backup() {
    let scene = Scene::open();
    for minute in [0, 20, 40, 61] {
        assert_eq!(scene.told(), [""; 0]);
        scene.leader().alarms.begins(&full(), at(minute));
    }
    assert_eq!(scene.told(), MISSED[..1]);
}

#[test]
fn a_backup_that_takes_long_or_fails_is_not_missed() {
    let scene = Scene::open();
    let mut leader = scene.leader();
    leader.alarms.begins(&full(), at(0));
    leader.alarms.made(&full(), None);
    leader.alarms.begins(&incremental(), at(180));
    leader.alarms.failed(&incremental(), "no space");
    leader.alarms.looked(&waits(&[full()]), at(400));
    assert_eq!(scene.told(), ["began BackupFailing INCREMENTAL"]);
}

#[test]
fn a_full_that_goes_on_failing_is_told_once_while_incrementals_are_made_in_its_stead() {
    let scene = Scene::open();
    let mut leader = scene.leader();
    for day in 0..3 {
        leader.alarms.begins(&full(), at(day * 1440));
        leader.alarms.failed(&full(), "no roles");
        leader.alarms.begins(&incremental(), at(day * 1440));
        leader.alarms.made(&incremental(), None);
        leader.alarms.looked(&waits(&[full()]), at(day * 1440 + 90));
    }
    assert_eq!(scene.told(), ["began BackupFailing FULL"]);
    leader.alarms.made(&full(), None);
    let both = ["began BackupFailing FULL", "ended BackupFailing FULL"];
    assert_eq!(scene.told(), both);
}

#[test]
fn who_begins_to_lead_goes_on_from_what_another_told() {
    let scene = Scene::open();
    let (mut one, mut other) = (scene.leader(), scene.process());
    one.alarms.failed(&full(), "no space");
    one.leads(false);
    other.leads(true);
    other.alarms.failed(&full(), "no space");
    other.alarms.made(&full(), None);
    other.leads(false);
    one.leads(true);
    one.alarms.looked(&[], at(0));
    let both = ["began BackupFailing FULL", "ended BackupFailing FULL"];
    assert_eq!(scene.told(), both);
    assert_eq!(scene.raised(), 0);
}

#[test]
fn an_engine_that_is_down_is_told_by_its_machine_across_restarts() {
    let scene = Scene::open();
    let stopped = EngineState::Stopped {
        reason: "no server".to_owned(),
    };
    let daily = run("daily", None);
    for _ in 0..2 {
        let mut process = scene.process();
        process.alarms.failed(&daily, "no server");
        process.alarms.enters(&stopped);
        process.alarms.is_blind("no configuration");
    }
    let begins = [
        "began BackupFailing daily",
        "began EngineStopped",
        "began BackupMissed LEGACY",
    ];
    assert_eq!(scene.told_of_machine(), begins);
    scene.process().alarms.enters(&EngineState::Professional);
    let ends = [
        "ended EngineStopped",
        "ended BackupFailing daily",
        "ended BackupMissed LEGACY",
    ];
    assert_eq!(scene.told_of_machine()[3..], ends);
    assert_eq!(scene.told(), [""; 0]);
}

#[test]
fn what_could_not_be_told_while_the_configuration_was_unreadable_is_told_when_it_can() {
    let scene = Scene::open();
    let file = scene.folder.path().join("respaldo.toml");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, "[notify\n").unwrap();
    let legacy = EngineState::Legacy {
        reason: "no configuration".to_owned(),
    };
    scene.process().alarms.enters(&legacy);
    fs::write(&file, good).unwrap();
    scene.process().alarms.enters(&legacy);
    assert_eq!(scene.told_of_machine(), ["began EngineLegacy"]);
}
