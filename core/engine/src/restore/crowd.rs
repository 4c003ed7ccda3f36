//! The same done to many things by several sessions.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::ports::{Context, Fault, FaultKind};

/// Does `each` to every item, in their order, `jobs` at a time, each with a session of its own.
/// The first fault ends it.
pub(super) fn for_each<T: Sync, S>(
    items: &[T],
    jobs: usize,
    cx: &Context,
    connect: impl Fn() -> Result<S, Fault> + Sync,
    each: impl Fn(&mut S, usize, &T) -> Result<(), Fault> + Sync,
) -> Result<(), Fault> {
    let next = AtomicUsize::new(0);
    let stop = cx.interrupt().child();
    let work = || -> Result<(), Fault> {
        let mut session = connect()?;
        loop {
            let index = next.fetch_add(1, Ordering::SeqCst);
            let Some(item) = items.get(index).filter(|_| !stop.is_set()) else {
                return cx.check();
            };
            each(&mut session, index, item).inspect_err(|_| stop.set())?;
        }
    };
    thread::scope(|scope| {
        let jobs = jobs.min(items.len());
        let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let panicked = || Err(Fault::bare(FaultKind::Internal, "a thread panicked"));
        let join =
            |thread: thread::ScopedJoinHandle<'_, _>| thread.join().unwrap_or_else(|_| panicked());
        let ended: Vec<Result<(), Fault>> = threads.into_iter().map(join).collect();
        ended.into_iter().collect()
    })
}
