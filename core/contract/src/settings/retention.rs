//! How long backups are kept: the domain's policy as `backup_retention` spells it. The existing
//! system does not store `min_chains`.

use respaldo_domain::range::Range;
use respaldo_domain::retention::Policy;
use serde_json::json;

use super::{Lenient, OutOfRange, RETENTION_KEY, Reader};

// Zero would mean "expire at once": nobody means that.
const FULL_MONTHS: Range = Range::new("full_months", 1, 1200);
const DIF_WEEKS: Range = Range::new("dif_weeks", 1, 5200);
const INC_DAYS: Range = Range::new("inc_days", 1, 36500);
const MIN_CHAINS: Range = Range::new("min_chains", 1, 1000);

/// Reads what is stored; the empty text gives the defaults.
///
/// ```
/// use respaldo_contract::settings::retention;
///
/// let read = retention::parse(r#"{"full_months": 24, "inc_days": 0}"#);
/// assert_eq!(read.value.full_months, 24);
/// assert_eq!(read.value.inc_days, 7);
/// assert_eq!(read.repairs.len(), 1);
/// ```
pub fn parse(text: &str) -> Lenient<Policy> {
    let default = Policy::default();
    let mut stored = Reader::of_text(text, RETENTION_KEY);
    let value = Policy {
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

/// Whether every number is in range.
pub fn check(policy: &Policy) -> Result<(), OutOfRange> {
    FULL_MONTHS.check(policy.full_months)?;
    DIF_WEEKS.check(policy.dif_weeks)?;
    INC_DAYS.check(policy.inc_days)?;
    MIN_CHAINS.check(policy.min_chains)?;
    Ok(())
}

/// The text to store.
pub fn to_json(policy: &Policy) -> String {
    json!({
        "full_months": policy.full_months,
        "dif_weeks": policy.dif_weeks,
        "inc_days": policy.inc_days,
        "min_chains": policy.min_chains,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let policy = Policy {
            full_months: 3,
            dif_weeks: 4,
            inc_days: 5,
            min_chains: 6,
        };
        let expected = Lenient {
            value: policy,
            repairs: vec![],
        };
        assert_eq!(parse(&to_json(&policy)), expected);
    }

    #[test]
    fn keeping_nothing_cannot_be_set() {
        let nothing = Policy {
            inc_days: 0,
            ..Policy::default()
        };
        assert!(check(&nothing).is_err());
        assert!(check(&Policy::default()).is_ok());
    }
}
