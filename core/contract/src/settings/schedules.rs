//! When backups are due: the domain's schedule as `backup_schedules` spells it. The hour of the
//! validation is not in it; the existing system's is fixed.

use respaldo_domain::schedule::{
    DAY, Daily, HOUR, MINUTE, Monthly, RuleChange, Schedule, Task, WEEKDAY, Weekly,
};
use serde_json::{Map, Value, json};

use super::{Lenient, Reader, SCHEDULES_KEY};
use crate::labels::Label;
use crate::messages::Lang;

/// Reads what is stored over `otherwise`, which holds where nothing usable is stored.
///
/// ```
/// use respaldo_contract::settings::schedules;
/// use respaldo_domain::schedule::Schedule;
///
/// let stored = r#"{"INCREMENTAL": {"hour": 13}, "FULL": {"day": 99}}"#;
/// let read = schedules::parse(stored, &Schedule::default());
/// assert_eq!(read.value.incremental.hour(), 13);
/// assert_eq!(read.value.full.day(), 1);
/// assert_eq!(read.repairs[0].key, "FULL.day");
/// ```
pub fn parse(text: &str, otherwise: &Schedule) -> Lenient<Schedule> {
    let mut stored = Reader::of_text(text, SCHEDULES_KEY);
    let mut value = *otherwise;
    let mut inner = stored.inner(Task::Full.label());
    value.full = monthly(&mut inner, otherwise.full);
    stored.absorb(inner);
    let mut inner = stored.inner(Task::Differential.label());
    value.differential = weekly(&mut inner, otherwise.differential);
    stored.absorb(inner);
    let mut inner = stored.inner(Task::Incremental.label());
    value.incremental = daily(&mut inner, otherwise.incremental);
    stored.absorb(inner);
    Lenient {
        value,
        repairs: stored.repairs,
    }
}

// What the reader gives is in range.
fn daily(stored: &mut Reader, otherwise: Daily) -> Daily {
    let hour = stored.number(HOUR, otherwise.hour());
    let minute = stored.number(MINUTE, otherwise.minute());
    Daily::new(hour, minute).unwrap_or(otherwise)
}

fn weekly(stored: &mut Reader, otherwise: Weekly) -> Weekly {
    let weekday = stored.number(WEEKDAY, otherwise.weekday());
    Weekly::new(weekday, daily(stored, otherwise.time())).unwrap_or(otherwise)
}

fn monthly(stored: &mut Reader, otherwise: Monthly) -> Monthly {
    let day = stored.number(DAY, otherwise.day());
    Monthly::new(day, daily(stored, otherwise.time())).unwrap_or(otherwise)
}

/// The text to store after one rule was changed in `text`. Kinds that are missing there are
/// written as they hold, since the existing system has defaults of its own; all else stays.
pub fn changed(text: &str, change: RuleChange, otherwise: &Schedule) -> String {
    let mut stored = Reader::of_text(text, SCHEDULES_KEY);
    let schedule = parse(text, otherwise).value.changed(change);
    for task in [Task::Full, Task::Differential, Task::Incremental] {
        let key = task.label();
        if task == change.task() || !stored.object.contains_key(key) {
            let kept = stored.inner(key).object;
            let rule = with_rule(kept, &schedule, task);
            stored.object.insert(key.to_owned(), rule);
        }
    }
    Value::Object(stored.object).to_string()
}

fn with_rule(mut stored: Map<String, Value>, schedule: &Schedule, task: Task) -> Value {
    for (key, number) in numbers(schedule, task) {
        stored.insert(key.to_owned(), json!(number));
    }
    Value::Object(stored)
}

/// A task's rule as its keys and numbers.
pub fn numbers(schedule: &Schedule, task: Task) -> Vec<(&'static str, u32)> {
    let (day, time) = match task {
        Task::Full => (Some((DAY.key, schedule.full.day())), schedule.full.time()),
        Task::Differential => {
            let weekday = schedule.differential.weekday();
            (Some((WEEKDAY.key, weekday)), schedule.differential.time())
        }
        Task::Incremental => (None, schedule.incremental),
        Task::Validation => (None, schedule.validation),
    };
    let time = [(HOUR.key, time.hour()), (MINUTE.key, time.minute())];
    day.into_iter().chain(time).collect()
}

/// A task's rule in words.
pub fn describe(schedule: &Schedule, task: Task, lang: Lang) -> String {
    match task {
        Task::Full => {
            let (day, time) = (schedule.full.day(), schedule.full.time());
            lang.choose(
                format!("day {day} at {time}"),
                format!("Día {day} a {time}"),
            )
        }
        Task::Differential => {
            let day = weekday_name(schedule.differential.weekday(), lang);
            let time = schedule.differential.time();
            lang.choose(format!("{day} at {time}"), format!("{day} a las {time}"))
        }
        Task::Incremental => every_day(schedule.incremental, lang),
        Task::Validation => every_day(schedule.validation, lang),
    }
}

fn every_day(time: Daily, lang: Lang) -> String {
    lang.choose(format!("daily at {time}"), format!("Diario a las {time}"))
}

const ENGLISH: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

const SPANISH: [&str; 7] = [
    "Lunes",
    "Martes",
    "Miércoles",
    "Jueves",
    "Viernes",
    "Sábado",
    "Domingo",
];

fn weekday_name(weekday: u32, lang: Lang) -> &'static str {
    lang.choose(ENGLISH, SPANISH)[weekday as usize % 7]
}

/// The day of the week that a person means: 0 Monday to 6 Sunday, or a name in either language, of
/// which three letters will do.
///
/// ```
/// use respaldo_contract::settings::schedules::weekday_from_word;
///
/// assert_eq!(weekday_from_word("6"), Some(6));
/// assert_eq!(weekday_from_word("Sunday"), Some(6));
/// assert_eq!(weekday_from_word("mie"), Some(2));
/// assert_eq!(weekday_from_word("7"), None);
/// ```
pub fn weekday_from_word(word: &str) -> Option<u32> {
    if let Ok(number) = word.parse() {
        return WEEKDAY.check(number).ok();
    }
    let plain = |word: &str| word.to_lowercase().replace('á', "a").replace('é', "e");
    let word = plain(word);
    let means = |name: &&str| word.len() >= 3 && plain(name).starts_with(&word);
    let mut both = [ENGLISH, SPANISH].into_iter();
    both.find_map(|names| names.iter().position(means))
        .and_then(|at| u32::try_from(at).ok())
}

/// A time of day as a person writes it: `23:30`, `7`.
///
/// ```
/// use respaldo_contract::settings::schedules::time_from_text;
///
/// assert_eq!(time_from_text("7:05").unwrap().to_string(), "07:05");
/// assert_eq!(time_from_text("7").unwrap().to_string(), "07:00");
/// assert!(time_from_text("24:00").is_none() && time_from_text("7pm").is_none());
/// ```
pub fn time_from_text(text: &str) -> Option<Daily> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    Daily::new(hour.parse().ok()?, minute.parse().ok()?).ok()
}

/// A day of the month and a time: `31 23:30`.
pub fn monthly_from_text(text: &str) -> Option<Monthly> {
    let (day, time) = text.trim().split_once(' ')?;
    Monthly::new(day.parse().ok()?, time_from_text(time)?).ok()
}

/// A day of the week and a time: `sunday 23:30`, `6 23:30`.
pub fn weekly_from_text(text: &str) -> Option<Weekly> {
    let (weekday, time) = text.trim().split_once(' ')?;
    Weekly::new(weekday_from_word(weekday)?, time_from_text(time)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Lenient<Schedule> {
        parse(text, &Schedule::default())
    }

    fn time(hour: u32, minute: u32) -> Daily {
        Daily::new(hour, minute).unwrap()
    }

    #[test]
    fn nothing_stored_is_what_holds_otherwise() {
        let otherwise = Schedule {
            full: Monthly::new(5, time(4, 0)).unwrap(),
            ..Schedule::default()
        };
        for text in ["", "null", "{}", "  "] {
            let read = parse(text, &otherwise);
            assert_eq!((read.value, read.repairs.len()), (otherwise, 0), "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back_also_when_wrapped_in_a_text() {
        let changes = [
            RuleChange::Full(Monthly::new(31, time(4, 5)).unwrap()),
            RuleChange::Differential(Weekly::new(2, time(1, 2)).unwrap()),
            RuleChange::Incremental(time(13, 59)),
        ];
        let (mut text, mut schedule) = (String::new(), Schedule::default());
        for change in changes {
            text = changed(&text, change, &Schedule::default());
            schedule = schedule.changed(change);
            assert_eq!(parsed(&text).value, schedule);
        }
        let wrapped = Value::String(text).to_string();
        assert_eq!(parsed(&wrapped).value, schedule);
        let again = changed(&wrapped, changes[2], &Schedule::default());
        assert_eq!(parsed(&again).value, schedule);
    }

    #[test]
    fn a_change_leaves_everything_else_as_it_is_stored() {
        let stored =
            r#"{"FULL": {"day": "9", "nota": "x"}, "INCREMENTAL": {"hour": 99}, "MANUAL": [1]}"#;
        let change = RuleChange::Full(Monthly::new(15, time(3, 0)).unwrap());
        let text = changed(stored, change, &Schedule::default());
        let wanted = json!({
            "FULL": {"day": 15, "hour": 3, "minute": 0, "nota": "x"},
            "DIFERENCIAL": {"weekday": 6, "hour": 23, "minute": 30},
            "INCREMENTAL": {"hour": 99},
            "MANUAL": [1],
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), wanted);
        let nonsense = changed("[7", change, &Schedule::default());
        assert_eq!(parsed(&nonsense).value, Schedule::default().changed(change));
    }

    #[test]
    fn a_stored_kind_does_not_touch_the_others() {
        let read = parsed(r#"{"DIFERENCIAL": {"weekday": "3"}}"#);
        let default = Schedule::default();
        assert_eq!(read.value.differential.weekday(), 3);
        assert_eq!(read.value.differential.time(), default.differential.time());
        assert_eq!(read.value.full, default.full);
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
            let read = parsed(text);
            assert_eq!(read.value, Schedule::default(), "{text}");
            assert_eq!(read.repairs.len(), 1, "{text}");
            assert_eq!(read.repairs[0].key, key);
        }
    }

    #[test]
    fn due_times_read_as_the_existing_system_words_them() {
        let words = Task::ALL.map(|task| describe(&Schedule::default(), task, Lang::Es));
        assert_eq!(words[0], "Día 1 a 00:00");
        assert_eq!(words[1], "Domingo a las 23:30");
        assert_eq!(words[2], "Diario a las 23:00");
        assert_eq!(words[3], "Diario a las 01:00");
    }

    #[test]
    fn people_write_days_and_times_in_either_language() {
        let monthly = monthly_from_text("31 4:30").unwrap();
        assert_eq!((monthly.day(), monthly.time()), (31, time(4, 30)));
        for text in ["sunday 23:30", "Dom 23:30", "6 23:30"] {
            assert_eq!(
                weekly_from_text(text),
                Some(Schedule::default().differential),
                "{text}"
            );
        }
        for text in ["", "32 00:00", "1", "1 24:00", "lunes"] {
            assert_eq!(monthly_from_text(text), None, "{text}");
            assert_eq!(weekly_from_text(text), None, "{text}");
        }
    }
}
