//! All large objects as one subject: their definitions (owner, grants, comments, and that they
//! exist at all, even when empty) and their content.

use respaldo_domain::changes::{Reason, Verdict};
use respaldo_engine::ports::{DetectionRequest, LargeObjectVerdict, LineageStatus};
use respaldo_postgres::{PgError, Session, field, sql};
use serde::{Deserialize, Serialize};

use crate::evidence::{Evidence, Print, decode, encode};
use crate::scan::definitions_of_large_objects;
use crate::signals::{Basis, Signal};

/// What is stored of the large objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LargeObjectEvidence {
    pub count: u64,
    pub definitions: Print,
    pub content: Evidence,
}

/// What is there under the snapshot before their content is looked at.
#[derive(Debug, Clone)]
pub(crate) struct LargeObjects {
    pub count: u64,
    definitions: Print,
}

impl LargeObjects {
    /// Reads the catalogs that every role may read.
    pub fn read(in_snapshot: &mut Session, basis: Basis) -> Result<Self, PgError> {
        let row = in_snapshot.row(sql(definitions_of_large_objects(basis)))?;
        let rows: i64 = field(&row, "rows")?;
        Ok(Self {
            count: field::<i64>(&row, "objects")? as u64,
            definitions: Print {
                rows: rows as u64,
                sum: field(&row, "sum")?,
            },
        })
    }

    /// What all but the content says, compared with the base.
    pub fn judge(&self, request: &DetectionRequest, detector: &str, basis: Basis) -> Signal {
        let Some(base) = &request.base else {
            return Signal::Dump(Verdict::Changed, Reason::Full);
        };
        let then = decode::<LargeObjectEvidence>(base.readings.large_objects.as_ref())
            .filter(|_| base.readings.detector == detector);
        if self.count > 0 && !request.large_objects_readable {
            return Signal::Dump(Verdict::Unknown, Reason::Unreadable);
        }
        let Some(then) = then else {
            return Signal::Dump(Verdict::Unknown, Reason::NoReading);
        };
        if then.count == 0 && self.count == 0 {
            // None then and none now are equal whatever happened to the server.
            return Signal::Dump(Verdict::Unchanged, equal(basis));
        }
        if basis == Basis::Xmin && base.lineage == LineageStatus::Broken {
            return Signal::Dump(Verdict::Unknown, Reason::Lineage);
        }
        if then.definitions != self.definitions {
            return Signal::Dump(Verdict::Changed, differs(basis));
        }
        Signal::Compare(then.content)
    }

    /// The word on them, and the evidence with what was found out about their content.
    pub fn conclude(
        &self,
        (verdict, reason): (Verdict, Reason),
        content: Evidence,
    ) -> LargeObjectVerdict {
        let evidence = LargeObjectEvidence {
            count: self.count,
            definitions: self.definitions.clone(),
            content,
        };
        LargeObjectVerdict {
            verdict,
            reason,
            count: Some(self.count),
            evidence: encode(&evidence),
        }
    }
}

/// Why a subject whose print is equal is unchanged.
pub(crate) fn equal(basis: Basis) -> Reason {
    match basis {
        Basis::Xmin => Reason::XminEqual,
        Basis::Content => Reason::ContentEqual,
    }
}

/// Why a subject whose print differs is changed.
pub(crate) fn differs(basis: Basis) -> Reason {
    match basis {
        Basis::Xmin => Reason::XminDiffers,
        Basis::Content => Reason::ContentDiffers,
    }
}
