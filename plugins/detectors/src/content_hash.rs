//! `content-hash`: the text of every row. Needs no lineage and trusts no statistics; reads and
//! prints all there is, once in each backup.

use respaldo_domain::readings::Evidence;
use respaldo_engine::ports::{
    ChangeDetector, Context, Detection, DetectionRequest, Fault, SourceTarget,
};

use crate::comparison::Comparison;
use crate::options::DetectorOptions;
use crate::signals::Basis;

pub(crate) const NAME: &str = "content-hash";

/// Scans every table.
#[derive(Debug)]
pub(crate) struct ContentHash {
    options: DetectorOptions,
}

impl ContentHash {
    pub fn new(options: DetectorOptions) -> Self {
        Self { options }
    }
}

impl ChangeDetector for ContentHash {
    fn name(&self) -> &str {
        NAME
    }

    fn baseline(&self, _target: &SourceTarget, _cx: &Context) -> Result<Option<Evidence>, Fault> {
        Ok(None)
    }

    fn verdicts(&self, request: &DetectionRequest, cx: &Context) -> Result<Detection, Fault> {
        let mut comparison = Comparison::begin(NAME, Basis::Content, request, &self.options)?;
        comparison.scan_the_rest(cx)?;
        Ok(comparison.conclude())
    }
}
