//! One table, or all large objects, on its way from the base's evidence to a verdict. Pure.

use chrono::{DateTime, FixedOffset};
use respaldo_domain::changes::{Reason, Verdict};
use respaldo_domain::table::{Oid, TableName};

use crate::counters::Baseline;
use crate::evidence::{Evidence, LogMark, Print};
use crate::large_objects::{differs, equal};
use crate::scan::Job;
use crate::signals::{Basis, Signal};

/// What is known so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Settled without looking at the rows.
    Settled(Verdict, Reason),
    /// The rows decide, against the base's evidence.
    Candidate(Evidence),
    /// For this reason nothing was written since the base's evidence.
    Cleared(Evidence, Reason),
}

/// Whether a scan of it is of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scannable {
    Yes,
    /// The role cannot, or no print would prove anything.
    No,
}

/// A table or the large objects.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub key: Oid,
    /// `None`: the large objects.
    pub table: Option<TableName>,
    /// Columns that a dump of the table holds.
    pub columns: Vec<String>,
    pub relfilenode: u32,
    pub bytes: u64,
    pub state: State,
    pub scannable: Scannable,
    /// Its print under the snapshot, once scanned.
    pub print: Option<Print>,
    /// A scan was tried and failed.
    pub failed: bool,
    /// What ties it to the decoded log.
    pub mark: Option<LogMark>,
}

impl From<Signal> for State {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Dump(verdict, reason) => Self::Settled(verdict, reason),
            Signal::Compare(evidence) => Self::Candidate(evidence),
        }
    }
}

impl Subject {
    pub fn is_candidate(&self) -> bool {
        matches!(self.state, State::Candidate(_))
    }

    /// A scan, where one is still possible and of use.
    pub fn job(&self) -> Option<Job> {
        let wanted = self.scannable == Scannable::Yes && self.print.is_none() && !self.failed;
        wanted.then(|| Job {
            key: self.key,
            table: self.table.clone(),
            columns: self.columns.clone(),
            bytes: self.bytes,
        })
    }

    /// It was proven unchanged, for this reason, without a look at its rows.
    pub fn clear(&mut self, reason: Reason) {
        if let State::Candidate(evidence) = &mut self.state {
            self.state = State::Cleared(std::mem::take(evidence), reason);
        }
    }

    /// The counters are not believed any more.
    pub fn doubt(&mut self) {
        if let State::Cleared(evidence, _) = &mut self.state {
            self.state = State::Candidate(std::mem::take(evidence));
        }
    }

    /// A scan contradicts what cleared it.
    pub fn is_refuted(&self) -> bool {
        match (&self.state, &self.print) {
            (State::Cleared(then, _), Some(now)) => {
                then.print.as_ref().is_some_and(|then| then != now)
            }
            _ => false,
        }
    }

    /// The word on it.
    pub fn verdict(&self, basis: Basis) -> (Verdict, Reason) {
        match (&self.state, &self.print) {
            (State::Settled(verdict, reason), _) => (*verdict, reason.clone()),
            (State::Cleared(..), _) if self.is_refuted() => {
                (Verdict::Changed, Reason::SpotCheckFailed)
            }
            (State::Cleared(then, _), Some(_)) if then.print.is_some() => {
                (Verdict::Unchanged, equal(basis))
            }
            (State::Cleared(_, reason), _) => (Verdict::Unchanged, reason.clone()),
            (State::Candidate(_), None) => (Verdict::Unknown, Reason::NotExamined),
            (State::Candidate(then), Some(now)) => match &then.print {
                Some(then) if then == now => (Verdict::Unchanged, equal(basis)),
                Some(_) => (Verdict::Changed, differs(basis)),
                None => (Verdict::Unknown, Reason::NoReading),
            },
        }
    }

    /// What the next comparison needs. Where it was cleared without a scan, the base's evidence
    /// stays, whose print is that of today's rows; in all other cases its data is dumped or was
    /// proven equal under this snapshot, so the reading before this snapshot is the new baseline.
    pub fn evidence(&self, baseline: &Baseline, snapshot_at: DateTime<FixedOffset>) -> Evidence {
        if let (State::Cleared(then, _), None) = (&self.state, &self.print) {
            let mark = self.mark.clone();
            return Evidence {
                mark,
                ..then.clone()
            };
        }
        let reading = baseline.reading.as_ref();
        Evidence {
            counters: reading.and_then(|reading| reading.evidence(self.key, self.relfilenode)),
            print: self.print.clone(),
            verified_at: self.print.as_ref().map(|_| snapshot_at),
            // Without a print the backup may not hold its rows.
            mark: self.mark.clone().filter(|_| self.print.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(sum: &str) -> Print {
        Print {
            rows: 1,
            sum: sum.to_owned(),
        }
    }

    fn subject(then: Option<Print>, now: Option<Print>) -> Subject {
        Subject {
            key: Oid(1),
            table: None,
            columns: Vec::new(),
            relfilenode: 1,
            bytes: 1,
            state: State::Candidate(Evidence {
                print: then,
                ..Evidence::default()
            }),
            scannable: Scannable::Yes,
            print: now,
            failed: false,
            mark: None,
        }
    }

    fn word(subject: &Subject) -> (Verdict, Reason) {
        subject.verdict(Basis::Xmin)
    }

    #[test]
    fn equal_prints_clear_and_all_else_is_dumped() {
        let unknown = |reason| (Verdict::Unknown, reason);
        assert_eq!(
            word(&subject(Some(print("1")), Some(print("1")))),
            (Verdict::Unchanged, Reason::XminEqual)
        );
        assert_eq!(
            word(&subject(Some(print("1")), Some(print("2")))),
            (Verdict::Changed, Reason::XminDiffers)
        );
        assert_eq!(
            word(&subject(None, Some(print("2")))),
            unknown(Reason::NoReading)
        );
        assert_eq!(
            word(&subject(Some(print("1")), None)),
            unknown(Reason::NotExamined)
        );
    }

    #[test]
    fn a_scan_refutes_the_counters_and_never_the_other_way_round() {
        let mut cleared = subject(Some(print("1")), None);
        cleared.clear(Reason::CountersEqual);
        assert_eq!(word(&cleared), (Verdict::Unchanged, Reason::CountersEqual));
        cleared.print = Some(print("1"));
        assert_eq!(word(&cleared), (Verdict::Unchanged, Reason::XminEqual));
        cleared.print = Some(print("2"));
        assert!(cleared.is_refuted());
        assert_eq!(word(&cleared), (Verdict::Changed, Reason::SpotCheckFailed));
        cleared.doubt();
        assert_eq!(word(&cleared), (Verdict::Changed, Reason::XminDiffers));
    }

    #[test]
    fn the_bases_evidence_stays_only_where_counters_alone_cleared() {
        let now = DateTime::UNIX_EPOCH.fixed_offset();
        let mut cleared = subject(Some(print("1")), None);
        cleared.clear(Reason::CountersEqual);
        assert_eq!(
            cleared.evidence(&Baseline::default(), now).print,
            Some(print("1"))
        );
        assert_eq!(
            cleared.evidence(&Baseline::default(), now).verified_at,
            None
        );
        cleared.print = Some(print("1"));
        assert_eq!(
            cleared.evidence(&Baseline::default(), now).verified_at,
            Some(now)
        );
        let failed = subject(Some(print("1")), None);
        assert_eq!(
            failed.evidence(&Baseline::default(), now),
            Evidence::default()
        );
    }
}
