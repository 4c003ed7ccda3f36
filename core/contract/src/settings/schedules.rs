//! When backups are due.

use respaldo_domain::backup::BackupKind;
use respaldo_domain::schedule::{Daily, Monthly, Schedule, Task, Weekly};
use serde_json::json;

use super::{Lenient, OutOfRange, Range, Reader, SCHEDULES_KEY};
use crate::messages::Lang;

const DAY: Range = Range::new("day", 1, 31);
const WEEKDAY: Range = Range::new("weekday", 0, 6);
const HOUR: Range = Range::new("hour", 0, 23);
const MINUTE: Range = Range::new("minute", 0, 59);

/// The three due times, local time of the machine that runs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Schedules {
    /// Fulls.
    pub full: Monthly,
    /// Differentials.
    pub differential: Weekly,
    /// Incrementals.
    pub incremental: Daily,
}

impl From<Schedule> for Schedules {
    fn from(schedule: Schedule) -> Self {
        Self {
            full: schedule.full,
            differential: schedule.differential,
            incremental: schedule.incremental,
        }
    }
}

impl Schedules {
    /// Reads what is stored; the empty text gives the defaults.
    ///
    /// ```
    /// use respaldo_contract::settings::Schedules;
    ///
    /// let read = Schedules::parse(r#"{"INCREMENTAL": {"hour": 13}, "FULL": {"day": 99}}"#);
    /// assert_eq!(read.value.incremental.hour, 13);
    /// assert_eq!(read.value.full.day, 1);
    /// assert_eq!(read.repairs[0].key, "FULL.day");
    /// ```
    pub fn parse(text: &str) -> Lenient<Self> {
        let default = Self::default();
        let mut stored = Reader::of_text(text, SCHEDULES_KEY);
        let mut full = stored.inner("FULL");
        let mut differential = stored.inner("DIFERENCIAL");
        let mut incremental = stored.inner("INCREMENTAL");
        let value = Self {
            full: Monthly {
                day: full.number(DAY, default.full.day),
                time: time(&mut full, default.full.time),
            },
            differential: Weekly {
                weekday: differential.number(WEEKDAY, default.differential.weekday),
                time: time(&mut differential, default.differential.time),
            },
            incremental: time(&mut incremental, default.incremental),
        };
        for inner in [full, differential, incremental] {
            stored.absorb(inner);
        }
        Lenient {
            value,
            repairs: stored.repairs,
        }
    }

    /// The text to store.
    pub fn to_json(&self) -> String {
        let Self {
            full,
            differential,
            incremental,
        } = self;
        json!({
            "FULL": {"day": full.day, "hour": full.time.hour, "minute": full.time.minute},
            "DIFERENCIAL": {
                "weekday": differential.weekday,
                "hour": differential.time.hour,
                "minute": differential.time.minute,
            },
            "INCREMENTAL": {"hour": incremental.hour, "minute": incremental.minute},
        })
        .to_string()
    }
}

fn time(stored: &mut Reader, default: Daily) -> Daily {
    Daily {
        hour: stored.number(HOUR, default.hour),
        minute: stored.number(MINUTE, default.minute),
    }
}

/// Whether every number is in its range.
pub fn check(schedules: &Schedules) -> Result<(), OutOfRange> {
    DAY.check(schedules.full.day)?;
    WEEKDAY.check(schedules.differential.weekday)?;
    let times = [
        schedules.full.time,
        schedules.differential.time,
        schedules.incremental,
    ];
    times.into_iter().try_for_each(|time| {
        HOUR.check(time.hour)?;
        MINUTE.check(time.minute).map(drop)
    })
}

/// A task's rule in words.
pub fn describe(schedule: &Schedule, task: Task, lang: Lang) -> String {
    match task {
        Task::Backup(BackupKind::Full) => monthly(schedule.full, lang),
        Task::Backup(BackupKind::Differential) => weekly(schedule.differential, lang),
        Task::Backup(BackupKind::Incremental) => daily(schedule.incremental, lang),
        Task::Validation => daily(schedule.validation.0, lang),
    }
}

fn daily(time: Daily, lang: Lang) -> String {
    match lang {
        Lang::En => format!("daily at {time}"),
        Lang::Es => format!("Diario a las {time}"),
    }
}

fn weekly(rule: Weekly, lang: Lang) -> String {
    let (day, time) = (weekday_name(rule.weekday, lang), rule.time);
    match lang {
        Lang::En => format!("{day} at {time}"),
        Lang::Es => format!("{day} a las {time}"),
    }
}

fn monthly(rule: Monthly, lang: Lang) -> String {
    let (day, time) = (rule.day, rule.time);
    match lang {
        Lang::En => format!("day {day} at {time}"),
        Lang::Es => format!("Día {day} a {time}"),
    }
}

fn weekday_name(weekday: u32, lang: Lang) -> &'static str {
    let names = match lang {
        Lang::En => [
            "Monday",
            "Tuesday",
            "Wednesday",
            "Thursday",
            "Friday",
            "Saturday",
            "Sunday",
        ],
        Lang::Es => [
            "Lunes",
            "Martes",
            "Miércoles",
            "Jueves",
            "Viernes",
            "Sábado",
            "Domingo",
        ],
    };
    names[weekday as usize % names.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stored_is_the_default() {
        for text in ["", "null", "{}", "  "] {
            let read = Schedules::parse(text);
            assert_eq!(
                (read.value, read.repairs.len()),
                (Schedules::default(), 0),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_written_is_read_back_also_when_wrapped_in_a_text() {
        let schedules = Schedules {
            full: Monthly {
                day: 31,
                time: Daily { hour: 4, minute: 5 },
            },
            differential: Weekly {
                weekday: 2,
                time: Daily { hour: 1, minute: 2 },
            },
            incremental: Daily {
                hour: 13,
                minute: 59,
            },
        };
        let text = schedules.to_json();
        assert_eq!(
            Schedules::parse(&text),
            Lenient {
                value: schedules,
                repairs: vec![]
            }
        );
        let wrapped = serde_json::Value::String(text).to_string();
        assert_eq!(Schedules::parse(&wrapped).value, schedules);
    }

    #[test]
    fn a_stored_kind_does_not_touch_the_others() {
        let read = Schedules::parse(r#"{"DIFERENCIAL": {"weekday": "3"}}"#);
        assert_eq!(read.value.differential.weekday, 3);
        assert_eq!(
            read.value.differential.time,
            Schedules::default().differential.time
        );
        assert_eq!(read.value.full, Schedules::default().full);
        assert!(read.repairs.is_empty());
    }

    #[test]
    fn nonsense_is_reported_and_never_stops_the_schedule() {
        for (text, key) in [
            ("[1, 2]", "backup_schedules"),
            ("not json", "backup_schedules"),
            (r#"{"FULL": 7}"#, "FULL"),
            (r#"{"FULL": {"hour": 24}}"#, "FULL.hour"),
            (r#"{"INCREMENTAL": {"minute": -1}}"#, "INCREMENTAL.minute"),
            (
                r#"{"DIFERENCIAL": {"weekday": 7.5}}"#,
                "DIFERENCIAL.weekday",
            ),
        ] {
            let read = Schedules::parse(text);
            assert_eq!(read.value, Schedules::default(), "{text}");
            assert_eq!(read.repairs.len(), 1, "{text}");
            assert_eq!(read.repairs[0].key, key);
        }
    }

    #[test]
    fn writing_refuses_what_reading_would_repair() {
        let default = Schedules::default();
        assert!(check(&default).is_ok());
        let mut wrong = [default; 5];
        wrong[0].incremental.hour = 24;
        wrong[1].incremental.minute = 60;
        wrong[2].differential.weekday = 7;
        wrong[3].full.day = 0;
        wrong[4].full.day = 32;
        for schedules in wrong {
            assert!(check(&schedules).is_err(), "{schedules:?}");
        }
    }

    #[test]
    fn due_times_read_as_the_existing_system_words_them() {
        let words = |task| describe(&Schedule::default(), task, Lang::Es);
        let [full, differential, incremental, _] = Task::ALL.map(words);
        assert_eq!(full, "Día 1 a 00:00");
        assert_eq!(differential, "Domingo a las 23:30");
        assert_eq!(incremental, "Diario a las 23:00");
    }
}
