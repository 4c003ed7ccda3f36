//! Backups without archives: a chain of detections, each with the truth of its moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use respaldo_detectors::{DetectorOptions, by_name};
use respaldo_domain::changes::{Reason, Verdict};
use respaldo_domain::readings::{Evidence, Readings, TableReading};
use respaldo_domain::source::SourceFacts;
use respaldo_domain::table::{Oid, TableFacts, quote_identifier};
use respaldo_engine::ports::{
    BaseReading, ChangeDetector, Context, Detection, DetectionRequest, Fault, Interrupt,
    LineageStatus, Quiet, SourceTarget,
};
use respaldo_postgres::{ConnInfo, Fence, PgError, Session, SessionOptions, Snapshot, server};
use respaldo_tests::{Client, Cluster, ClusterBuilder};
use serde_json::Value;

/// A source and the detector that watches it.
pub struct Bench {
    pub detector: Arc<dyn ChangeDetector>,
    info: ConnInfo,
    truth_info: ConnInfo,
    /// What earlier attempts of each run are told to have waited.
    pub spent: Duration,
}

/// What a restore of a backup would bring, and how that was found.
pub struct Backup {
    pub detection: Detection,
    pub facts: Vec<Arc<TableFacts>>,
    /// Time that the detector took after the snapshot.
    pub took: Duration,
    source: SourceFacts,
    readings: Readings,
    learnt: BTreeMap<String, Value>,
    data: BTreeMap<Oid, Vec<String>>,
}

/// A server whose counters may prove something: 15 or later, whatever else is tested.
pub fn counting_cluster() -> Cluster {
    Cluster::builder().at_least(15).start()
}

/// A server with a log that can be decoded, which ends slots that hold too much.
pub fn decoding() -> ClusterBuilder {
    Cluster::builder()
        .conf("wal_level", "logical")
        .conf("max_slot_wal_keep_size", "1GB")
}

/// Lets `dueno` use slots.
pub fn let_decode(cluster: &Cluster) {
    cluster.psql("postgres", "ALTER ROLE dueno REPLICATION");
}

/// Lets `dueno` see all sessions and all rows; before 14 only a superuser does.
pub fn let_see_everything(cluster: &Cluster) {
    let sql = if cluster.major() < 14 {
        "ALTER ROLE dueno SUPERUSER"
    } else {
        "GRANT pg_read_all_stats, pg_read_all_data TO dueno"
    };
    cluster.psql("postgres", sql);
}

/// Runs statements in a session of their own and waits until the server has seen its end: nothing
/// less tells that its counts are reported, and a reading meant to hold them would come too early.
pub fn write_and_report(url: &str, sql: &str) {
    let mut client = Client::connect(url);
    client.exec(sql);
    client.leave();
}

/// Options under which counters decide wherever they can, for tables of any size.
pub fn counters_only() -> DetectorOptions {
    DetectorOptions {
        floor_bytes: 0,
        spot_check_bytes: 0,
        spot_check_fraction: 0.0,
        scan_bytes_per_s: 1,
        ..DetectorOptions::default()
    }
}

/// Options under which the spot check reaches everything the counters cleared.
pub fn counters_and_spot_check() -> DetectorOptions {
    DetectorOptions {
        spot_check_bytes: 1,
        ..counters_only()
    }
}

impl Bench {
    /// The database at `url`, as the role named there; the truth is read as at `truth_url`.
    pub fn new(name: &str, options: &DetectorOptions, url: &str, truth_url: &str) -> Self {
        Self {
            detector: by_name(name, options).unwrap(),
            info: ConnInfo::parse(url).unwrap(),
            truth_info: ConnInfo::parse(truth_url).unwrap(),
            spent: Duration::ZERO,
        }
    }

    /// What ports are given.
    pub fn target(&self) -> SourceTarget {
        let mut session = Session::connect(&self.info, &SessionOptions::default()).unwrap();
        let facts = server::source_facts(&mut session).unwrap();
        SourceTarget {
            conninfo: self.info.clone(),
            facts,
        }
    }

    /// A full.
    pub fn full(&self) -> Backup {
        self.backup(None, None, || {})
    }

    /// A backup upon `base`.
    pub fn upon(&self, base: &Backup) -> Backup {
        self.backup(Some(base), None, || {})
    }

    /// A backup upon `base`, which is older than `newest`.
    pub fn upon_knowing(&self, base: Backup, newest: &Backup) -> Backup {
        let learnt = newest.readings.figures.clone();
        self.upon(&Backup { learnt, ..base })
    }

    /// A backup upon `base` after a restart, with or without a witness of the lineage.
    pub fn upon_with(&self, base: &Backup, lineage: LineageStatus) -> Backup {
        self.backup(Some(base), Some(lineage), || {})
    }

    /// A backup upon `base`, with something happening right after the snapshot.
    pub fn upon_while(&self, base: &Backup, meanwhile: impl FnOnce()) -> Backup {
        self.backup(Some(base), None, meanwhile)
    }

    /// A full that is interrupted.
    pub fn interrupted(&self, interrupt: Interrupt) -> Fault {
        let mut snapshot = Snapshot::open(&self.info, &SessionOptions::default()).unwrap();
        let facts = snapshot.tables().unwrap();
        let request = request(&snapshot, self.target(), facts, None, None);
        let cx = Context::new(interrupt, Arc::new(Quiet));
        self.detector.verdicts(&request, &cx).unwrap_err()
    }

    fn backup(
        &self,
        base: Option<&Backup>,
        lineage: Option<LineageStatus>,
        meanwhile: impl FnOnce(),
    ) -> Backup {
        let then = |_: &mut Snapshot, _: &[Arc<TableFacts>]| {
            meanwhile();
            Ok(())
        };
        self.try_backup(base, lineage, then)
            .unwrap_or_else(|what| panic!("overtaken: {what}"))
    }

    /// A full among others' changes: a snapshot that DDL overtook is taken again.
    pub fn full_retrying(&self) -> Backup {
        self.retrying(None)
            .unwrap_or_else(|| panic!("always overtaken"))
    }

    /// A backup upon `base` among others' changes; `None` when every snapshot was overtaken.
    pub fn upon_retrying(&self, base: &Backup) -> Option<Backup> {
        self.retrying(Some(base))
    }

    fn retrying(&self, base: Option<&Backup>) -> Option<Backup> {
        let fence = |snapshot: &mut Snapshot, facts: &[Arc<TableFacts>]| match snapshot
            .lock_and_fence(facts, facts, Duration::from_secs(5))
        {
            Ok(Fence::Holds) => Ok(()),
            Ok(Fence::Overtaken { what }) => Err(what),
            Err(error) => Err(error.to_string()),
        };
        (0..20).find_map(|_| self.try_backup(base, None, fence).ok())
    }

    /// The error says how DDL overtook the snapshot.
    fn try_backup(
        &self,
        base: Option<&Backup>,
        lineage: Option<LineageStatus>,
        then: impl FnOnce(&mut Snapshot, &[Arc<TableFacts>]) -> Result<(), String>,
    ) -> Result<Backup, String> {
        let target = self.target();
        let source = target.facts.clone();
        let cx = Context::quiet();
        let baseline = self.detector.baseline(&target, &cx).unwrap();
        let mut snapshot = Snapshot::open(&self.info, &SessionOptions::default()).unwrap();
        let facts = snapshot.tables().unwrap();
        then(&mut snapshot, &facts)?;
        let reading = base.map(|base| BaseReading {
            lineage: lineage.unwrap_or_else(|| base.lineage(&source)),
            readings: base.readings.clone(),
            learnt: base.learnt.clone(),
        });
        let mut request = request(&snapshot, target, facts.clone(), baseline, reading);
        request.spent = self.spent;
        let clock = Instant::now();
        let detection = self.detector.verdicts(&request, &cx).unwrap();
        let took = clock.elapsed();
        let truth = truth(&self.truth_info, snapshot.id(), &facts);
        if snapshot.types_moved(&facts).unwrap() {
            return Err("types moved".to_owned());
        }
        let sealed = Backup::seal(self.detector.name(), detection, facts, source, truth, base);
        Ok(Backup { took, ..sealed })
    }
}

fn request(
    snapshot: &Snapshot,
    target: SourceTarget,
    tables: Vec<Arc<TableFacts>>,
    baseline: Option<Evidence>,
    base: Option<BaseReading>,
) -> DetectionRequest {
    DetectionRequest {
        target,
        snapshot: snapshot.id().to_owned(),
        snapshot_at: snapshot.taken_at(),
        tables,
        baseline,
        base: base.map(Arc::new),
        spent: Duration::ZERO,
        large_objects_readable: true,
    }
}

impl Backup {
    fn lineage(&self, now: &SourceFacts) -> LineageStatus {
        if self.source.lineage == now.lineage {
            LineageStatus::Same
        } else {
            LineageStatus::Broken
        }
    }

    /// Keeps what was proven unchanged, "dumps" the rest, and holds the result against the truth.
    fn seal(
        detector: &str,
        detection: Detection,
        facts: Vec<Arc<TableFacts>>,
        source: SourceFacts,
        mut truth: BTreeMap<Oid, Vec<String>>,
        base: Option<&Backup>,
    ) -> Self {
        let mut data = BTreeMap::new();
        let mut tables = BTreeMap::new();
        for facts in facts.iter().filter(|facts| facts.has_data()) {
            let word = detection
                .tables
                .iter()
                .find(|word| word.oid == facts.oid)
                .unwrap();
            let now = truth.remove(&facts.oid).unwrap();
            let restored = match (
                word.verdict,
                base.and_then(|base| base.data.get(&facts.oid)),
            ) {
                (Verdict::Unchanged, Some(kept)) => kept.clone(),
                _ => now.clone(),
            };
            assert!(
                restored == now,
                "{} was kept ({:?}) though it changed",
                facts.name,
                word.reason
            );
            data.insert(facts.oid, restored);
            let evidence = word.evidence.clone();
            tables.insert(
                facts.oid,
                TableReading {
                    facts: facts.clone(),
                    evidence,
                },
            );
        }
        let readings = Readings {
            detector: detector.to_owned(),
            tables,
            large_objects: detection.large_objects.evidence.clone(),
            figures: detection.figures.clone(),
        };
        Self {
            detection,
            facts,
            source,
            readings,
            learnt: BTreeMap::new(),
            took: Duration::ZERO,
            data,
        }
    }

    /// The word on `schema.name`.
    pub fn word(&self, name: &str) -> (Verdict, Reason) {
        let (schema, name) = name.split_once('.').unwrap_or(("public", name));
        let is_it = |f: &&Arc<TableFacts>| f.name.schema == schema && f.name.name == name;
        let facts = self.facts.iter().find(is_it);
        let facts = facts.unwrap_or_else(|| panic!("no table {schema}.{name}"));
        let word = self
            .detection
            .tables
            .iter()
            .find(|word| word.oid == facts.oid);
        let word = word.unwrap_or_else(|| panic!("no word on {schema}.{name}"));
        (word.verdict, word.reason.clone())
    }

    /// Why `schema.name` was dumped or kept.
    pub fn reason(&self, name: &str) -> Reason {
        self.word(name).1
    }

    /// Whether `schema.name` was kept.
    pub fn keeps(&self, name: &str) -> bool {
        self.word(name).0 == Verdict::Unchanged
    }

    /// How many tables were kept.
    pub fn kept(&self) -> usize {
        self.detection
            .tables
            .iter()
            .filter(|word| word.verdict == Verdict::Unchanged)
            .count()
    }

    /// A figure, as text.
    pub fn figure(&self, name: &str) -> String {
        self.detection
            .figures
            .get(name)
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// Number of words with a reason.
    pub fn count(&self, reason: &Reason) -> usize {
        self.detection
            .tables
            .iter()
            .filter(|word| word.reason == *reason)
            .count()
    }
}

/// Columns and sorted COPY lines of every table with rows.
fn truth(info: &ConnInfo, snapshot: &str, facts: &[Arc<TableFacts>]) -> BTreeMap<Oid, Vec<String>> {
    let mut session = Session::connect(info, &SessionOptions::default()).unwrap();
    session
        .batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .unwrap();
    session
        .batch(&format!("SET TRANSACTION SNAPSHOT '{snapshot}'"))
        .unwrap();
    let with_rows = facts.iter().filter(|facts| facts.has_data());
    with_rows
        .map(|facts| (facts.oid, rows(&mut session, facts)))
        .collect()
}

fn rows(session: &mut Session, facts: &TableFacts) -> Vec<String> {
    let columns: Vec<_> = facts
        .columns
        .iter()
        .map(|c| quote_identifier(&c.name))
        .collect();
    let (schema, name) = (
        quote_identifier(&facts.name.schema),
        quote_identifier(&facts.name.name),
    );
    let columns = columns.join(", ");
    let list = if columns.is_empty() {
        String::new()
    } else {
        format!("({columns})")
    };
    let mut text = Vec::new();
    let copy = format!("COPY {schema}.{name} {list} TO STDOUT");
    session
        .copy_out(&copy, |bytes| {
            text.extend_from_slice(bytes);
            Ok::<_, PgError>(())
        })
        .unwrap();
    let text = String::from_utf8(text).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines.insert(0, columns);
    lines
}
