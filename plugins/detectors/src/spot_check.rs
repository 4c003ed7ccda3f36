//! Which tables, cleared by counters alone, are scanned all the same. Pure.
//!
//! A superuser may switch counting off for a session and leave no trace, and some background
//! workers never report. So in each backup the tables unverified for longest are scanned, as far
//! as the budget reaches. What it leaves over is credit for the next backup, so that the turn of a
//! table larger than one budget comes too.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::table::Oid;

/// A table the counters cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cleared {
    pub key: Oid,
    pub bytes: u64,
    /// When its rows were last looked at.
    pub verified_at: Option<DateTime<FixedOffset>>,
}

/// What to scan, and the bytes left over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpotCheckPlan {
    pub picked: Vec<Oid>,
    pub credit_bytes: u64,
}

/// Picks the longest unverified, in turn, within `budget_bytes`.
pub(crate) fn plan(mut cleared: Vec<Cleared>, budget_bytes: u64) -> SpotCheckPlan {
    cleared.sort_by_key(|table| (table.verified_at, table.key));
    let mut left = budget_bytes;
    let mut picked = Vec::new();
    for table in &cleared {
        if budget_bytes == 0 || table.bytes > left {
            break;
        }
        left -= table.bytes;
        picked.push(table.key);
    }
    let all_picked = picked.len() == cleared.len();
    SpotCheckPlan {
        picked,
        credit_bytes: if all_picked { 0 } else { left },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(key: u32, bytes: u64, day: i64) -> Cleared {
        let verified_at = DateTime::from_timestamp(day * 86_400, 0).map(|at| at.fixed_offset());
        Cleared {
            key: Oid(key),
            bytes,
            verified_at,
        }
    }

    #[test]
    fn the_longest_unverified_come_first() {
        let tables = vec![table(1, 10, 3), table(2, 10, 1), table(3, 10, 2)];
        let plan = plan(tables, 25);
        assert_eq!((plan.picked, plan.credit_bytes), (vec![Oid(2), Oid(3)], 5));
    }

    #[test]
    fn a_table_larger_than_the_budget_has_its_turn_by_credit() {
        let tables = || vec![table(1, 100, 1), table(2, 10, 2)];
        let first = plan(tables(), 60);
        assert_eq!((first.picked, first.credit_bytes), (vec![], 60));
        let second = plan(tables(), 60 + first.credit_bytes);
        assert_eq!(
            (second.picked, second.credit_bytes),
            (vec![Oid(1), Oid(2)], 0)
        );
    }

    #[test]
    fn without_a_budget_nothing_is_checked() {
        assert_eq!(plan(vec![table(1, 0, 1)], 0).picked, []);
    }
}
