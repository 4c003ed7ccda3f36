//! What is to go wrong, and when.

use std::collections::BTreeMap;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// A token.
    Token,
    /// What an account has.
    About,
    /// A page of a list.
    List,
    /// What a file is.
    Get,
    /// Bytes of a file.
    Media,
    /// A file without bytes, or a folder.
    Create,
    /// Another name, parent or place.
    Patch,
    /// A deletion.
    Delete,
    /// The begin of an upload.
    Begin,
    /// A piece of an upload.
    Piece,
    /// How far an upload is.
    Status,
    /// The end of an upload by its owner's wish.
    GiveUp,
}

/// How it goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mishap {
    /// Refused, in Google's shape.
    Refused {
        /// Status of HTTP.
        status: u16,
        /// Google's reason.
        reason: &'static str,
        /// Seconds that the answer asks to wait.
        retry_after: Option<u64>,
    },
    /// The connection breaks once so many bytes of the request's body arrived.
    RequestCut(u64),
    /// The connection breaks after so many bytes of the answer's body.
    AnswerCut(u64),
    /// Done, but the connection breaks before the answer.
    AnswerLost,
    /// Only so many bytes of the piece are kept.
    ShortPiece(u64),
    /// The session has expired.
    SessionLost,
    /// A byte arrives as another.
    Damaged,
    /// Right after a list was made, each claim in the drive becomes the object of its key.
    ClaimsPublished,
    /// The same of what is parked.
    ParkedPublished,
    /// Nothing is answered, for ever.
    Silence,
}

impl Mishap {
    /// A refusal that asks for no wait.
    pub fn refused(status: u16, reason: &'static str) -> Self {
        Self::Refused {
            status,
            reason,
            retry_after: None,
        }
    }
}

/// All that is planned, and what was asked for so far.
#[derive(Debug, Default)]
pub(super) struct Plans {
    planned: Vec<Plan>,
    counts: BTreeMap<Operation, usize>,
}

#[derive(Debug)]
struct Plan {
    operation: Operation,
    skipped: usize,
    times: usize,
    mishap: Mishap,
}

impl Plans {
    pub(super) fn add(
        &mut self,
        operation: Operation,
        skipped: usize,
        times: usize,
        mishap: Mishap,
    ) {
        self.planned.push(Plan {
            operation,
            skipped,
            times,
            mishap,
        });
    }

    /// An operation begins: what is to go wrong with it.
    pub(super) fn begin(&mut self, operation: Operation) -> Option<Mishap> {
        *self.counts.entry(operation).or_default() += 1;
        let mut plans = self.planned.iter_mut();
        let plan = plans.find(|plan| plan.operation == operation && plan.times > 0)?;
        if plan.skipped > 0 {
            plan.skipped -= 1;
            return None;
        }
        plan.times -= 1;
        Some(plan.mishap.clone())
    }

    pub(super) fn left(&self) -> Vec<String> {
        let left = self.planned.iter().filter(|plan| plan.times > 0);
        left.map(|plan| format!("{plan:?}")).collect()
    }

    pub(super) fn count(&self, operation: Operation) -> usize {
        self.counts.get(&operation).copied().unwrap_or(0)
    }
}
