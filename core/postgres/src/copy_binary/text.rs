//! Strings, and what is written in hexadecimal digits.

use memchr::memchr3;

use super::column::put;

/// The only version of jsonb's binary form; the rest of it is its text.
pub(super) const JSONB_VERSION: u8 = 1;

/// No digit.
const NONE: u8 = 0xff;

/// What a byte is worth as a hexadecimal digit, in lower case as servers write them.
const DIGITS: [u8; 256] = {
    let mut digits = [NONE; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// Length of a UUID's text.
const UUID_TEXT: usize = 36;
/// Where a UUID's pairs of digits begin.
const UUID_PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const UUID_DASHES: [usize; 4] = [8, 13, 18, 23];

/// Bytes up to the end of the value, after `before`.
#[inline]
pub(super) fn string<'t>(from: &'t [u8], out: &mut Vec<u8>, before: &[u8]) -> Option<&'t [u8]> {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(before);
    let mut rest = from;
    loop {
        let plain = memchr3(b'\t', b'\n', b'\\', rest)?;
        out.extend_from_slice(&rest[..plain]);
        rest = &rest[plain..];
        if rest[0] != b'\\' {
            break;
        }
        out.push(escaped(*rest.get(1)?)?);
        rest = &rest[2..];
    }
    close(out, at)?;
    Some(rest)
}

/// What COPY writes a backslash before, and what for.
fn escaped(letter: u8) -> Option<u8> {
    Some(match letter {
        b'\\' => b'\\',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        _ => return None,
    })
}

/// Bytes in the form that `bytea_output = hex` gives them.
pub(super) fn bytea<'t>(from: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
    let mut rest = from.strip_prefix(br"\\x")?;
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    while let [high, low, after @ ..] = rest {
        let Some(byte) = pair(*high, *low) else { break };
        out.push(byte);
        rest = after;
    }
    close(out, at)?;
    Some(rest)
}

/// Sixteen bytes.
pub(super) fn uuid<'t>(from: &'t [u8], out: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (text, rest) = from.split_at_checked(UUID_TEXT)?;
    let mut value = [0; 16];
    for (byte, at) in value.iter_mut().zip(UUID_PAIRS) {
        *byte = pair(text[at], text[at + 1])?;
    }
    if UUID_DASHES.iter().any(|at| text[*at] != b'-') {
        return None;
    }
    put(out, value);
    Some(rest)
}

#[inline]
fn pair(high: u8, low: u8) -> Option<u8> {
    let (high, low) = (DIGITS[usize::from(high)], DIGITS[usize::from(low)]);
    (high | low < 16).then_some(high << 4 | low)
}

/// Writes the length of the value that began at `at`, whose place was kept.
#[inline]
pub(super) fn close(out: &mut [u8], at: usize) -> Option<()> {
    let length = i32::try_from(out.len() - at - 4).ok()?;
    out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = for<'t> fn(&'t [u8], &mut Vec<u8>) -> Option<&'t [u8]>;

    fn value(read: Read, from: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let rest = read(from, &mut out)?;
        assert_eq!(rest, b"\n");
        Some(out.split_off(4))
    }

    #[test]
    fn a_string_is_what_its_escapes_stand_for() {
        let string: Read = |from, out| string(from, out, &[]);
        let text = b"a\\\\b\\b\\f\\n\\r\\t\\v\xc3\xa9\n";
        assert_eq!(
            value(string, text).unwrap(),
            b"a\\b\x08\x0c\n\r\t\x0b\xc3\xa9"
        );
        assert_eq!(value(string, b"\n").unwrap(), b"");
        for strange in [
            &b"\\x41\n"[..],
            b"\\101\n",
            b"\\a\n",
            b"\\N\n",
            b"\\.\n",
            b"a\\",
            b"a",
        ] {
            assert_eq!(value(string, strange), None, "{strange:?}");
        }
    }

    #[test]
    fn hexadecimal_digits_are_taken_as_servers_write_them() {
        assert_eq!(value(bytea, b"\\\\x00ff\n").unwrap(), [0, 255]);
        assert_eq!(value(bytea, b"\\\\x\n").unwrap(), b"");
        assert!(bytea(b"\\\\001\n", &mut Vec::new()).is_none());
        // What is left over is no end of a value.
        assert_eq!(bytea(b"\\\\x0FF\n", &mut Vec::new()).unwrap(), b"0FF\n");
        let text = b"00112233-4455-6677-8899-aabbccddeeff\n";
        let bytes = (0..=15_u8).map(|n| n * 17).collect::<Vec<_>>();
        assert_eq!(value(uuid, text).unwrap(), bytes);
        for strange in [
            &b"00112233-4455-6677-8899-AABBCCDDEEFF\n"[..],
            b"{0112233-4455-6677-8899-aabbccddeef}\n",
            b"0011223304455-6677-8899-aabbccddeeff\n",
            b"00112233-4455-6677-8899-aabbccddee",
        ] {
            assert_eq!(uuid(strange, &mut Vec::new()), None, "{strange:?}");
        }
    }
}
