//! Whole numbers with a range.

/// A number outside of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {found}, it must be from {low} to {high}")]
pub struct OutOfRange {
    /// The setting.
    pub key: &'static str,
    /// What was given.
    pub found: u32,
    /// Smallest value.
    pub low: u32,
    /// Largest value.
    pub high: u32,
}

/// A setting's name and the values it may have.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// The setting.
    pub key: &'static str,
    /// Smallest value.
    pub low: u32,
    /// Largest value.
    pub high: u32,
}

impl Range {
    /// The values from `low` to `high`, both included.
    pub const fn new(key: &'static str, low: u32, high: u32) -> Self {
        Self { key, low, high }
    }

    /// The number, where it is in range.
    pub fn check(self, found: u32) -> Result<u32, OutOfRange> {
        let Self { key, low, high } = self;
        if (low..=high).contains(&found) {
            Ok(found)
        } else {
            Err(OutOfRange {
                key,
                found,
                low,
                high,
            })
        }
    }
}
