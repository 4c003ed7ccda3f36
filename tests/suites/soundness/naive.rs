//! The detector that the stress is to fool: counters by name, one reading per backup.

use std::collections::HashMap;

use respaldo_tests::Client;

use crate::truth::{Content, Truth};

/// Its own chain: what it last read, and what a restore of it would bring.
#[derive(Debug, Default)]
pub struct Naive {
    sums: HashMap<String, i64>,
    kept: Truth,
    missed: usize,
}

impl Naive {
    /// Makes "its backup": dumps what is counted otherwise than last time, or all.
    pub fn backup(&mut self, truth: &Truth, sums: HashMap<String, i64>, full: bool) {
        let mut kept = Truth::new();
        for (name, content) in truth {
            let same = !full && sums.contains_key(name) && sums.get(name) == self.sums.get(name);
            let restored = self
                .kept
                .get(name)
                .filter(|_| same)
                .unwrap_or(content)
                .clone();
            self.missed += usize::from(differs(&restored, content));
            kept.insert(name.clone(), restored);
        }
        (self.sums, self.kept) = (sums, kept);
    }

    /// Tables that it would have restored wrongly so far.
    pub fn missed(&self) -> usize {
        self.missed
    }
}

fn differs(restored: &Content, content: &Content) -> bool {
    (restored.print, &restored.columns) != (content.print, &content.columns)
}

/// Inserted, updated and deleted rows of each table.
pub fn sums(client: &mut Client) -> HashMap<String, i64> {
    let rows = client.rows(
        "SELECT 's.' || relname, (n_tup_ins + n_tup_upd + n_tup_del)::text
           FROM pg_stat_user_tables WHERE schemaname = 's'",
    );
    let pair = |row: Vec<Option<String>>| {
        let [name, sum] = <[_; 2]>::try_from(row).unwrap().map(Option::unwrap);
        (name, sum.parse().unwrap())
    };
    rows.into_iter().map(pair).collect()
}
