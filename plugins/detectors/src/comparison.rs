//! A comparison from its request to its detection: the steps that every detector shares.

use std::collections::{BTreeMap, HashMap};

use respaldo_domain::changes::TableVerdict;
use respaldo_domain::table::{Fragility, Oid, Readability, TableFacts};
use respaldo_engine::ports::{Context, Detection, DetectionRequest, Fault, LargeObjectVerdict};
use respaldo_postgres::{PgError, PgErrorKind, Session, field, sql};
use serde_json::Value;

use crate::counters::Baseline;
use crate::evidence::{decode, encode};
use crate::large_objects::LargeObjects;
use crate::options::DetectorOptions;
use crate::scan::{self, LARGE_OBJECTS};
use crate::sessions;
use crate::signals::{Basis, judge};
use crate::subject::{Scannable, State, Subject};

/// A running comparison.
pub(crate) struct Comparison<'r> {
    pub request: &'r DetectionRequest,
    pub options: &'r DetectorOptions,
    pub subjects: Vec<Subject>,
    pub alarms: Vec<String>,
    /// Why the detector has to do without what it is configured to use.
    pub limited: Vec<String>,
    /// What could not be looked at, and why.
    unexamined: Vec<String>,
    basis: Basis,
    baseline: Baseline,
    large_objects: LargeObjects,
    figures: BTreeMap<String, Value>,
    scanned: Figure,
}

/// Tables and bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Figure {
    tables: u64,
    bytes: u64,
}

impl<'r> Comparison<'r> {
    /// Judges every table by what the catalog says; rows have not been looked at yet.
    pub fn begin(
        detector: &str,
        basis: Basis,
        request: &'r DetectionRequest,
        options: &'r DetectorOptions,
    ) -> Result<Self, Fault> {
        let mut monitor = sessions::monitor(&request.target, options)?;
        let sizes = sizes(&mut monitor)?;
        let mut in_snapshot = sessions::in_snapshot(request, options)?;
        let large_objects = LargeObjects::read(&mut in_snapshot, basis)?;
        let with_rows = request.tables.iter().filter(|facts| facts.has_data());
        let mut subjects: Vec<_> = with_rows
            .map(|facts| {
                let signal = judge(facts, request.base.as_deref(), detector, basis);
                of_table(facts, size(facts, &sizes), signal.into(), basis)
            })
            .collect();
        let content = large_objects.judge(request, detector, basis).into();
        subjects.push(of_large_objects(
            &mut in_snapshot,
            content,
            large_objects.count,
            &sizes,
        )?);
        Ok(Self {
            request,
            options,
            subjects,
            alarms: Vec::new(),
            limited: Vec::new(),
            unexamined: Vec::new(),
            basis,
            baseline: decode(request.baseline.as_ref()).unwrap_or_default(),
            large_objects,
            figures: BTreeMap::new(),
            scanned: Figure::default(),
        })
    }

    /// What was read before the snapshot.
    pub fn baseline(&self) -> &Baseline {
        &self.baseline
    }

    /// A figure for people, and for the next run.
    pub fn note(&mut self, name: &str, value: impl Into<Value>) {
        self.figures.insert(name.to_owned(), value.into());
    }

    /// Bytes of the subjects that `which` picks.
    pub fn bytes(&self, which: impl Fn(&Subject) -> bool) -> u64 {
        self.subjects
            .iter()
            .filter(|subject| which(subject))
            .map(|subject| subject.bytes)
            .sum()
    }

    /// Scans the subjects that `which` picks, those settled as well: their prints are the
    /// evidence for next time.
    pub fn scan(&mut self, which: impl Fn(&Subject) -> bool, cx: &Context) -> Result<(), Fault> {
        let jobs: Vec<_> = self
            .subjects
            .iter()
            .filter(|s| which(s))
            .filter_map(Subject::job)
            .collect();
        let wanted: HashMap<Oid, u64> = jobs.iter().map(|job| (job.key, job.bytes)).collect();
        let mut outcome = scan::run(self.request, self.basis, self.options, jobs, cx)?;
        for subject in self
            .subjects
            .iter_mut()
            .filter(|s| wanted.contains_key(&s.key))
        {
            subject.print = outcome.prints.remove(&subject.key);
            subject.failed = subject.print.is_none();
        }
        self.scanned.tables += wanted.len() as u64;
        self.scanned.bytes += wanted.values().sum::<u64>();
        self.report(&outcome.failures);
        Ok(())
    }

    /// Scans whatever no print is known of and nothing cleared.
    pub fn scan_the_rest(&mut self, cx: &Context) -> Result<(), Fault> {
        self.scan(|subject| !matches!(subject.state, State::Cleared(..)), cx)
    }

    fn report(&mut self, failures: &[(Oid, String)]) {
        for (key, why) in failures {
            let name = self
                .subjects
                .iter()
                .find(|subject| subject.key == *key)
                .map_or_else(|| key.to_string(), Subject::label);
            self.unexamined.push(format!("{name}: {why}"));
        }
    }

    /// The words on all subjects, with the evidence for next time.
    pub fn conclude(mut self) -> Detection {
        self.note("scanned_tables", self.scanned.tables);
        self.note("scanned_bytes", self.scanned.bytes);
        let tables = self
            .subjects
            .iter()
            .filter(|subject| subject.table.is_some());
        let tables = tables.map(|subject| self.verdict(subject)).collect();
        let large_objects = self.large_object_verdict();
        Detection {
            tables,
            large_objects,
            alarms: self.alarms,
            limited: self.limited,
            unexamined: self.unexamined,
            figures: self.figures,
        }
    }

    fn verdict(&self, subject: &Subject) -> TableVerdict {
        let (verdict, reason) = subject.verdict(self.basis);
        let evidence = subject.evidence(&self.baseline, self.request.snapshot_at);
        TableVerdict {
            oid: subject.key,
            verdict,
            reason,
            evidence: encode(&evidence),
        }
    }

    fn large_object_verdict(&self) -> LargeObjectVerdict {
        use respaldo_domain::changes::{Reason, Verdict};
        let subject = self.subjects.iter().find(|subject| subject.table.is_none());
        match subject {
            Some(subject) => self.large_objects.conclude(
                subject.verdict(self.basis),
                subject.evidence(&self.baseline, self.request.snapshot_at),
            ),
            None => LargeObjectVerdict {
                verdict: Verdict::Unknown,
                reason: Reason::NotExamined,
                count: None,
                evidence: None,
            },
        }
    }
}

impl Subject {
    /// Its name for people.
    pub fn label(&self) -> String {
        self.table
            .as_ref()
            .map_or_else(|| "large objects".to_owned(), ToString::to_string)
    }
}

fn of_table(facts: &TableFacts, bytes: u64, state: State, basis: Basis) -> Subject {
    // Transaction ids say nothing of what no transaction of the table's own writes.
    let meaningless = match facts.fragility {
        Some(Fragility::NamesOtherObjects | Fragility::ForeignAccessMethod) => basis == Basis::Xmin,
        None => false,
    };
    let scannable = if facts.readable == Readability::All && !meaningless {
        Scannable::Yes
    } else {
        Scannable::No
    };
    Subject {
        key: facts.oid,
        table: Some(facts.name.clone()),
        columns: facts.columns.iter().map(|c| c.name.clone()).collect(),
        relfilenode: facts.relfilenode,
        bytes,
        state,
        scannable,
        print: None,
        failed: false,
        mark: None,
    }
}

/// Their pages are in a catalog that few roles may read; without, only counters can clear them.
fn of_large_objects(
    session: &mut Session,
    state: State,
    count: u64,
    sizes: &HashMap<Oid, u64>,
) -> Result<Subject, PgError> {
    let may_read: bool = session.value(sql("SELECT pg_catalog.has_table_privilege(\
         'pg_catalog.pg_largeobject'::pg_catalog.regclass, 'SELECT'::text)"))?;
    Ok(Subject {
        key: LARGE_OBJECTS,
        table: None,
        columns: Vec::new(),
        relfilenode: 0,
        bytes: if count == 0 {
            0
        } else {
            sizes.get(&LARGE_OBJECTS).copied().unwrap_or(0)
        },
        state,
        scannable: if may_read {
            Scannable::Yes
        } else {
            Scannable::No
        },
        print: None,
        failed: false,
        mark: None,
    })
}

const PAGE_BYTES: u64 = 8192;

fn size(facts: &TableFacts, sizes: &HashMap<Oid, u64>) -> u64 {
    let hint = u64::from(facts.pages_hint) * PAGE_BYTES;
    sizes.get(&facts.oid).copied().unwrap_or(hint)
}

/// Bytes of each table's main file. Looking takes a lock: where somebody waits for one that we
/// hold, the catalog's own count of pages must do.
fn sizes(session: &mut Session) -> Result<HashMap<Oid, u64>, PgError> {
    let question = sql("SELECT c.oid::int8 AS oid, \
         COALESCE(pg_catalog.pg_relation_size(c.oid), 0) AS bytes \
         FROM pg_catalog.pg_class AS c \
         WHERE c.relkind = 'r' AND (c.oid >= 16384 OR c.oid = 2613) \
         AND c.relpersistence <> 't'");
    let sizes = session.each_row(question, |row| {
        let (oid, bytes): (i64, i64) = (field(row, "oid")?, field(row, "bytes")?);
        Ok((Oid(oid as u32), bytes as u64))
    });
    match sizes {
        Ok(sizes) => Ok(sizes.into_iter().collect()),
        Err(error) if error.kind == PgErrorKind::LockTimeout => Ok(HashMap::new()),
        Err(error) => Err(error),
    }
}
