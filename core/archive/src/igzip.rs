//! zlib streams by ISA-L's igzip, behind feature `isal`. Without it zlib-rs makes them all.

#[cfg(feature = "isal")]
pub(crate) use with_isal::{ZlibEncoder, has};
#[cfg(not(feature = "isal"))]
pub(crate) use without::{ZlibEncoder, has};

#[cfg(feature = "isal")]
mod with_isal {
    use std::io::Write;

    use isal::CompressionLevel;

    use crate::error::Result;

    /// Whether it makes streams of this level of ours: on rows of a realistic database its level 3 lies between levels 2
    /// and 3 of zlib in size, its level 1 between 1 and 2.
    pub(crate) fn has(level: i32) -> bool {
        (1..=3).contains(&level)
    }

    /// Makes one zlib stream.
    pub(crate) struct ZlibEncoder(Box<isal::write::ZlibEncoder<Vec<u8>>>);

    impl ZlibEncoder {
        pub(crate) fn of_level(level: i32) -> Option<Self> {
            let level = match level {
                1 => CompressionLevel::One,
                2 | 3 => CompressionLevel::Three,
                _ => return None,
            };
            let encoder = isal::write::ZlibEncoder::new(Vec::new(), level);
            Some(Self(Box::new(encoder)))
        }

        pub(crate) fn push(&mut self, text: &[u8]) -> Result<()> {
            Ok(self.0.write_all(text)?)
        }

        /// What was compressed so far.
        pub(crate) fn made(&mut self) -> &mut Vec<u8> {
            self.0.get_ref_mut()
        }

        /// Ends the stream; the encoder is as new.
        pub(crate) fn finish(&mut self) -> Result<Vec<u8>> {
            self.0.flush()?;
            Ok(std::mem::take(self.0.get_ref_mut()))
        }
    }
}

#[cfg(test)]
#[cfg(feature = "isal")]
mod tests {
    use std::io::Read;

    use super::*;

    fn decoded(stream: &[u8]) -> Vec<u8> {
        let mut decoder = flate2::read::ZlibDecoder::new(stream);
        let mut text = Vec::new();
        decoder.read_to_end(&mut text).unwrap();
        assert_eq!(decoder.total_in(), stream.len() as u64);
        text
    }

    /// Lines, with stretches of noise that no coder makes smaller.
    fn text(length: u32) -> Vec<u8> {
        let noise = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8;
        let byte = |i: u32| {
            if (i / 5_000).is_multiple_of(3) {
                noise(i)
            } else {
                b"row\tvalue 7\n"[i as usize % 12]
            }
        };
        (0..length).map(byte).collect()
    }

    #[test]
    fn one_encoder_makes_stream_after_stream_which_zlib_reads() {
        for level in 1..=3 {
            let mut encoder = ZlibEncoder::of_level(level).unwrap();
            for length in [0, 1, 31, 70_000, 3_000_000, 0, 5] {
                let text = text(length);
                let mut stream = Vec::new();
                for part in text.chunks(33_333) {
                    encoder.push(part).unwrap();
                    stream.append(encoder.made());
                }
                stream.extend(encoder.finish().unwrap());
                assert!(decoded(&stream) == text, "level {level}, {length} bytes");
            }
        }
        assert!(ZlibEncoder::of_level(4).is_none() && !has(4) && !has(0));
    }
}

#[cfg(not(feature = "isal"))]
mod without {
    use std::convert::Infallible;

    use crate::error::Result;

    pub(crate) fn has(_level: i32) -> bool {
        false
    }

    /// None can be made.
    pub(crate) struct ZlibEncoder(Infallible);

    impl ZlibEncoder {
        pub(crate) fn of_level(_level: i32) -> Option<Self> {
            None
        }

        pub(crate) fn push(&mut self, _text: &[u8]) -> Result<()> {
            match self.0 {}
        }

        pub(crate) fn made(&mut self) -> &mut Vec<u8> {
            match self.0 {}
        }

        pub(crate) fn finish(&mut self) -> Result<Vec<u8>> {
            match self.0 {}
        }
    }
}
