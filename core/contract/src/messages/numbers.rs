//! Sizes and durations for people.

use super::Lang;

const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];

/// A size with one decimal, in units of 1024.
///
/// ```
/// use respaldo_contract::messages::{Lang, size};
///
/// assert_eq!(size(512, Lang::En), "512 B");
/// assert_eq!(size(1_572_864, Lang::En), "1.5 MB");
/// assert_eq!(size(1_572_864, Lang::Es), "1,5 MB");
/// ```
pub fn size(bytes: u64, lang: Lang) -> String {
    let mut unit = 0;
    let mut value = bytes as f64;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{} {}", decimal(value, lang), UNITS[unit])
    }
}

/// A duration as a clock would say it.
///
/// ```
/// use respaldo_contract::messages::{Lang, duration};
///
/// assert_eq!(duration(3.42, Lang::Es), "3,4 s");
/// assert_eq!(duration(200.0, Lang::En), "3 min 20 s");
/// assert_eq!(duration(7260.0, Lang::En), "2 h 1 min");
/// ```
pub fn duration(seconds: f64, lang: Lang) -> String {
    let whole = seconds as u64;
    match whole {
        0..=59 => format!("{} s", decimal(seconds, lang)),
        60..=3599 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

fn decimal(value: f64, lang: Lang) -> String {
    let text = format!("{value:.1}");
    lang.choose(text.clone(), text.replace('.', ","))
}
