//! `[schedule]`: when backups are due, until other hours are stored beside the catalog.

use chrono::{DateTime, NaiveDateTime, Utc};
use figment::value::Value;
use respaldo_contract::settings::{Schedules, schedules};
use respaldo_domain::schedule::{Daily, Monthly, Schedule, Validation, WallClock, Weekly};
use respaldo_legacy::Zone;
use serde::Deserialize;

use super::error::ConfigError;

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// `[schedule]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleKeys {
    enabled: bool,
    timezone: String,
    catch_up: bool,
    full: String,
    differential: String,
    incremental: String,
    validation: String,
}

/// When backups are due, and by whose clock.
#[derive(Debug, Clone, Copy)]
pub struct ScheduleSettings {
    /// Whether `serve` makes backups at all.
    pub enabled: bool,
    /// Whether what was missed while nobody served is made up.
    pub catch_up: bool,
    /// Whose clocks the hours follow.
    pub clock: Clock,
    /// The hours, where none are stored.
    pub hours: Schedule,
}

/// Clocks of a time zone.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Zone);

impl WallClock for Clock {
    fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        self.0.local(at)
    }

    fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        self.0.instant(local)
    }
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            catch_up: true,
            clock: Clock(Zone::Machine),
            hours: Schedule::default(),
        }
    }
}

impl ScheduleKeys {
    /// The values, which must make sense.
    pub fn settings(&self) -> Result<ScheduleSettings, ConfigError> {
        let zone = match self.timezone.as_str() {
            "" => Zone::Machine,
            name => Zone::named(name).ok_or_else(|| {
                bad(
                    "timezone",
                    "it names no time zone, such as America/Montevideo",
                )
            })?,
        };
        let (day, full) = two(&self.full, "full", "\"1 00:00\": day of the month, hour")?;
        let (weekday, differential) = two(
            &self.differential,
            "differential",
            "\"sunday 23:30\": day of the week, hour",
        )?;
        let weekday = weekday.to_lowercase();
        let weekday = WEEKDAYS.iter().position(|name| *name == weekday);
        let hours = Schedule {
            full: Monthly {
                day: day
                    .parse()
                    .map_err(|_| bad("full", "the day is a number, 1 to 31"))?,
                time: time(full, "full")?,
            },
            differential: Weekly {
                weekday: weekday
                    .and_then(|at| u32::try_from(at).ok())
                    .ok_or_else(|| bad("differential", "the day is one of monday to sunday"))?,
                time: time(differential, "differential")?,
            },
            incremental: time(&self.incremental, "incremental")?,
            validation: Validation(time(&self.validation, "validation")?),
        };
        schedules::check(&Schedules::from(hours))
            .map_err(|error| bad("...", &error.to_string()))?;
        Ok(ScheduleSettings {
            enabled: self.enabled,
            catch_up: self.catch_up,
            clock: Clock(zone),
            hours,
        })
    }
}

fn two<'t>(text: &'t str, key: &str, form: &str) -> Result<(&'t str, &'t str), ConfigError> {
    let parts = text.trim().split_once(' ');
    parts.ok_or_else(|| bad(key, &format!("it is of the form {form}")))
}

/// `23:30`.
pub fn time_of_day(text: &str) -> Option<Daily> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(Daily { hour, minute })
}

fn time(text: &str, key: &str) -> Result<Daily, ConfigError> {
    time_of_day(text).ok_or_else(|| bad(key, "the time of day is of the form 23:30"))
}

fn bad(key: &str, problem: &str) -> ConfigError {
    ConfigError::BadValue {
        key: format!("schedule.{key}"),
        problem: problem.to_owned(),
    }
}

/// The defaults.
pub fn defaults() -> Vec<(&'static str, Value)> {
    vec![
        ("enabled", Value::from(true)),
        ("timezone", Value::from("")),
        ("catch_up", Value::from(true)),
        ("full", Value::from("1 00:00")),
        ("differential", Value::from("sunday 23:30")),
        ("incremental", Value::from("23:00")),
        ("validation", Value::from("01:00")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> ScheduleKeys {
        let dict: figment::value::Dict = defaults()
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        Value::from(dict).deserialize().unwrap()
    }

    #[test]
    fn the_defaults_are_those_of_the_existing_system() {
        assert_eq!(keys().settings().unwrap().hours, Schedule::default());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        type Change = fn(&mut ScheduleKeys);
        let changes: [Change; 6] = [
            |keys| keys.full = "00:00".to_owned(),
            |keys| keys.full = "32 00:00".to_owned(),
            |keys| keys.differential = "someday 10:00".to_owned(),
            |keys| keys.incremental = "24:00".to_owned(),
            |keys| keys.validation = "1".to_owned(),
            |keys| keys.timezone = "Mars/Olympus".to_owned(),
        ];
        for change in changes {
            let mut keys = keys();
            change(&mut keys);
            assert!(keys.settings().is_err(), "{keys:?}");
        }
    }
}
