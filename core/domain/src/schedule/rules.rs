//! Hours that come back: daily, weekly, monthly.

use std::fmt;

use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

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
    /// Hour, 0 to 23.
    pub hour: u32,
    /// Minute, 0 to 59.
    pub minute: u32,
}

impl Default for Monthly {
    /// Day 1, 00:00.
    fn default() -> Self {
        Self {
            day: 1,
            time: Daily { hour: 0, minute: 0 },
        }
    }
}

impl Default for Weekly {
    /// Sunday 23:30.
    fn default() -> Self {
        Self {
            weekday: 6,
            time: Daily {
                hour: 23,
                minute: 30,
            },
        }
    }
}

impl Default for Daily {
    /// 23:00.
    fn default() -> Self {
        Self {
            hour: 23,
            minute: 0,
        }
    }
}

impl fmt::Display for Daily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl Daily {
    fn on(self, date: NaiveDate) -> NaiveDateTime {
        let time = NaiveTime::from_hms_opt(self.hour.min(23), self.minute.min(59), 0);
        date.and_time(time.unwrap_or_default())
    }

    /// Those of the days around one: clocks differ by a day at most from what they were.
    pub(super) fn around(self, today: NaiveDate) -> Vec<NaiveDateTime> {
        let days = (-2..=2).map(|days| today + TimeDelta::days(days));
        days.map(|date| self.on(date)).collect()
    }
}

impl Weekly {
    pub(super) fn around(self, today: NaiveDate) -> Vec<NaiveDateTime> {
        let days = (-9..=9).map(|days| today + TimeDelta::days(days));
        let days = days.filter(|date| date.weekday().num_days_from_monday() == self.weekday % 7);
        days.map(|date| self.time.on(date)).collect()
    }
}

impl Monthly {
    pub(super) fn around(self, today: NaiveDate) -> Vec<NaiveDateTime> {
        let first = today.with_day(1).unwrap_or(today);
        let before = (1..=2).filter_map(|months| first.checked_sub_months(Months::new(months)));
        let after = (0..=2).filter_map(|months| first.checked_add_months(Months::new(months)));
        let months = before.chain(after);
        months
            .map(|first| self.time.on(self.in_month(first)))
            .collect()
    }

    fn in_month(self, first: NaiveDate) -> NaiveDate {
        let days = (1..=self.day.clamp(1, 31)).rev();
        let mut there = days.filter_map(|day| first.with_day(day));
        there.next().unwrap_or(first)
    }
}
