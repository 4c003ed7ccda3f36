use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::ports::Interrupt;

/// What the world is like, and what was made in it.
#[derive(Default)]
struct World {
    now: DateTime<Utc>,
    init_fails: Option<&'static str>,
    check_fails: Option<&'static str>,
    run_fails: Option<&'static str>,
    fallback_fails: Option<&'static str>,
    /// The hour whose run by the fallback fails.
    fails_at: Option<i64>,
    fallback_not_ready: Option<&'static str>,
    /// How long a run of the fallback takes.
    run_seconds: i64,
    /// Whether all hours that are not done are due, not the newest alone.
    all_due: bool,
    is_blind: bool,
    /// Runs of a day, by hour; the engine and the fallback have the same.
    hours: Vec<i64>,
    done: Vec<i64>,
    by_engine: Vec<i64>,
    by_fallback: Vec<i64>,
    starts: u32,
    heard: Vec<Happening>,
}

type Shared = Rc<RefCell<World>>;

impl World {
    /// Hours that have begun and are not done; the newest alone, as schedules have it.
    fn due(&self) -> Vec<i64> {
        let hour = self.now.timestamp() / 3600;
        if self.all_due {
            let due = |h: &i64| *h <= hour && !self.done.contains(h);
            return self.hours.iter().copied().filter(due).collect();
        }
        let last = self.hours.iter().copied().filter(|h| *h <= hour).max();
        last.filter(|h| !self.done.contains(h))
            .into_iter()
            .collect()
    }
}

impl Run for i64 {
    fn task(&self) -> Option<Task> {
        None
    }

    fn due_at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self * 3600, 0)
    }
}

struct Engine(Shared);
struct Fallback(Shared);
struct Ear(Shared);

fn outcome(failure: Option<&'static str>) -> Result<(), String> {
    failure.map_or(Ok(()), |reason| Err(reason.to_owned()))
}

impl Service for Engine {
    type Run = i64;

    fn due(&mut self, _now: DateTime<Utc>, _cx: &Context) -> Result<Vec<i64>, String> {
        let world = self.0.borrow();
        if world.is_blind {
            return Err("no catalog and no storage".to_owned());
        }
        Ok(world.due())
    }

    fn make(&mut self, run: &i64, cx: &Context) -> Result<Made, String> {
        let mut world = self.0.borrow_mut();
        if world.run_fails == Some("stopped") {
            cx.interrupt().set();
        }
        outcome(world.run_fails)?;
        world.done.push(*run);
        world.by_engine.push(*run);
        Ok(Made::Here)
    }
}

impl Primary for Engine {
    fn start(&mut self, _cx: &Context) -> Result<(), String> {
        self.0.borrow_mut().starts += 1;
        outcome(self.0.borrow().init_fails)
    }

    fn check(&mut self, _cx: &Context) -> Result<(), String> {
        outcome(self.0.borrow().check_fails)
    }

    fn stop(&mut self) {}
}

impl Service for Fallback {
    type Run = i64;

    fn due(&mut self, _now: DateTime<Utc>, _cx: &Context) -> Result<Vec<i64>, String> {
        Ok(self.0.borrow().due())
    }

    fn make(&mut self, run: &i64, _cx: &Context) -> Result<Made, String> {
        let mut world = self.0.borrow_mut();
        let run_seconds = world.run_seconds;
        world.now += TimeDelta::seconds(run_seconds);
        outcome(world.fallback_fails)?;
        outcome(
            world
                .fails_at
                .filter(|at| at == run)
                .map(|_| "this one fails"),
        )?;
        world.done.push(*run);
        world.by_fallback.push(*run);
        Ok(Made::Here)
    }
}

impl super::Fallback for Fallback {
    fn ready(&mut self, _cx: &Context) -> Result<(), String> {
        outcome(self.0.borrow().fallback_not_ready)
    }
}

impl Listener for Ear {
    fn hear(&mut self, happening: &Happening) {
        self.0.borrow_mut().heard.push(happening.clone());
    }
}

struct Scene {
    world: Shared,
    supervisor: Supervisor<Engine, Fallback, Ear>,
    cx: Context,
}

impl Scene {
    fn new(hours: &[i64]) -> Self {
        let world = Shared::default();
        world.borrow_mut().hours = hours.to_vec();
        let share = || Rc::clone(&world);
        let supervisor = Supervisor::new(
            Engine(share()),
            Some(Fallback(share())),
            Ear(share()),
            Times::default(),
        );
        Self {
            world: share(),
            supervisor,
            cx: Context::quiet(),
        }
    }

    /// Beats every 15 seconds from where the clock stands.
    fn beat_for(&mut self, seconds: i64) {
        let until = self.world.borrow().now + TimeDelta::seconds(seconds);
        while self.world.borrow().now < until {
            let world = Rc::clone(&self.world);
            self.supervisor.beat(&|| world.borrow().now, &self.cx);
            self.world.borrow_mut().now += TimeDelta::seconds(15);
        }
    }

    fn states(&self) -> Vec<EngineState> {
        let world = self.world.borrow();
        let state = |happening: &Happening| match happening {
            Happening::State(state) => Some(state.clone()),
            _ => None,
        };
        world.heard.iter().filter_map(state).collect()
    }

    fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.world.borrow_mut());
    }
}

fn legacy(reason: &str) -> EngineState {
    EngineState::Legacy {
        reason: reason.to_owned(),
    }
}

fn stopped(reason: &str) -> EngineState {
    EngineState::Stopped {
        reason: reason.to_owned(),
    }
}

#[test]
fn what_is_due_is_made_once_by_the_engine() {
    let mut scene = Scene::new(&[0, 1, 2, 30]);
    scene.beat_for(3 * 3600);
    assert_eq!(scene.world.borrow().by_engine, [0, 1, 2]);
    assert_eq!(scene.states(), [EngineState::Professional]);
    assert_eq!(scene.world.borrow().starts, 1);
}

#[test]
fn an_engine_that_cannot_be_started_is_replaced_on_time_and_comes_back_by_itself() {
    let mut scene = Scene::new(&[0, 1, 3, 4]);
    scene.change(|world| world.init_fails = Some("catalog unreachable"));
    scene.beat_for(2 * 3600);
    assert_eq!(scene.world.borrow().by_fallback, [0, 1]);
    scene.change(|world| world.init_fails = None);
    scene.beat_for(3 * 3600);
    assert_eq!(scene.world.borrow().by_engine, [3, 4]);
    let came_back = [legacy("catalog unreachable"), EngineState::Professional];
    assert_eq!(scene.states(), came_back);
    let starts = scene.world.borrow().starts;
    assert!((10..30).contains(&starts), "{starts} tries in two hours");
}

#[test]
fn an_engine_that_breaks_later_is_noticed_and_replaced() {
    let mut scene = Scene::new(&[0, 1]);
    scene.beat_for(600);
    scene.change(|world| {
        world.check_fails = Some("repository cannot be written");
        world.init_fails = world.check_fails;
    });
    scene.beat_for(3600);
    assert_eq!(scene.world.borrow().by_fallback, [1]);
    scene.change(|world| (world.check_fails, world.init_fails) = (None, None));
    scene.beat_for(700);
    let states = [
        EngineState::Professional,
        legacy("repository cannot be written"),
        EngineState::Professional,
    ];
    assert_eq!(scene.states(), states);
}

#[test]
fn a_run_that_fails_is_tried_again_and_does_not_demote_the_engine() {
    let mut scene = Scene::new(&[0]);
    scene.change(|world| world.run_fails = Some("disk full"));
    scene.beat_for(3600);
    scene.change(|world| world.run_fails = None);
    scene.beat_for(3600);
    let world = scene.world.borrow();
    assert_eq!(
        (&world.by_engine[..], &world.by_fallback[..]),
        (&[0][..], &[][..])
    );
    let failures: Vec<u32> = world
        .heard
        .iter()
        .filter_map(|happening| match happening {
            Happening::Failed { times, .. } => Some(*times),
            _ => None,
        })
        .collect();
    assert_eq!(failures, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    drop(world);
    assert_eq!(scene.states(), [EngineState::Professional]);
}

#[test]
fn where_nothing_can_be_dumped_backups_stop_and_the_first_possible_one_is_made() {
    let mut scene = Scene::new(&[0, 2]);
    scene.change(|world| {
        world.init_fails = Some("tools missing");
        world.fallback_fails = Some("no pg_dump");
    });
    scene.beat_for(1800);
    assert_eq!(
        scene.states(),
        [legacy("tools missing"), stopped("no pg_dump")]
    );
    scene.change(|world| world.fallback_fails = None);
    scene.beat_for(1800);
    assert_eq!(scene.world.borrow().by_fallback, [0]);
    assert_eq!(scene.states().last(), Some(&legacy("tools missing")));
    scene.change(|world| world.init_fails = None);
    scene.beat_for(2 * 3600);
    assert_eq!(scene.world.borrow().by_engine, [2]);
    assert_eq!(scene.states().last(), Some(&EngineState::Professional));
}

#[test]
fn not_knowing_what_is_due_is_told_and_nothing_is_made() {
    let mut scene = Scene::new(&[0]);
    scene.change(|world| world.is_blind = true);
    scene.beat_for(60);
    let blind = Happening::Blind("no catalog and no storage".to_owned());
    assert!(scene.world.borrow().heard.contains(&blind));
    assert!(scene.world.borrow().done.is_empty());
}

#[test]
fn a_run_that_is_stopped_is_no_failure() {
    let mut scene = Scene::new(&[0]);
    scene.cx = Context::quiet().with_interrupt(Interrupt::default());
    scene.change(|world| world.run_fails = Some("stopped"));
    scene.beat_for(60);
    let world = scene.world.borrow();
    let failed = |happening: &&Happening| matches!(happening, Happening::Failed { .. });
    assert_eq!(world.heard.iter().filter(failed).count(), 0);
}

#[test]
fn a_clock_set_back_by_a_day_keeps_nobody_from_trying() {
    let mut scene = Scene::new(&[0]);
    scene.change(|world| {
        world.now += TimeDelta::days(2);
        world.init_fails = Some("broken");
        world.fallback_fails = Some("broken too");
    });
    scene.beat_for(600);
    scene.change(|world| {
        world.now -= TimeDelta::days(1);
        (world.init_fails, world.fallback_fails) = (None, None);
    });
    scene.beat_for(30);
    assert_eq!(scene.world.borrow().by_engine, [0]);
}

#[test]
fn what_was_left_undone_is_told_by_its_name_with_since_when_it_is_due() {
    let mut scene = Scene::new(&[0]);
    scene.change(|world| world.run_fails = Some("disk full"));
    scene.beat_for(60);
    let looked = |scene: &Scene| {
        let world = scene.world.borrow();
        let looked = |happening: &Happening| match happening {
            Happening::Looked(waiting) => Some(waiting.clone()),
            _ => None,
        };
        world.heard.iter().rev().find_map(looked).unwrap()
    };
    let left = looked(&scene);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].since, Some(DateTime::UNIX_EPOCH));
    assert_eq!(left[0].run.name, "0");
    scene.change(|world| world.run_fails = None);
    scene.beat_for(120);
    assert_eq!(looked(&scene), []);
}

#[test]
fn one_look_that_fails_is_a_hiccup_and_the_second_comes_at_the_next_beat() {
    let mut scene = Scene::new(&[]);
    scene.beat_for(15);
    scene.change(|world| world.check_fails = Some("too many clients"));
    scene.beat_for(60);
    assert_eq!(scene.states(), [EngineState::Professional]);
    scene.change(|world| world.check_fails = None);
    scene.beat_for(600);
    assert_eq!(scene.states(), [EngineState::Professional]);
    scene.change(|world| {
        world.check_fails = Some("too many clients");
        world.init_fails = world.check_fails;
    });
    scene.beat_for(90);
    let states = [EngineState::Professional, legacy("too many clients")];
    assert_eq!(scene.states(), states);
}

#[test]
fn between_two_runs_of_the_fallback_the_engine_is_tried() {
    let mut scene = Scene::new(&[0, 1, 2]);
    scene.change(|world| {
        world.now += TimeDelta::hours(3);
        world.init_fails = Some("too many clients");
        (world.all_due, world.run_seconds) = (true, 3600);
    });
    scene.beat_for(15);
    assert_eq!(scene.world.borrow().by_fallback, [0, 1, 2]);
    assert!(scene.world.borrow().starts > 2);

    let mut scene = Scene::new(&[0, 1, 2]);
    scene.change(|world| {
        world.now += TimeDelta::hours(3);
        world.check_fails = Some("too many clients");
        (world.all_due, world.run_seconds) = (true, 3600);
    });
    scene.change(|world| world.init_fails = Some("too many clients"));
    scene
        .supervisor
        .see_to_the_engine(DateTime::UNIX_EPOCH, &scene.cx);
    scene.change(|world| (world.init_fails, world.check_fails) = (None, None));
    let world = Rc::clone(&scene.world);
    scene
        .supervisor
        .fall_back(&|| world.borrow().now, &scene.cx);
    assert_eq!(world.borrow().by_fallback, [0], "then the engine is back");
    assert_eq!(scene.states().last(), Some(&EngineState::Professional));
}

#[test]
fn a_fallback_that_could_not_work_means_that_backups_stop_before_anything_is_due() {
    let mut scene = Scene::new(&[]);
    scene.beat_for(600);
    scene.change(|world| {
        world.check_fails = Some("server away");
        world.init_fails = world.check_fails;
        world.fallback_not_ready = Some("no server");
    });
    scene.beat_for(300);
    let mut states = vec![EngineState::Professional, stopped("no server")];
    assert_eq!(scene.states(), states);
    scene.change(|world| world.fallback_not_ready = None);
    scene.beat_for(300);
    states.push(legacy("server away"));
    assert_eq!(scene.states(), states);
    scene.change(|world| world.fallback_not_ready = Some("disk full"));
    scene.beat_for(300);
    states.push(stopped("disk full"));
    assert_eq!(scene.states(), states);
}

#[test]
fn one_kind_that_fails_while_another_is_made_changes_no_state() {
    let mut scene = Scene::new(&[0, 1]);
    scene.change(|world| {
        world.now += TimeDelta::hours(2);
        world.init_fails = Some("broken");
        (world.all_due, world.fails_at) = (true, Some(1));
    });
    scene.beat_for(7200);
    assert_eq!(scene.world.borrow().by_fallback, [0]);
    assert_eq!(scene.states(), [legacy("broken")]);
}

#[test]
fn what_is_due_no_more_does_not_keep_backups_stopped() {
    let mut scene = Scene::new(&[0]);
    scene.change(|world| {
        world.init_fails = Some("broken");
        world.fallback_fails = Some("broken too");
    });
    scene.beat_for(600);
    assert_eq!(scene.states(), [legacy("broken"), stopped("broken too")]);
    scene.change(|world| world.hours.clear());
    scene.beat_for(60);
    assert_eq!(scene.states().last(), Some(&legacy("broken")));
}

#[test]
fn another_reason_is_told_once() {
    let mut scene = Scene::new(&[]);
    scene.change(|world| world.init_fails = Some("catalog unreachable"));
    scene.beat_for(1800);
    scene.change(|world| world.init_fails = Some("tools missing"));
    scene.beat_for(3600);
    let told = [legacy("catalog unreachable"), legacy("tools missing")];
    assert_eq!(scene.states(), told);
}
