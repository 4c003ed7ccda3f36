//! Rules that give due times.

use std::fmt;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::WallClock;
use crate::range::{OutOfRange, Range};

/// Days of the month.
pub const DAY: Range = Range::new("day", 1, 31);
/// Days of the week, 0 Monday to 6 Sunday.
pub const WEEKDAY: Range = Range::new("weekday", 0, 6);
/// Hours of the day.
pub const HOUR: Range = Range::new("hour", 0, 23);
/// Minutes of the hour.
pub const MINUTE: Range = Range::new("minute", 0, 59);

/// More days than lie between two due times of any rule, for the date line's sake too.
const DAYS: u64 = 34;

/// Once a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(u32, u32)", into = "(u32, u32)")]
pub struct Daily {
    hour: u32,
    minute: u32,
}

/// Once a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(u32, Daily)", into = "(u32, Daily)")]
pub struct Weekly {
    weekday: u32,
    time: Daily,
}

/// Once a month; where the month has no such day, on its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "(u32, Daily)", into = "(u32, Daily)")]
pub struct Monthly {
    day: u32,
    time: Daily,
}

impl Daily {
    pub(super) const INCREMENTAL: Self = Self {
        hour: 23,
        minute: 0,
    };
    pub(super) const VALIDATION: Self = Self { hour: 1, minute: 0 };

    /// A time of day.
    pub fn new(hour: u32, minute: u32) -> Result<Self, OutOfRange> {
        Ok(Self {
            hour: HOUR.check(hour)?,
            minute: MINUTE.check(minute)?,
        })
    }

    /// Its hour.
    pub fn hour(self) -> u32 {
        self.hour
    }

    /// Its minute.
    pub fn minute(self) -> u32 {
        self.minute
    }
}

impl fmt::Display for Daily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl Weekly {
    pub(super) const DEFAULT: Self = Self {
        weekday: 6,
        time: Daily {
            hour: 23,
            minute: 30,
        },
    };

    /// A day of the week, 0 Monday to 6 Sunday, and a time.
    pub fn new(weekday: u32, time: Daily) -> Result<Self, OutOfRange> {
        let weekday = WEEKDAY.check(weekday)?;
        Ok(Self { weekday, time })
    }

    /// Its day, 0 Monday to 6 Sunday.
    pub fn weekday(self) -> u32 {
        self.weekday
    }

    /// Its time of day.
    pub fn time(self) -> Daily {
        self.time
    }
}

impl Monthly {
    pub(super) const DEFAULT: Self = Self {
        day: 1,
        time: Daily { hour: 0, minute: 0 },
    };

    /// A day of the month and a time.
    pub fn new(day: u32, time: Daily) -> Result<Self, OutOfRange> {
        let day = DAY.check(day)?;
        Ok(Self { day, time })
    }

    /// Its day, as given.
    pub fn day(self) -> u32 {
        self.day
    }

    /// Its time of day.
    pub fn time(self) -> Daily {
        self.time
    }
}

impl TryFrom<(u32, u32)> for Daily {
    type Error = OutOfRange;

    fn try_from((hour, minute): (u32, u32)) -> Result<Self, OutOfRange> {
        Self::new(hour, minute)
    }
}

impl From<Daily> for (u32, u32) {
    fn from(daily: Daily) -> Self {
        (daily.hour, daily.minute)
    }
}

impl TryFrom<(u32, Daily)> for Weekly {
    type Error = OutOfRange;

    fn try_from((weekday, time): (u32, Daily)) -> Result<Self, OutOfRange> {
        Self::new(weekday, time)
    }
}

impl From<Weekly> for (u32, Daily) {
    fn from(weekly: Weekly) -> Self {
        (weekly.weekday, weekly.time)
    }
}

impl TryFrom<(u32, Daily)> for Monthly {
    type Error = OutOfRange;

    fn try_from((day, time): (u32, Daily)) -> Result<Self, OutOfRange> {
        Self::new(day, time)
    }
}

impl From<Monthly> for (u32, Daily) {
    fn from(monthly: Monthly) -> Self {
        (monthly.day, monthly.time)
    }
}

/// What a rule says of a day.
pub(super) trait Rule {
    /// Whether it has a due time on this day.
    fn is_on(&self, day: NaiveDate) -> bool;

    /// At what time.
    fn time(&self) -> Daily;
}

impl Rule for Daily {
    fn is_on(&self, _: NaiveDate) -> bool {
        true
    }

    fn time(&self) -> Daily {
        *self
    }
}

impl Rule for Weekly {
    fn is_on(&self, day: NaiveDate) -> bool {
        day.weekday().num_days_from_monday() == self.weekday
    }

    fn time(&self) -> Daily {
        self.time
    }
}

impl Rule for Monthly {
    fn is_on(&self, day: NaiveDate) -> bool {
        let length = u32::from(day.num_days_in_month());
        day.day() == self.day.min(length)
    }

    fn time(&self) -> Daily {
        self.time
    }
}

/// The newest due time not after `now`.
pub(super) fn last(
    rule: &dyn Rule,
    now: DateTime<Utc>,
    zone: &dyn WallClock,
) -> Option<DateTime<Utc>> {
    let tomorrow = zone.at(now).date_naive().checked_add_days(Days::new(1))?;
    (0..=DAYS)
        .filter_map(|back| tomorrow.checked_sub_days(Days::new(back)))
        .filter_map(|day| due_on(rule, day, zone))
        .find(|due| *due <= now)
}

/// The first due time after `now`.
pub(super) fn next(
    rule: &dyn Rule,
    now: DateTime<Utc>,
    zone: &dyn WallClock,
) -> Option<DateTime<Utc>> {
    let yesterday = zone.at(now).date_naive().checked_sub_days(Days::new(1))?;
    (0..=DAYS)
        .filter_map(|on| yesterday.checked_add_days(Days::new(on)))
        .filter_map(|day| due_on(rule, day, zone))
        .find(|due| *due > now)
}

fn due_on(rule: &dyn Rule, day: NaiveDate, zone: &dyn WallClock) -> Option<DateTime<Utc>> {
    let at = rule.time();
    let time = NaiveTime::from_hms_opt(at.hour, at.minute, 0)?;
    rule.is_on(day).then(|| zone.first(day.and_time(time)))
}
