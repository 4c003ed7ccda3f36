//! The runtime sqlx runs on.

use std::future::Future;
use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Runs a future to its end on this crate's runtime. Must not be called from an asynchronous
/// worker thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// Lets a future run to its end beside the caller, from any thread.
pub(crate) fn spawn<F: Future<Output: Send> + Send + 'static>(future: F) {
    runtime().spawn(future);
}

#[expect(
    clippy::expect_used,
    reason = "without threads nothing can run; there is no error path"
)]
fn runtime() -> &'static Runtime {
    RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("respaldo-pg")
            .enable_all()
            .build()
            .expect("the operating system refuses to start threads")
    })
}
