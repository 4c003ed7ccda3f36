//! When backups are due.

use serde_json::json;

use super::{Lenient, OutOfRange, Range, Reader, SCHEDULES_KEY};
use crate::messages::Lang;

const DAY: Range = Range::new("day", 1, 31);
const WEEKDAY: Range = Range::new("weekday", 0, 6);
const HOUR: Range = Range::new("hour", 0, 23);
const MINUTE: Range = Range::new("minute", 0, 59);

/// The three due times, local time of the machine that runs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedules {
    /// Fulls.
    pub full: Monthly,
    /// Differentials.
    pub differential: Weekly,
    /// Incrementals.
    pub incremental: Daily,
}

/// Once a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Monthly {
    /// Day of the month from 1; in a shorter month its last day.
    pub day: u32,
    /// Time of day.
    pub time: Daily,
}

/// Once a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekly {
    /// 0 Monday to 6 Sunday.
    pub weekday: u32,
    /// Time of day.
    pub time: Daily,
}

/// Once a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Daily {
    /// Hour.
    pub hour: u32,
    /// Minute.
    pub minute: u32,
}

impl Default for Schedules {
    fn default() -> Self {
        Self {
            full: Monthly {
                day: 1,
                time: Daily { hour: 0, minute: 0 },
            },
            differential: Weekly {
                weekday: 6,
                time: Daily {
                    hour: 23,
                    minute: 30,
                },
            },
            incremental: Daily {
                hour: 23,
                minute: 0,
            },
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

impl Daily {
    /// A time of day.
    pub fn new(hour: u32, minute: u32) -> Result<Self, OutOfRange> {
        Ok(Self {
            hour: HOUR.check(hour)?,
            minute: MINUTE.check(minute)?,
        })
    }

    /// In words.
    pub fn describe(self, lang: Lang) -> String {
        match lang {
            Lang::En => format!("daily at {self}"),
            Lang::Es => format!("Diario a las {self}"),
        }
    }
}

impl std::fmt::Display for Daily {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl Weekly {
    /// A day of the week and a time.
    pub fn new(weekday: u32, time: Daily) -> Result<Self, OutOfRange> {
        Ok(Self {
            weekday: WEEKDAY.check(weekday)?,
            time,
        })
    }

    /// In words.
    pub fn describe(self, lang: Lang) -> String {
        let day = weekday_name(self.weekday, lang);
        match lang {
            Lang::En => format!("{day} at {}", self.time),
            Lang::Es => format!("{day} a las {}", self.time),
        }
    }
}

impl Monthly {
    /// A day of the month and a time.
    pub fn new(day: u32, time: Daily) -> Result<Self, OutOfRange> {
        Ok(Self {
            day: DAY.check(day)?,
            time,
        })
    }

    /// In words.
    pub fn describe(self, lang: Lang) -> String {
        match lang {
            Lang::En => format!("day {} at {}", self.day, self.time),
            Lang::Es => format!("Día {} a {}", self.day, self.time),
        }
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
            full: Monthly::new(31, Daily::new(4, 5).unwrap()).unwrap(),
            differential: Weekly::new(2, Daily::new(1, 2).unwrap()).unwrap(),
            incremental: Daily::new(13, 59).unwrap(),
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
        assert!(Daily::new(24, 0).is_err());
        assert!(Daily::new(0, 60).is_err());
        let time = Daily::new(0, 0).unwrap();
        assert!(Weekly::new(7, time).is_err());
        assert!(Monthly::new(0, time).is_err());
        assert!(Monthly::new(32, time).is_err());
    }

    #[test]
    fn due_times_read_as_the_existing_system_words_them() {
        let default = Schedules::default();
        assert_eq!(default.full.describe(Lang::Es), "Día 1 a 00:00");
        assert_eq!(
            default.differential.describe(Lang::Es),
            "Domingo a las 23:30"
        );
        assert_eq!(default.incremental.describe(Lang::Es), "Diario a las 23:00");
    }
}
