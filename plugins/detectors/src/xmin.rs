//! `xmin`: the fingerprint of transaction ids for every table. No waiting, no privilege but
//! SELECT, works on a standby; exact within one lineage.

use respaldo_domain::readings::Evidence;
use respaldo_engine::ports::{
    ChangeDetector, Context, Detection, DetectionRequest, Fault, SourceTarget,
};

use crate::comparison::Comparison;
use crate::options::DetectorOptions;
use crate::signals::Basis;

pub(crate) const NAME: &str = "xmin";

/// Scans every table.
#[derive(Debug)]
pub(crate) struct Xmin {
    options: DetectorOptions,
}

impl Xmin {
    pub fn new(options: DetectorOptions) -> Self {
        Self { options }
    }
}

impl ChangeDetector for Xmin {
    fn name(&self) -> &str {
        NAME
    }

    fn baseline(&self, _target: &SourceTarget, _cx: &Context) -> Result<Option<Evidence>, Fault> {
        Ok(None)
    }

    fn verdicts(&self, request: &DetectionRequest, cx: &Context) -> Result<Detection, Fault> {
        let mut comparison = Comparison::begin(NAME, Basis::Xmin, request, &self.options)?;
        comparison.scan_the_rest(cx)?;
        Ok(comparison.conclude())
    }
}
