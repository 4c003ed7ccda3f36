//! A plugin that says which tables did not change.
//!
//! It fails towards dumping, whatever the plugin says: a word on a table that was not asked for is
//! passed over, a second word on one makes it unknown, and without a base nothing is unchanged.

use std::collections::{BTreeMap, BTreeSet};

use respaldo_domain::changes::{Reason, TableVerdict, Verdict};
use respaldo_domain::readings::Evidence;
use respaldo_domain::table::Oid;
use respaldo_engine::ports::{
    BaseReading, ChangeDetector, Context, Detection, DetectionRequest, Fault, FaultKind,
    LargeObjectVerdict, LineageStatus, SourceTarget,
};
use respaldo_postgres::LazyTools;
use respaldo_sdk::records::{self, Summary, Word};
use serde::Deserialize;
use serde_json::Value;

use super::{broke, documents, json, records as convert};
use crate::plugin::Plugin;
use crate::request::Request;

/// A plugin that says which tables did not change.
pub struct PluginDetector {
    plugin: Plugin,
    tools: LazyTools,
}

/// What `verdicts` tells.
#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Verdict(records::TableVerdict),
    Summary(Summary),
}

impl PluginDetector {
    /// The detector of a plugin, with the tools that it may use.
    pub fn new(plugin: Plugin, tools: LazyTools) -> Self {
        Self { plugin, tools }
    }

    fn request(&self, request: &DetectionRequest) -> Result<Request, Fault> {
        let baseline = request.baseline.as_ref().map(Evidence::read).transpose();
        let base = request.base.as_deref().map(|base| self.base(base));
        let tables = request.tables.iter().filter(|facts| facts.has_data());
        let request = records::DetectionRequest {
            target: convert::target(&request.target, &self.tools)?,
            snapshot: request.snapshot.clone(),
            snapshot_at: request.snapshot_at.to_rfc3339(),
            tables: tables.map(|facts| convert::table(facts)).collect(),
            baseline: baseline.map_err(unreadable)?,
            base: base.transpose().map_err(unreadable)?,
        };
        Ok(Request::Verdicts {
            request: json(&request)?,
        })
    }

    fn base(&self, base: &BaseReading) -> Result<records::Base, serde_json::Error> {
        let own = base.readings.detector == self.name();
        let value = |evidence: &Option<Evidence>| match evidence {
            Some(evidence) if own => evidence.read::<Value>().map(Some),
            _ => Ok(None),
        };
        let tables = base.readings.tables.iter().map(|(oid, reading)| {
            let table = records::BaseTable {
                table: convert::table(&reading.facts),
                evidence: value(&reading.evidence)?,
            };
            Ok((oid.0, table))
        });
        Ok(records::Base {
            lineage: match base.lineage {
                LineageStatus::Same => records::Lineage::Same,
                LineageStatus::Witnessed => records::Lineage::Witnessed,
                LineageStatus::Broken => records::Lineage::Broken,
            },
            tables: tables.collect::<Result<_, serde_json::Error>>()?,
            large_objects: value(&base.readings.large_objects)?,
        })
    }
}

impl ChangeDetector for PluginDetector {
    fn name(&self) -> &str {
        self.plugin.id()
    }

    fn baseline(&self, target: &SourceTarget, cx: &Context) -> Result<Option<Evidence>, Fault> {
        let target = convert::target(target, &self.tools)?;
        let request = Request::Baseline {
            request: json(&target)?,
        };
        let mut told: Vec<Value> = documents(&self.plugin, &request, cx)?;
        match (told.pop(), told.is_empty()) {
            (None, _) => Ok(None),
            (Some(value), true) => evidence(&self.plugin, &request, &value).map(Some),
            (Some(_), false) => Err(broke(&self.plugin, &request, "it told two baselines")),
        }
    }

    fn verdicts(&self, request: &DetectionRequest, cx: &Context) -> Result<Detection, Fault> {
        let call = self.request(request)?;
        let told: Vec<Told> = documents(&self.plugin, &call, cx)?;
        let mut gathered = Gathered::for_request(request);
        for document in told {
            gathered.take(document);
        }
        let summary = gathered
            .summary
            .take()
            .ok_or_else(|| broke(&self.plugin, &call, "it told no summary"))?;
        Ok(gathered.detection(&summary))
    }
}

/// Verdicts as they come.
struct Gathered {
    asked: BTreeSet<Oid>,
    has_base: bool,
    verdicts: BTreeMap<Oid, TableVerdict>,
    summary: Option<Summary>,
}

impl Gathered {
    fn for_request(request: &DetectionRequest) -> Self {
        let with_data = request.tables.iter().filter(|facts| facts.has_data());
        Self {
            asked: with_data.map(|facts| facts.oid).collect(),
            has_base: request.base.is_some(),
            verdicts: BTreeMap::new(),
            summary: None,
        }
    }

    fn take(&mut self, told: Told) {
        match told {
            Told::Summary(summary) => self.summary = Some(summary),
            Told::Verdict(told) => {
                let oid = Oid(told.oid);
                if !self.asked.contains(&oid) {
                    return;
                }
                let verdict = TableVerdict {
                    oid,
                    verdict: self.word(told.verdict),
                    reason: Reason::Other(code(&told.reason)),
                    evidence: told.evidence.as_ref().and_then(|e| Evidence::of(e).ok()),
                };
                let entry = self.verdicts.entry(oid);
                entry
                    .and_modify(|first| {
                        first.verdict = Verdict::Unknown;
                        first.evidence = None;
                    })
                    .or_insert(verdict);
            }
        }
    }

    fn word(&self, word: Word) -> Verdict {
        match word {
            Word::Unchanged if self.has_base => Verdict::Unchanged,
            Word::Unchanged | Word::Unknown => Verdict::Unknown,
            Word::Changed => Verdict::Changed,
        }
    }

    fn detection(self, summary: &Summary) -> Detection {
        let large_objects = self.large_objects(summary);
        let missing = self
            .asked
            .iter()
            .filter(|oid| !self.verdicts.contains_key(oid));
        let missing: Vec<TableVerdict> = missing.map(|oid| unexamined(*oid)).collect();
        Detection {
            unexamined: missing
                .iter()
                .map(|verdict| format!("the plugin said nothing of table {}", verdict.oid))
                .collect(),
            tables: self.verdicts.into_values().chain(missing).collect(),
            large_objects,
            alarms: summary.alarms.clone(),
            limited: Vec::new(),
            figures: summary.figures.clone(),
        }
    }

    fn large_objects(&self, summary: &Summary) -> LargeObjectVerdict {
        match &summary.large_objects {
            None => LargeObjectVerdict {
                verdict: Verdict::Unknown,
                reason: Reason::NotExamined,
                count: None,
                evidence: None,
            },
            Some(told) => LargeObjectVerdict {
                verdict: self.word(told.verdict),
                reason: Reason::Other(code(&told.reason)),
                count: told.count,
                evidence: told.evidence.as_ref().and_then(|e| Evidence::of(e).ok()),
            },
        }
    }
}

fn unexamined(oid: Oid) -> TableVerdict {
    TableVerdict {
        oid,
        verdict: Verdict::Unknown,
        reason: Reason::NotExamined,
        evidence: None,
    }
}

/// A reason as it may be shown: a short code, whatever the plugin said.
fn code(reason: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let code: String = reason.chars().filter(|c| plain(*c)).take(40).collect();
    if code.is_empty() {
        "unsaid".to_owned()
    } else {
        code
    }
}

/// Evidence that was stored as JSON and is none any more.
fn unreadable(error: serde_json::Error) -> Fault {
    Fault::new(
        FaultKind::Corrupt,
        "reading the evidence of a plugin",
        error,
    )
}

fn evidence(plugin: &Plugin, request: &Request, value: &Value) -> Result<Evidence, Fault> {
    Evidence::of(value).map_err(|error| broke(plugin, request, error.to_string()))
}
