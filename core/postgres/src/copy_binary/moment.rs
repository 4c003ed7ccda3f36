//! Dates and times, as `DateStyle = ISO` writes them: years of four digits after Christ. They count from the first of January
//! 2000, in days or microseconds.

use super::column::put;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Days from the first of March of the year 0 to the first of January 2000, in the Gregorian calendar carried back.
const DAYS_TO_2000: i64 = 730_425;

/// A number of exactly as many digits.
#[inline]
fn number<const DIGITS: usize>(from: &[u8]) -> Option<(i64, &[u8])> {
    let (digits, rest) = from.split_first_chunk::<DIGITS>()?;
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some((value, rest))
}

/// The next byte must be this one.
#[inline]
fn mark(from: &[u8], mark: u8) -> Option<&[u8]> {
    from.strip_prefix(&[mark])
}

/// A number of two digits of at most `most`.
#[inline]
fn two(from: &[u8], most: i64) -> Option<(i64, &[u8])> {
    number::<2>(from).filter(|(value, _)| *value <= most)
}

/// Days since the first of January 2000 of `YYYY-MM-DD`.
#[inline]
fn days(from: &[u8]) -> Option<(i64, &[u8])> {
    let (year, rest) = number::<4>(from)?;
    let (month, rest) = two(mark(rest, b'-')?, 12)?;
    let (day, rest) = two(mark(rest, b'-')?, 31)?;
    if year == 0 || month == 0 || day == 0 || day > last_day(year, month) {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    let in_year = (153 * month + 2) / 5 + day - 1;
    Some((before + in_year - DAYS_TO_2000, rest))
}

fn last_day(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Microseconds since midnight of `HH:MM:SS[.ffffff]`.
#[inline]
fn clock(from: &[u8]) -> Option<(i64, &[u8])> {
    let (hours, rest) = two(from, 23)?;
    let (minutes, rest) = two(mark(rest, b':')?, 59)?;
    let (seconds, mut rest) = two(mark(rest, b':')?, 59)?;
    let mut micros = hours * HOUR + minutes * MINUTE + seconds * SECOND;
    if let Some(mut fraction) = mark(rest, b'.') {
        let mut unit = SECOND;
        while let [digit @ b'0'..=b'9', after @ ..] = fraction {
            unit /= 10;
            micros += i64::from(digit - b'0') * unit;
            fraction = after;
            if unit == 1 {
                break;
            }
        }
        if unit == SECOND {
            return None;
        }
        rest = fraction;
    }
    Some((micros, rest))
}

/// Microseconds since the first of January 2000 of a date and a time.
#[inline]
fn moment(from: &[u8]) -> Option<(i64, &[u8])> {
    let (days, rest) = days(from)?;
    let (micros, rest) = clock(mark(rest, b' ')?)?;
    Some((days * DAY + micros, rest))
}

/// Microseconds that a time zone is ahead of UTC: `+HH[:MM[:SS]]`.
#[inline]
fn zone(from: &[u8]) -> Option<(i64, &[u8])> {
    let (sign, rest) = from.split_first()?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, mut rest) = two(rest, 15)?;
    let mut micros = hours * HOUR;
    for unit in [MINUTE, SECOND] {
        let Some(after) = mark(rest, b':') else { break };
        let (count, after) = two(after, 59)?;
        micros += count * unit;
        rest = after;
    }
    Some((sign * micros, rest))
}

/// What follows the word for a time after, or before, all others; and which.
#[inline]
fn endless(from: &[u8]) -> Option<(bool, &[u8])> {
    let after = from.strip_prefix(b"infinity").map(|rest| (true, rest));
    after.or_else(|| Some((false, from.strip_prefix(b"-infinity")?)))
}

/// A date.
pub(super) fn date<'t>(from: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (days, rest) = match endless(from) {
        Some((is_after, rest)) => (if is_after { i32::MAX } else { i32::MIN }, rest),
        None => {
            let (days, rest) = days(from)?;
            (i32::try_from(days).ok()?, rest)
        }
    };
    put(out, days.to_be_bytes());
    Some(rest)
}

/// A time of day, without a time zone.
pub(super) fn time<'t>(from: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (micros, rest) = clock(from)?;
    put(out, micros.to_be_bytes());
    Some(rest)
}

/// A date and a time, without a time zone.
pub(super) fn timestamp<'t>(from: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (micros, rest) = match endless(from) {
        Some((is_after, rest)) => (if is_after { i64::MAX } else { i64::MIN }, rest),
        None => moment(from)?,
    };
    put(out, micros.to_be_bytes());
    Some(rest)
}

/// A point in time: a date and a time, and how far their zone is ahead of UTC.
pub(super) fn timestamptz<'t>(from: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (micros, rest) = match endless(from) {
        Some((is_after, rest)) => (if is_after { i64::MAX } else { i64::MIN }, rest),
        None => {
            let (micros, rest) = moment(from)?;
            let (ahead, rest) = zone(rest)?;
            (micros - ahead, rest)
        }
    };
    put(out, micros.to_be_bytes());
    Some(rest)
}

#[cfg(test)]
mod tests {
    use chrono::{Days, NaiveDate};

    use super::*;

    type Read = for<'t> fn(&'t [u8], &mut Vec<u8>) -> Option<&'t [u8]>;

    fn read(read: Read, text: &str) -> Option<i64> {
        let mut out = Vec::new();
        let rest = read(text.as_bytes(), &mut out)?;
        rest.is_empty().then(|| match out.len() {
            8 => i64::from(i32::from_be_bytes(out[4..].try_into().unwrap())),
            _ => i64::from_be_bytes(out[4..].try_into().unwrap()),
        })
    }

    #[test]
    fn every_day_of_four_digit_years_is_counted_as_the_calendar_counts_it() {
        let origin = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
        let mut day = NaiveDate::from_ymd_opt(1, 1, 1).unwrap();
        let end = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
        while day <= end {
            let text = day.format("%Y-%m-%d").to_string();
            assert_eq!(read(date, &text), Some((day - origin).num_days()), "{text}");
            day = day + Days::new(1);
        }
    }

    #[test]
    fn days_that_are_none_are_left_to_the_server() {
        for strange in [
            "2023-02-29",
            "1900-02-29",
            "2023-04-31",
            "2023-00-01",
            "2023-01-00",
            "2023-13-01",
            "0000-01-01",
            "12023-01-01",
            "2023-1-1",
            "2023-01-01 BC",
            "today",
            "",
        ] {
            assert_eq!(read(date, strange), None, "{strange}");
        }
        assert_eq!(read(date, "2000-02-29"), Some(59));
        assert_eq!(read(date, "infinity"), Some(i64::from(i32::MAX)));
        assert_eq!(read(date, "-infinity"), Some(i64::from(i32::MIN)));
    }

    #[test]
    fn times_count_microseconds_and_zones_are_taken_off() {
        assert_eq!(read(time, "23:59:59.999999"), Some(DAY - 1));
        assert_eq!(
            read(timestamp, "2000-01-02 00:00:00.5"),
            Some(DAY + SECOND / 2)
        );
        assert_eq!(read(timestamptz, "2000-01-01 00:00:00+00"), Some(0));
        assert_eq!(read(timestamptz, "2000-01-01 05:30:00+05:30"), Some(0));
        assert_eq!(
            read(timestamptz, "1999-12-31 21:00:01-03:00:01"),
            Some(2 * SECOND)
        );
        assert_eq!(read(timestamptz, "infinity"), Some(i64::MAX));
        assert_eq!(read(timestamp, "-infinity"), Some(i64::MIN));
    }

    #[test]
    fn times_that_a_server_writes_otherwise_are_left_to_it() {
        for strange in [
            "24:00:00",
            "1:00:00",
            "00:60:00",
            "00:00:60",
            "00:00:00.",
            "00:00:00.1234567",
        ] {
            assert_eq!(read(time, strange), None, "{strange}");
        }
        for strange in [
            "2000-01-01 00:00:00",
            "2000-01-01T00:00:00+00",
            "2000-01-01 00:00:00+16",
            "2000-01-01 00:00:00+00 BC",
            "2000-01-01 00:00:00 UTC",
            "2000-01-01 00:00:00+0",
        ] {
            assert_eq!(read(timestamptz, strange), None, "{strange}");
        }
        assert_eq!(read(timestamp, "2000-01-01 00:00:00+00"), None);
    }
}
