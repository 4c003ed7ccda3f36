//! `schedule`.

use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use respaldo_contract::settings::schedules::weekday_from_word;

/// `schedule`.
#[derive(Debug, Subcommand)]
pub enum ScheduleCommand {
    /// Show when backups are due
    Show,
    /// Store another due time beside the catalog; what is not given stays
    Set(SetScheduleArgs),
    /// Show when each kind is due next
    Next,
    /// Show what is overdue now
    Missed,
}

/// `schedule set`.
#[derive(Debug, Args)]
#[command(group(
    clap::ArgGroup::new("parts").required(true).multiple(true).args(["day", "weekday", "hour", "minute"])
))]
pub struct SetScheduleArgs {
    /// Kind of backup
    #[arg(value_name = "KIND")]
    pub kind: ScheduledKind,
    /// Day of the month, of a full; in a shorter month its last
    #[arg(long, value_name = "1-31")]
    pub day: Option<u32>,
    /// Day of the week, of a differential: 0 Monday to 6 Sunday, or its name
    #[arg(long, value_name = "DAY")]
    pub weekday: Option<Weekday>,
    /// Hour
    #[arg(long, value_name = "0-23")]
    pub hour: Option<u32>,
    /// Minute
    #[arg(long, value_name = "0-59")]
    pub minute: Option<u32>,
}

/// A kind of backup that has due times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScheduledKind {
    /// Once a month
    Full,
    /// Once a week
    #[value(alias = "differential", alias = "diferencial")]
    Dif,
    /// Once a day
    #[value(alias = "incremental")]
    Inc,
}

/// A day of the week: 0 Monday to 6 Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weekday(pub u32);

/// A text that names no day of the week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write 0 (Monday) to 6 (Sunday) or the day's name")]
pub struct NotAWeekday;

impl FromStr for Weekday {
    type Err = NotAWeekday;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        weekday_from_word(text).map(Self).ok_or(NotAWeekday)
    }
}
