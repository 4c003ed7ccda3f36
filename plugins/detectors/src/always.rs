//! `always`: dumps everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use respaldo_domain::changes::{Reason, TableVerdict, Verdict};
use respaldo_domain::readings::Evidence;
use respaldo_domain::table::TableFacts;
use respaldo_engine::ports::{
    ChangeDetector, Context, Detection, DetectionRequest, Fault, LargeObjectVerdict, SourceTarget,
};

pub(crate) const NAME: &str = "always";

/// Looks at nothing.
#[derive(Debug)]
pub(crate) struct Always;

impl ChangeDetector for Always {
    fn name(&self) -> &str {
        NAME
    }

    fn baseline(&self, _target: &SourceTarget, _cx: &Context) -> Result<Option<Evidence>, Fault> {
        Ok(None)
    }

    fn verdicts(&self, request: &DetectionRequest, _cx: &Context) -> Result<Detection, Fault> {
        let verdict = |facts: &Arc<TableFacts>| TableVerdict {
            oid: facts.oid,
            verdict: Verdict::Changed,
            reason: Reason::Always,
            evidence: None,
        };
        let large_objects = LargeObjectVerdict {
            verdict: Verdict::Changed,
            reason: Reason::Always,
            count: None,
            evidence: None,
        };
        Ok(Detection {
            tables: request
                .tables
                .iter()
                .filter(|f| f.has_data())
                .map(verdict)
                .collect(),
            large_objects,
            alarms: Vec::new(),
            limited: Vec::new(),
            unexamined: Vec::new(),
            figures: BTreeMap::new(),
        })
    }
}
