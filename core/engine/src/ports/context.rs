//! Cancellation and progress of a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Fault, FaultKind};

/// What every port call is given: whether to stop, and whom to tell how far it is.
#[derive(Clone)]
pub struct Context {
    interrupt: Interrupt,
    progress: Arc<dyn Progress>,
}

impl Context {
    /// A context of one run.
    pub fn new(interrupt: Interrupt, progress: Arc<dyn Progress>) -> Self {
        Self {
            interrupt,
            progress,
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
            progress: Arc::clone(&self.progress),
        }
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

/// A flag that is set once and stays set; it also counts as set when the flag it was made from is.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    flag: Arc<AtomicBool>,
    parent: Option<Box<Interrupt>>,
}

impl Interrupt {
    /// Asks everything that shares this flag to stop.
    pub fn set(&self) {
        self.flag.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked.
    pub fn is_set(&self) -> bool {
        self.flag.load(Ordering::SeqCst) || self.parent.as_ref().is_some_and(|flag| flag.is_set())
    }

    /// A flag for a part of the run: it can be stopped alone, and stops with the whole.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            flag: Arc::default(),
            parent: Some(Box::new(self.clone())),
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
