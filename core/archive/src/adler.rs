//! Adler-32, the checksum at the end of a zlib stream, and the checksum of two texts one after the other.

const MODULUS: u32 = 65_521;
/// The most bytes whose sums cannot overflow 32 bits.
const STEP: usize = 5_552;
/// Checksum of nothing.
pub(crate) const EMPTY: u32 = 1;

pub(crate) fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1_u32, 0_u32);
    for step in bytes.chunks(STEP) {
        for &byte in step {
            a += u32::from(byte);
            b += a;
        }
        a %= MODULUS;
        b %= MODULUS;
    }
    (b << 16) | a
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
