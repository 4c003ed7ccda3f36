//! Numbers.

use super::column::put;
use super::text::close;

/// Decimal digits in one digit of a numeric.
const GROUP: usize = 4;
/// Signs of a numeric.
const POSITIVE: u16 = 0;
const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xc000;

/// How many bytes are decimal digits.
#[inline]
fn digits(from: &[u8]) -> usize {
    from.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Whether digits are those of a whole number as one writes it.
#[inline]
fn is_plain(whole: &[u8]) -> bool {
    matches!(whole, [b'0'] | [b'1'..=b'9', ..])
}

/// An integer, whose bytes `bytes` gives where it is one of the type.
#[inline]
pub(super) fn integer<'t, const N: usize>(
    from: &'t [u8],
    out: &mut Vec<u8>,
    bytes: impl FnOnce(i64) -> Option<[u8; N]>,
) -> Option<&'t [u8]> {
    let unsigned = from.strip_prefix(b"-").unwrap_or(from);
    let is_negative = unsigned.len() < from.len();
    let (whole, rest) = unsigned.split_at(digits(unsigned));
    // Nineteen digits fit into 64 bits.
    if !is_plain(whole) || whole.len() > 19 || is_negative && whole == b"0" {
        return None;
    }
    let size = whole
        .iter()
        .fold(0, |sum: u64, digit| sum * 10 + u64::from(digit - b'0'));
    let value = match is_negative {
        true => 0_i64.checked_sub_unsigned(size)?,
        false => i64::try_from(size).ok()?,
    };
    put(out, bytes(value)?);
    Some(rest)
}

/// Four bytes of a floating-point number.
pub(super) fn float4<'t>(from: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (text, rest) = float_text(from)?;
    let value: f32 = text.parse().ok()?;
    let value = is_as_written(text, value.into()).then_some(value)?;
    put(out, value.to_be_bytes());
    Some(rest)
}

/// Eight bytes of a floating-point number.
pub(super) fn float8<'t>(from: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (text, rest) = float_text(from)?;
    let value: f64 = text.parse().ok()?;
    let value = is_as_written(text, value).then_some(value)?;
    put(out, value.to_be_bytes());
    Some(rest)
}

/// What may be a floating-point number, and what follows. Rust reads more manners of writing one than servers write; the
/// number nearest to what is written is the same everywhere.
fn float_text(from: &[u8]) -> Option<(&str, &[u8])> {
    let end = from.iter().position(|byte| matches!(byte, b'\t' | b'\n'))?;
    let (text, rest) = from.split_at(end);
    let text = std::str::from_utf8(text).ok()?;
    let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let is_number = unsigned.first()?.is_ascii_digit()
        && unsigned
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-'));
    (is_number || is_named(text)).then_some((text, rest))
}

/// Whether a number without digits is meant.
fn is_named(text: &str) -> bool {
    matches!(text, "NaN" | "Infinity" | "-Infinity")
}

/// Whether the number is what is written: out of range, another one would be the nearest.
fn is_as_written(text: &str, value: f64) -> bool {
    let is_zero = matches!(text, "0" | "-0");
    is_named(text) || value.is_finite() && (value != 0.0 || is_zero)
}

/// A numeric: how many digits of base 10,000, the weight of the first, the sign, the decimal digits after the point,
/// the digits.
pub(super) fn numeric<'t>(from: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
    if let Some(rest) = from.strip_prefix(b"NaN") {
        put(out, numeric_head(0, 0, NOT_A_NUMBER, 0));
        return Some(rest);
    }
    let unsigned = from.strip_prefix(b"-").unwrap_or(from);
    let sign = if unsigned.len() < from.len() {
        NEGATIVE
    } else {
        POSITIVE
    };
    let (whole, mut rest) = unsigned.split_at(digits(unsigned));
    let mut fraction = &rest[..0];
    if let Some(after) = rest.strip_prefix(b".") {
        (fraction, rest) = after.split_at(digits(after));
        if fraction.is_empty() {
            return None;
        }
    }
    if !is_plain(whole) {
        return None;
    }
    let at = out.len();
    out.extend_from_slice(&[0; 4 + 8]);
    let weight = put_digits(whole, fraction, out, at + 4 + 8)?;
    let count = i16::try_from((out.len() - at - 4 - 8) / 2).ok()?;
    if count == 0 && sign == NEGATIVE {
        return None;
    }
    let scale = i16::try_from(fraction.len()).ok()?;
    out[at + 4..at + 4 + 8].copy_from_slice(&numeric_head(count, weight, sign, scale));
    close(out, at)?;
    Some(rest)
}

fn numeric_head(count: i16, weight: i16, sign: u16, scale: i16) -> [u8; 8] {
    let mut head = [0; 8];
    head[..2].copy_from_slice(&count.to_be_bytes());
    head[2..4].copy_from_slice(&weight.to_be_bytes());
    head[4..6].copy_from_slice(&sign.to_be_bytes());
    head[6..].copy_from_slice(&scale.to_be_bytes());
    head
}

/// Adds the digits of base 10,000 from `first` on, without zeros at either end; returns the weight of the first.
fn put_digits(whole: &[u8], fraction: &[u8], out: &mut Vec<u8>, first: usize) -> Option<i16> {
    let (odd, even) = whole.split_at(whole.len() % GROUP);
    let in_whole = even.len() / GROUP + usize::from(!odd.is_empty());
    let mut weight = i16::try_from(in_whole).ok()? - 1;
    let mut put = |group: &[u8], is_fraction: bool| -> Option<()> {
        let mut value = group
            .iter()
            .fold(0, |sum: u16, digit| sum * 10 + u16::from(digit - b'0'));
        if is_fraction {
            // The last group of a fraction may lack digits, which are zeros.
            value *= 10_u16.pow(u32::try_from(GROUP - group.len()).ok()?);
        }
        match value == 0 && out.len() == first {
            true => weight = weight.checked_sub(1)?,
            false => out.extend_from_slice(&value.to_be_bytes()),
        }
        Some(())
    };
    if !odd.is_empty() {
        put(odd, false)?;
    }
    even.chunks(GROUP).try_for_each(|group| put(group, false))?;
    fraction
        .chunks(GROUP)
        .try_for_each(|group| put(group, true))?;
    while out.len() > first && out.ends_with(&[0, 0]) {
        out.truncate(out.len() - 2);
    }
    Some(if out.len() == first { 0 } else { weight })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let rest = numeric(text.as_bytes(), &mut out)?;
        assert_eq!(
            out[..4],
            i32::try_from(out.len() - 4).unwrap().to_be_bytes()
        );
        rest.is_empty().then(|| out.split_off(4))
    }

    fn parts(text: &str) -> Option<(i16, u16, i16, Vec<i16>)> {
        let bytes = number(text)?;
        let words: Vec<i16> = bytes
            .chunks(2)
            .map(|two| i16::from_be_bytes([two[0], two[1]]))
            .collect();
        assert_eq!(usize::try_from(words[0]).unwrap(), words.len() - 4);
        Some((
            words[1],
            words[2].cast_unsigned(),
            words[3],
            words[4..].to_vec(),
        ))
    }

    #[test]
    fn numerics_are_digits_of_ten_thousand_around_their_point() {
        assert_eq!(parts("0"), Some((0, POSITIVE, 0, vec![])));
        assert_eq!(parts("0.000"), Some((0, POSITIVE, 3, vec![])));
        assert_eq!(
            parts("12345.678"),
            Some((1, POSITIVE, 3, vec![1, 2345, 6780]))
        );
        assert_eq!(parts("-10000"), Some((1, NEGATIVE, 0, vec![1])));
        assert_eq!(parts("0.00001"), Some((-2, POSITIVE, 5, vec![1000])));
        assert_eq!(
            parts("100000000.50"),
            Some((2, POSITIVE, 2, vec![1, 0, 0, 5000]))
        );
        assert_eq!(parts("NaN"), Some((0, NOT_A_NUMBER, 0, vec![])));
        for strange in [
            "", "-", "1.", ".5", "007", "-0", "-0.0", "1e5", "+1", "Infinity",
        ] {
            assert_eq!(number(strange), None, "{strange:?}");
        }
    }

    #[test]
    fn integers_are_taken_where_they_fit_and_are_written_plainly() {
        let read = |text: &str| {
            let mut out = Vec::new();
            let bytes = |n| Some(i16::try_from(n).ok()?.to_be_bytes());
            let rest = integer(text.as_bytes(), &mut out, bytes)?;
            (rest == b"\n").then(|| i16::from_be_bytes([out[4], out[5]]))
        };
        for value in [0, 1, -1, i16::MIN, i16::MAX] {
            assert_eq!(read(&format!("{value}\n")), Some(value));
        }
        for strange in [
            "", "-", "-0", "00", "+1", " 1", "1 ", "32768", "-32769", "1_000",
        ] {
            assert_eq!(read(&format!("{strange}\n")), None, "{strange:?}");
        }
        assert_eq!(read("18446744073709551617\n"), None);
        assert_eq!(read("9999999999999999999\n"), None);
    }

    #[test]
    fn a_floating_point_number_that_is_out_of_range_is_left_to_the_server() {
        let read = |text: &str| {
            let (text, mut out) = (format!("{text}\n"), Vec::new());
            let rest = float8(text.as_bytes(), &mut out)?;
            assert_eq!(rest, b"\n");
            Some(f64::from_be_bytes(out[4..].try_into().unwrap()).to_bits())
        };
        for value in [
            0.0,
            -0.0,
            0.1,
            -1e22,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            f64::INFINITY,
        ] {
            let text = match value.is_finite() {
                true => format!("{value:e}").replace("0e0", "0"),
                false => "Infinity".to_owned(),
            };
            assert_eq!(read(&text), Some(value.to_bits()), "{text}");
        }
        assert_eq!(read("NaN"), Some(f64::NAN.to_bits()));
        for strange in [
            "1e400", "1e-400", "inf", "nan", "infinity", ".5", "0x10", "1 ", "",
        ] {
            assert_eq!(read(strange), None, "{strange:?}");
        }
        let mut out = Vec::new();
        assert_eq!(float4(b"1e39\t", &mut out), None);
        assert_eq!(float4(b"3.4028235e+38\t", &mut out), Some(&b"\t"[..]));
        assert_eq!(out[4..], f32::MAX.to_be_bytes());
    }
}
