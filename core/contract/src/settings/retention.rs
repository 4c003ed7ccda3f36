//! How long backups are kept.

use respaldo_domain::retention::Policy;
use serde_json::json;

use super::{Lenient, OutOfRange, RETENTION_KEY, Range, Reader};

// Zero would mean "expire at once": nobody means that.
const FULL_MONTHS: Range = Range::new("full_months", 1, 1200);
const DIF_WEEKS: Range = Range::new("dif_weeks", 1, 5200);
const INC_DAYS: Range = Range::new("inc_days", 1, 36500);
const MIN_CHAINS: Range = Range::new("min_chains", 1, 1000);

/// `backup_retention`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionSettings {
    /// Months a full is kept.
    pub full_months: u32,
    /// Weeks a differential is kept.
    pub dif_weeks: u32,
    /// Days an incremental is kept.
    pub inc_days: u32,
    /// Newest chains kept whatever their age. The existing system does not store it.
    pub min_chains: u32,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            full_months: 12,
            dif_weeks: 8,
            inc_days: 7,
            min_chains: 2,
        }
    }
}

impl RetentionSettings {
    /// Reads what is stored; the empty text gives the defaults.
    ///
    /// ```
    /// use respaldo_contract::settings::RetentionSettings;
    ///
    /// let read = RetentionSettings::parse(r#"{"full_months": 24, "inc_days": 0}"#);
    /// assert_eq!(read.value.full_months, 24);
    /// assert_eq!(read.value.inc_days, 7);
    /// assert_eq!(read.repairs.len(), 1);
    /// ```
    pub fn parse(text: &str) -> Lenient<Self> {
        let default = Self::default();
        let mut stored = Reader::of_text(text, RETENTION_KEY);
        let value = Self {
            full_months: stored.number(FULL_MONTHS, default.full_months),
            dif_weeks: stored.number(DIF_WEEKS, default.dif_weeks),
            inc_days: stored.number(INC_DAYS, default.inc_days),
            min_chains: stored.number(MIN_CHAINS, default.min_chains),
        };
        Lenient {
            value,
            repairs: stored.repairs,
        }
    }

    /// The same settings, when all are in range.
    pub fn checked(self) -> Result<Self, OutOfRange> {
        FULL_MONTHS.check(self.full_months)?;
        DIF_WEEKS.check(self.dif_weeks)?;
        INC_DAYS.check(self.inc_days)?;
        MIN_CHAINS.check(self.min_chains)?;
        Ok(self)
    }

    /// The policy they describe.
    pub fn policy(self) -> Policy {
        Policy {
            full_months: self.full_months,
            dif_weeks: self.dif_weeks,
            inc_days: self.inc_days,
            min_chains: self.min_chains,
        }
    }

    /// The settings that describe a policy.
    pub fn of(policy: &Policy) -> Self {
        Self {
            full_months: policy.full_months,
            dif_weeks: policy.dif_weeks,
            inc_days: policy.inc_days,
            min_chains: policy.min_chains,
        }
    }

    /// The text to store.
    pub fn to_json(&self) -> String {
        json!({
            "full_months": self.full_months,
            "dif_weeks": self.dif_weeks,
            "inc_days": self.inc_days,
            "min_chains": self.min_chains,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let settings = RetentionSettings {
            full_months: 3,
            dif_weeks: 4,
            inc_days: 5,
            min_chains: 6,
        };
        let read = RetentionSettings::parse(&settings.to_json());
        assert_eq!(
            read,
            Lenient {
                value: settings,
                repairs: vec![]
            }
        );
    }

    #[test]
    fn keeping_nothing_cannot_be_set() {
        let nothing = RetentionSettings {
            inc_days: 0,
            ..RetentionSettings::default()
        };
        assert!(nothing.checked().is_err());
        assert!(RetentionSettings::default().checked().is_ok());
    }
}
