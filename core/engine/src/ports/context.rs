//! Cancellation and progress of a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Fault, FaultKind};
use crate::leadership::Mandate;

/// What every port call is given: whether to stop, and whom to tell how far it is.
#[derive(Clone)]
pub struct Context {
    interrupt: Interrupt,
    progress: Arc<dyn Progress>,
    mandate: Option<Mandate>,
}

impl Context {
    /// A context of one run.
    pub fn new(interrupt: Interrupt, progress: Arc<dyn Progress>) -> Self {
        Self {
            interrupt,
            progress,
            mandate: None,
        }
    }

    /// A context nobody interrupts and nobody watches.
    pub fn quiet() -> Self {
        Self::new(Interrupt::default(), Arc::new(Quiet))
    }

    /// Fails with [`FaultKind::Cancelled`] once the run is to stop. To be called at least once
    /// in every loop that can take seconds.
    pub fn check(&self) -> Result<(), Fault> {
        if self.interrupt.is_set() {
            Err(Fault::bare(FaultKind::Cancelled, "the run was interrupted"))
        } else {
            Ok(())
        }
    }

    /// The same watcher, another flag.
    #[must_use]
    pub fn with_interrupt(&self, interrupt: Interrupt) -> Self {
        Self {
            interrupt,
            ..self.clone()
        }
    }

    /// The same for a run that a leader begins: it writes no manifest once another leads.
    #[must_use]
    pub fn with_mandate(&self, mandate: Mandate) -> Self {
        Self {
            mandate: Some(mandate),
            ..self.clone()
        }
    }

    /// By what right the run writes, where a leader began it.
    pub fn mandate(&self) -> Option<&Mandate> {
        self.mandate.as_ref()
    }

    /// The flag behind [`Context::check`].
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Whom to tell.
    pub fn progress(&self) -> &dyn Progress {
        &*self.progress
    }
}

/// A flag that is set once and stays set; it also counts as set when one of those it was made from is.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    flag: Arc<AtomicBool>,
    parents: Vec<Interrupt>,
}

impl Interrupt {
    /// The flag of somebody else.
    pub fn of(flag: Arc<AtomicBool>) -> Self {
        Self {
            flag,
            parents: Vec::new(),
        }
    }

    /// Asks everything that shares this flag to stop.
    pub fn set(&self) {
        self.flag.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked.
    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst) || self.parents.iter().any(Interrupt::is_set)
    }

    /// A flag for a part of the run: it can be stopped alone, and stops with the whole.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            flag: Arc::default(),
            parents: vec![self.clone()],
        }
    }

    /// A flag of its own that also counts as set when this one or the other is.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self {
            flag: Arc::default(),
            parents: vec![self.clone(), other.clone()],
        }
    }
}

/// Watches a run. Calls come from several threads and must return at once.
pub trait Progress: Send + Sync {
    /// A step of the flow begins; with the number of bytes it will handle, where known.
    fn step(&self, name: &'static str, total_bytes: Option<u64>);
    /// So many more bytes were handled.
    fn bytes(&self, count: u64);
    /// A table is done.
    fn table(&self, name: &str);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn step(&self, _name: &'static str, _total_bytes: Option<u64>) {}
    fn bytes(&self, _count: u64) {}
    fn table(&self, _name: &str) {}
}
