//! `[schedule]`: when backups are due where nothing is stored beside the catalog.

use std::sync::Arc;

use chrono::Local;
use chrono_tz::{TZ_VARIANTS, Tz};
use figment::value::Value;
use respaldo_contract::settings::schedules;
use respaldo_domain::schedule::{Schedule, WallClock};
use respaldo_engine::schedule::ScheduleSettings;
use serde::Deserialize;

use super::environment::Environment;
use super::error::ConfigError;
use super::keys::closest;

/// `[schedule]`.
#[derive(Debug, Deserialize)]
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

impl ScheduleKeys {
    /// The values, which must make sense.
    pub fn settings(&self, environment: &Environment) -> Result<ScheduleSettings, ConfigError> {
        let monthly = "a day of the month and a time, such as \"31 23:30\"";
        let weekly = "a day of the week and a time, such as \"sunday 23:30\"";
        let daily = "a time of day, such as \"23:30\"";
        let time = schedules::time_from_text;
        let first = Schedule {
            full: wanted("full", schedules::monthly_from_text(&self.full), monthly)?,
            differential: wanted(
                "differential",
                schedules::weekly_from_text(&self.differential),
                weekly,
            )?,
            incremental: wanted("incremental", time(&self.incremental), daily)?,
            validation: wanted("validation", time(&self.validation), daily)?,
        };
        let (zone, zone_name) = zone(&self.timezone, environment)?;
        Ok(ScheduleSettings {
            first,
            zone,
            zone_name,
            enabled: self.enabled,
            catch_up: self.catch_up,
        })
    }
}

fn wanted<T>(key: &str, value: Option<T>, wanted: &str) -> Result<T, ConfigError> {
    value.ok_or_else(|| ConfigError::BadValue {
        key: format!("schedule.{key}"),
        problem: format!("it must be {wanted}"),
    })
}

/// The zone of a name; for none this machine's, whose rules the system knows best.
fn zone(
    name: &str,
    environment: &Environment,
) -> Result<(Arc<dyn WallClock>, String), ConfigError> {
    if name.is_empty() {
        return Ok((Arc::new(Local), machine_zone(environment)));
    }
    match name.parse::<Tz>() {
        Ok(zone) => Ok((Arc::new(zone), zone.name().to_owned())),
        Err(_) => Err(ConfigError::UnknownTimeZone {
            key: "schedule.timezone".to_owned(),
            name: name.to_owned(),
            suggestion: resembling(name),
        }),
    }
}

fn machine_zone(environment: &Environment) -> String {
    let named = environment
        .get("TZ")
        .map(|zone| zone.trim_start_matches(':'));
    let named = named.filter(|zone| !zone.is_empty()).map(str::to_owned);
    named
        .or_else(|| iana_time_zone::get_timezone().ok())
        .unwrap_or_else(|| Local::now().offset().to_string())
}

/// The zone that was meant: the name in other letters, a city alone, or a slip of the pen.
fn resembling(name: &str) -> Option<&'static str> {
    let word = name.replace(' ', "_").to_lowercase();
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    let is_city = |zone: &&str| {
        zone.rsplit('/')
            .next()
            .is_some_and(|city| city.eq_ignore_ascii_case(&word))
    };
    let lower: Vec<String> = names().map(str::to_lowercase).collect();
    let near = || {
        let near = closest(&word, lower.iter().map(String::as_str))?;
        names().find(|zone| zone.eq_ignore_ascii_case(near))
    };
    names().find(is_city).or_else(near)
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

    #[test]
    fn a_zone_that_does_not_exist_resembles_one_that_does() {
        for (written, meant) in [
            ("america/montevideo", Some("America/Montevideo")),
            ("Buenos Aires", Some("America/Argentina/Buenos_Aires")),
            ("Europe/Madird", Some("Europe/Madrid")),
            ("Nowhere", None),
        ] {
            assert_eq!(resembling(written), meant, "{written}");
        }
    }
}
