//! Adler-32, the checksum at the end of a zlib stream, and the checksum of two texts one after the other.

const MODULUS: u32 = 65_521;
/// Checksum of nothing.
pub(crate) const EMPTY: u32 = 1;

pub(crate) fn adler32(bytes: &[u8]) -> u32 {
    simd_adler32::adler32(&bytes)
}

/// The checksum of the first text followed by the second, of which the length is given.
pub(crate) fn combine(first: u32, second: u32, second_len: u64) -> u32 {
    let modulus = u64::from(MODULUS);
    let (a1, b1) = (u64::from(first & 0xffff), u64::from(first >> 16));
    let (a2, b2) = (u64::from(second & 0xffff), u64::from(second >> 16));
    let a = (a1 + a2 + modulus - 1) % modulus;
    let b = (b1 + b2 + (second_len % modulus) * (a1 + modulus - 1)) % modulus;
    ((b as u32) << 16) | a as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_checksums_are_met() {
        assert_eq!(adler32(b""), EMPTY);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn sums_of_any_length_are_those_of_the_definition() {
        let text: Vec<u8> = (0..20_000_u32).map(|i| 255 - (i % 7) as u8).collect();
        for length in (0..100).chain([8_191, 8_192, 8_193, 16_384, 20_000]) {
            let (mut a, mut b) = (1, 0);
            for byte in &text[..length] {
                a = (a + u32::from(*byte)) % MODULUS;
                b = (b + a) % MODULUS;
            }
            assert_eq!(adler32(&text[..length]), b << 16 | a, "{length} bytes");
        }
    }

    #[test]
    fn combined_checksums_equal_the_checksum_of_the_whole() {
        let text: Vec<u8> = (0..200_000_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        for cut in [0, 1, 5_551, 5_552, 65_521, 100_000, 200_000] {
            let (first, second) = text.split_at(cut);
            assert_eq!(
                combine(adler32(first), adler32(second), second.len() as u64),
                adler32(&text),
                "cut at {cut}"
            );
        }
    }
}
