//! From the lines of the log to the tables that changed. Pure; holds one transaction's table
//! names at a time, and the names of what changed.

use std::collections::HashSet;

use respaldo_domain::table::TableName;

use super::line::{self, Line};
use super::seen::Seen;
use crate::slots::Lsn;

/// What a log says, row by row.
#[derive(Debug)]
pub(super) struct Fold<'s> {
    /// The snapshot of this backup.
    now: &'s Seen,
    /// The base's; without one only the position is of interest.
    then: Option<&'s Seen>,
    open: Option<Open>,
    changed: HashSet<String>,
    /// End of the last commit before the first that this backup does not see.
    position: Lsn,
    sees_all: bool,
    pub transactions: u64,
    pub changes: u64,
}

/// A transaction whose lines are being read.
#[derive(Debug)]
struct Open {
    xid: u32,
    names: HashSet<String>,
}

/// What a whole log said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Tables with changes that this backup sees and the base does not.
    pub changed: HashSet<TableName>,
    /// This backup sees every transaction that committed before this position.
    pub position: Lsn,
    pub transactions: u64,
    pub changes: u64,
}

impl<'s> Fold<'s> {
    /// A log that begins at `from`.
    pub fn new(now: &'s Seen, then: Option<&'s Seen>, from: Lsn) -> Self {
        Self {
            now,
            then,
            open: None,
            changed: HashSet::new(),
            position: from,
            sees_all: true,
            transactions: 0,
            changes: 0,
        }
    }

    /// Takes the next row; `None` when it is not understood, and then nothing is known.
    pub fn take(&mut self, lsn: Lsn, xid: u32, text: &str) -> Option<()> {
        match line::read(text)? {
            Line::Begin(begun) if self.open.is_none() && begun == xid => {
                let names = HashSet::new();
                self.open = Some(Open { xid, names });
            }
            Line::Change(names) => {
                let open = self.open.as_mut().filter(|open| open.xid == xid)?;
                self.changes += 1;
                for name in names {
                    if !open.names.contains(name) {
                        open.names.insert(name.to_owned());
                    }
                }
            }
            Line::Commit(ended) => {
                let open = self.open.take().filter(|o| o.xid == xid && ended == xid)?;
                self.commit(lsn, open);
            }
            Line::Message => {}
            Line::Begin(_) => return None,
        }
        Some(())
    }

    /// Never by position: a commit is written before it can be seen, and how long before depends.
    fn commit(&mut self, end: Lsn, open: Open) {
        self.transactions += 1;
        let xid = self.now.widen(open.xid);
        let seen = self.now.ended(xid);
        self.sees_all &= seen;
        if self.sees_all {
            self.position = self.position.max(end);
        }
        if seen && self.then.is_some_and(|then| !then.ended(xid)) {
            self.changed.extend(open.names);
        }
    }

    /// What it said, when it was read to `end`; `None` when it breaks off within a transaction.
    pub fn finish(self, end: Lsn) -> Option<Told> {
        if self.open.is_some() {
            return None;
        }
        let tables = self.changed.iter().map(|name| line::table(name));
        Some(Told {
            changed: tables.collect::<Option<_>>()?,
            position: if self.sees_all {
                self.position.max(end)
            } else {
                self.position
            },
            transactions: self.transactions,
            changes: self.changes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Seen {
        Seen::parse(text).unwrap()
    }

    fn told(now: &str, then: Option<&str>, rows: &[(u64, u32, &str)]) -> Option<Told> {
        let (now, then) = (seen(now), then.map(seen));
        let mut fold = Fold::new(&now, then.as_ref(), Lsn(100));
        for (lsn, xid, text) in rows {
            fold.take(Lsn(*lsn), *xid, text)?;
        }
        fold.finish(Lsn(900))
    }

    const INSERT: &str = "table s.a: INSERT: n[integer]:1";

    fn names(told: &Told) -> Vec<String> {
        let mut names: Vec<_> = told.changed.iter().map(ToString::to_string).collect();
        names.sort();
        names
    }

    #[test]
    fn visibility_decides_and_never_the_position() {
        let rows = [
            (110, 5, "BEGIN 5"),
            (120, 5, INSERT),
            (130, 5, "COMMIT 5"),
            (140, 7, "BEGIN 7"),
            (150, 7, "table s.b, s.c: TRUNCATE: (no-flags)"),
            (160, 7, "COMMIT 7"),
            (170, 6, "BEGIN 6"),
            (180, 6, "table s.d: DELETE: (no-tuple-data)"),
            (190, 6, "COMMIT 6"),
        ];
        // 5 was seen by the base, 6 ran through both snapshots, 7 lies in between.
        let told = told("6:9:6", Some("6:7:6"), &rows).unwrap();
        assert_eq!(names(&told), ["s.b", "s.c"]);
        assert_eq!((told.position, told.transactions), (Lsn(160), 3));
    }

    #[test]
    fn where_all_is_seen_the_position_is_the_end() {
        let rows = [(110, 5, "BEGIN 5"), (120, 5, INSERT), (130, 5, "COMMIT 5")];
        let all = told("9:9:", Some("5:5:"), &rows).unwrap();
        assert_eq!(
            (names(&all), all.position),
            (vec!["s.a".to_owned()], Lsn(900))
        );
        let none = told("5:5:", None, &rows).unwrap();
        assert_eq!((names(&none), none.position), (vec![], Lsn(100)));
    }

    #[test]
    fn whatever_does_not_fit_makes_all_of_it_worthless() {
        let begin = (110, 5, "BEGIN 5");
        for rows in [
            &[(120, 5, INSERT)][..],
            &[begin],
            &[begin, (120, 5, "table s.a: DANCE: x")],
            &[begin, (120, 6, INSERT)],
            &[begin, (120, 5, "COMMIT 6")],
            &[begin, (120, 6, "COMMIT 6")],
            &[begin, (120, 6, "BEGIN 6")],
            &[(110, 5, "BEGIN 6")],
        ] {
            assert_eq!(told("9:9:", Some("5:5:"), rows), None, "{rows:?}");
        }
        let message = (
            115,
            0,
            "message: transactional: 0 prefix: x, sz: 1 content:y",
        );
        assert!(told("9:9:", None, &[message]).is_some());
    }
}
