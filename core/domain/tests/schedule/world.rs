//! A wall clock that is walked through minute by minute, and a supervisor that wakes at every tick.

use chrono::{DateTime, Datelike, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use respaldo_domain::schedule::{
    Daily, DueRun, Monthly, Occurrence, PastRun, Rules, Schedule, Task, Weekly, due,
};

/// Argentina has no summer time; Madrid changes by night, Santiago at midnight, Lord Howe by half
/// an hour.
pub const ZONES: [&str; 4] = [
    "America/Argentina/Buenos_Aires",
    "Europe/Madrid",
    "America/Santiago",
    "Australia/Lord_Howe",
];

/// Every due time of the tests is at a multiple of it.
pub const TICK_MINUTES: i64 = 5;

pub fn zone(name: &str) -> Tz {
    name.parse().unwrap()
}

pub fn utc(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// An instant by what the clock shows; of two, the earlier.
pub fn local(zone: Tz, text: &str) -> DateTime<Utc> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    local.and_local_timezone(zone).earliest().unwrap().to_utc()
}

pub fn ticks(from: DateTime<Utc>, until: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    let step = TimeDelta::minutes(TICK_MINUTES);
    std::iter::successors(Some(from), move |at| Some(*at + step)).take_while(move |at| *at < until)
}

pub fn occurrence(task: Task, at: DateTime<Utc>) -> Occurrence {
    Occurrence { task, at }
}

/// Due times of a period, by walking through it: a time is due when the clock comes to show it or
/// has leapt over it, and never again when it is put back.
pub fn walked(
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

pub fn time_on(schedule: &Schedule, task: Task, day: chrono::NaiveDate) -> Option<NaiveTime> {
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
pub fn greatest_of_each_instant(all: &[Occurrence]) -> Vec<Occurrence> {
    let outdone = |due: &Occurrence| {
        let mut others = all
            .iter()
            .filter(|other| other.at == due.at && other.task != due.task);
        others.any(|other| other.task.does_for(due.task))
    };
    all.iter().copied().filter(|due| !outdone(due)).collect()
}

/// A year is too long to be printed.
pub fn assert_same<T: PartialEq + std::fmt::Debug>(found: &[T], expected: &[T], what: &str) {
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
pub struct Supervisor {
    pub zone: Tz,
    pub rules: Rules,
    pub past: Vec<PastRun>,
    /// What was run, each with when it was begun.
    pub ran: Vec<(DueRun, DateTime<Utc>)>,
    /// Minutes that a run takes.
    pub takes: fn(Task) -> i64,
    pub busy_until: DateTime<Utc>,
}

impl Supervisor {
    /// One whose backups are up to date.
    pub fn up_to_date(zone: Tz, schedule: Schedule, now: DateTime<Utc>) -> Self {
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

    pub fn wake(&mut self, now: DateTime<Utc>) {
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

    pub fn awake(&mut self, from: DateTime<Utc>, until: DateTime<Utc>) {
        ticks(from, until).for_each(|now| self.wake(now));
    }

    pub fn edit(&mut self, schedule: Schedule, now: DateTime<Utc>) {
        self.rules = self.rules.clone().edited(schedule, now, &self.zone);
    }

    /// What was run, with when it was begun.
    pub fn begun(&self) -> Vec<(Task, DateTime<Utc>)> {
        self.ran.iter().map(|(run, at)| (run.task, *at)).collect()
    }

    /// What was run, by its due times.
    pub fn met(&self) -> Vec<Occurrence> {
        let met = |(run, _): &(DueRun, _)| occurrence(run.task, run.occurrence);
        self.ran.iter().map(met).collect()
    }

    pub fn tasks(&self) -> Vec<Task> {
        self.ran.iter().map(|(run, _)| run.task).collect()
    }
}

pub fn default_rules() -> Rules {
    Rules::always(Schedule::default())
}

pub fn made(task: Task, started_at: DateTime<Utc>) -> PastRun {
    PastRun {
        task,
        started_at,
        fresh: true,
    }
}

pub fn schedule(day: u32, full: (u32, u32), dif: (u32, u32, u32), inc: (u32, u32)) -> Schedule {
    let time = |(hour, minute)| Daily::new(hour, minute).unwrap();
    Schedule {
        full: Monthly::new(day, time(full)).unwrap(),
        differential: Weekly::new(dif.0, time((dif.1, dif.2))).unwrap(),
        incremental: time(inc),
        ..Schedule::default()
    }
}
