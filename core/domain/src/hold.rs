//! Holds: what a reader says in storage about the sets it reads, so that no other machine removes
//! them meanwhile.
//!
//! An object cannot be overwritten, so a hold says in its key how long it counts, and is renewed by
//! another. Who was killed keeps others from removing for [`VALID`] and no longer.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::backup::ArchiveName;
use crate::object::ObjectKey;

/// Where holds lie in a repository, as the beginning of their keys.
pub const PREFIX: &str = "holds/until_";
/// How long a hold counts from the moment at which it is written.
pub const VALID: TimeDelta = TimeDelta::hours(2);
/// By how much the clocks of two machines may differ. A hold counts for so much longer.
pub const SKEW: TimeDelta = TimeDelta::minutes(15);
/// No clock is believed to be further ahead than this: a hold that says more would keep everything
/// for ever. Wide enough for a clock that shows local time and calls it UTC.
pub const FURTHEST: TimeDelta = TimeDelta::hours(26);

const STAMP: &str = "%Y%m%d_%H%M%S";
const SUFFIX: &str = ".json";

/// Whose hold it is and until when it counts: all that its key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HoldKey {
    /// When it ends if it is not renewed, by the clock of its holder, in whole seconds.
    pub until: DateTime<Utc>,
    /// The reader, the same through all renewals.
    pub holder: Uuid,
}

/// Whether a hold counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Counts,
    /// It ended.
    Ended,
    /// It says more than any hold may.
    NotBelieved,
}

/// What a hold names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The reader, for people.
    pub reader: String,
    /// Sets that are to stay.
    pub archives: BTreeSet<ArchiveName>,
}

impl HoldKey {
    /// The hold that a reader writes at this moment.
    pub fn at(now: DateTime<Utc>, holder: Uuid) -> Self {
        let until = (now + VALID).trunc_subsecs(0);
        Self { until, holder }
    }

    /// Where it lies.
    pub fn key(&self) -> ObjectKey {
        let (until, holder) = (self.until.format(STAMP), self.holder.simple());
        ObjectKey::trusted(format!("{PREFIX}{until}_{holder}{SUFFIX}"))
    }

    /// The hold that lies there; `None` where the key is that of something else.
    pub fn of(key: &ObjectKey) -> Option<Self> {
        let said = key.as_str().strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        let (until, holder) = said.rsplit_once('_')?;
        let read = Self {
            until: NaiveDateTime::parse_from_str(until, STAMP).ok()?.and_utc(),
            holder: Uuid::try_parse(holder).ok()?,
        };
        (read.key() == *key).then_some(read)
    }

    /// Whether it counts at this moment.
    pub fn standing(&self, now: DateTime<Utc>) -> Standing {
        let left = self.until - now;
        if left > FURTHEST {
            Standing::NotBelieved
        } else if left < -SKEW {
            Standing::Ended
        } else {
            Standing::Counts
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn noon() -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 28, 12, 0, 0).unwrap()
    }

    #[test]
    fn a_hold_says_in_its_key_whose_it_is_and_until_when() {
        let hold = HoldKey::at(noon() + TimeDelta::milliseconds(700), Uuid::nil());
        let key = hold.key();
        let text = "holds/until_20261128_140000_00000000000000000000000000000000.json";
        assert_eq!(key.as_str(), text);
        assert_eq!(HoldKey::of(&key), Some(hold));
    }

    #[test]
    fn what_is_called_otherwise_is_no_hold() {
        for foreign in [
            "holds/notes.json",
            "holds/until_20261128_140000.json",
            "holds/until_20261128_140000_1234.json",
            "holds/until_20261328_140000_00000000000000000000000000000000.json",
            "holds/until_20261128_140000_00000000-0000-0000-0000-000000000000.json",
            "full/until_20261128_140000_00000000000000000000000000000000.json",
        ] {
            let key = ObjectKey::parse(foreign).unwrap();
            assert_eq!(HoldKey::of(&key), None, "{foreign}");
        }
    }

    #[test]
    fn a_hold_counts_for_its_time_and_for_what_clocks_may_differ_and_never_for_ever() {
        let hold = HoldKey::at(noon(), Uuid::nil());
        let after = |delta| hold.standing(noon() + delta);
        assert_eq!(after(TimeDelta::zero()), Standing::Counts);
        assert_eq!(after(-SKEW), Standing::Counts);
        assert_eq!(after(VALID + SKEW), Standing::Counts);
        assert_eq!(after(VALID + SKEW + TimeDelta::seconds(1)), Standing::Ended);
        assert_eq!(after(-TimeDelta::days(2)), Standing::NotBelieved);
    }

    proptest! {
        #[test]
        fn whatever_its_key_says_a_hold_ends_within_a_bounded_time(
            seconds in -4_000_000_000_i64..8_000_000_000, holder: u128,
        ) {
            let until = DateTime::from_timestamp(seconds, 0).unwrap();
            let hold = HoldKey { until, holder: Uuid::from_u128(holder) };
            prop_assert_eq!(HoldKey::of(&hold.key()), Some(hold));
            let later = noon() + FURTHEST + SKEW + TimeDelta::seconds(1);
            let held = [noon(), later].map(|now| hold.standing(now) == Standing::Counts);
            prop_assert_ne!(held, [true, true]);
        }
    }
}
