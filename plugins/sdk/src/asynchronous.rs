//! Sinks written as futures, on a runtime of the plugin's own.
//!
//! No future, waker or runtime crosses the boundary: each library has its own copy of tokio, and the host's is
//! not there on this side. The host's thread of a call pumps bytes between the host's stream and a bounded
//! channel while the future runs on two threads of ours. Cancelling a call drops its future, so that a sink
//! written like this honours cancellation without a line of code; what it was doing must be undone by what is
//! dropped, or be left for `sweep`.

mod call;
mod pump;

use std::future::Future;
use std::io::{BufRead, Write};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

pub use call::Cx;
pub use pump::{Found, Into, Source};

use crate::error::{Error, Result, Status};
use crate::records::{ObjectInfo, SinkLimits};
use crate::strategies::{Context, Each, Plugin, StorageSink};

/// Threads of a plugin's runtime.
const THREADS: usize = 2;

/// How long work that outlives its instance may take to end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A [`StorageSink`] of futures; the promises are the same. Export it as `storage: Async<MySink>`.
pub trait AsyncStorageSink: Send + Sync + 'static {
    /// See [`StorageSink::location`].
    fn location(&self) -> String;

    /// See [`StorageSink::probe`].
    fn probe(&self, cx: &Cx) -> impl Future<Output = Result<SinkLimits>> + Send;

    /// See [`StorageSink::put`]. The end of `source` is an end that the host confirmed; everything else is an
    /// error of the stream.
    fn put(
        &self,
        key: &str,
        size: u64,
        source: &mut Source,
        cx: &Cx,
    ) -> impl Future<Output = Result<()>> + Send;

    /// See [`StorageSink::get`].
    fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        into: &mut Into,
        cx: &Cx,
    ) -> impl Future<Output = Result<()>> + Send;

    /// See [`StorageSink::head`].
    fn head(&self, key: &str, cx: &Cx) -> impl Future<Output = Result<ObjectInfo>> + Send;

    /// See [`StorageSink::list`].
    fn list(&self, prefix: &str, found: &Found, cx: &Cx)
    -> impl Future<Output = Result<()>> + Send;

    /// See [`StorageSink::remove`].
    fn remove(&self, key: &str, cx: &Cx) -> impl Future<Output = Result<()>> + Send;

    /// See [`StorageSink::sweep`].
    fn sweep(&self, cx: &Cx) -> impl Future<Output = Result<u64>> + Send;
}

/// A sink of futures as a blocking one. It is made, used and dropped with its runtime at hand.
#[derive(Debug)]
pub struct Async<T> {
    /// Only gone while this is dropped.
    parts: Option<(Arc<T>, Runtime)>,
}

impl<T> Async<T> {
    fn parts(&self) -> Result<(Arc<T>, &Runtime)> {
        let parts = self.parts.as_ref();
        let (sink, runtime) = parts.ok_or_else(|| Error::new(Status::Internal, "dropped"))?;
        Ok((Arc::clone(sink), runtime))
    }
}

impl<T> Drop for Async<T> {
    fn drop(&mut self) {
        let Some((sink, runtime)) = self.parts.take() else {
            return;
        };
        {
            let _at_hand = runtime.enter();
            drop(sink);
        }
        runtime.shutdown_timeout(LAST_WORDS);
    }
}

impl<T: Plugin> Plugin for Async<T> {
    const ID: &'static str = T::ID;
    const NAME: &'static str = T::NAME;
    const VERSION: &'static str = T::VERSION;
    const VENDOR: &'static str = T::VENDOR;
    const LICENSE: &'static str = T::LICENSE;
    const DESCRIPTION: &'static str = T::DESCRIPTION;
    type Options = T::Options;

    fn create(options: T::Options) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name(T::ID)
            .enable_all()
            .build()
            .map_err(|error| Error::io("start a runtime", &error))?;
        let sink = {
            let _at_hand = runtime.enter();
            T::create(options)?
        };
        Ok(Self {
            parts: Some((Arc::new(sink), runtime)),
        })
    }
}

impl<T: AsyncStorageSink> StorageSink for Async<T> {
    fn location(&self) -> String {
        let parts = self.parts.as_ref();
        parts.map_or_else(String::new, |(sink, _)| sink.location())
    }

    fn probe(&self, cx: &dyn Context) -> Result<SinkLimits> {
        let (sink, runtime) = self.parts()?;
        call::plain(runtime, cx, async move |cx| sink.probe(&cx).await)
    }

    fn put(&self, key: &str, size: u64, source: &mut dyn BufRead, cx: &dyn Context) -> Result<()> {
        let ((sink, runtime), key) = (self.parts()?, key.to_owned());
        let (feed, mut taken) = pump::source();
        let work = async move |cx| sink.put(&key, size, &mut taken, &cx).await;
        call::with(runtime, cx, work, feed.of(source))
    }

    fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        into: &mut dyn Write,
        cx: &dyn Context,
    ) -> Result<()> {
        let ((sink, runtime), key) = (self.parts()?, key.to_owned());
        let (drain, mut given) = pump::into();
        let work = async move |cx| sink.get(&key, range, &mut given, &cx).await;
        call::with(runtime, cx, work, drain.to(into))
    }

    fn head(&self, key: &str, cx: &dyn Context) -> Result<ObjectInfo> {
        let ((sink, runtime), key) = (self.parts()?, key.to_owned());
        call::plain(runtime, cx, async move |cx| sink.head(&key, &cx).await)
    }

    fn list(&self, prefix: &str, each: Each<'_, ObjectInfo>, cx: &dyn Context) -> Result<()> {
        let ((sink, runtime), prefix) = (self.parts()?, prefix.to_owned());
        let (records, found) = pump::found();
        let work = async move |cx| sink.list(&prefix, &found, &cx).await;
        call::with(runtime, cx, work, records.to(each))
    }

    fn remove(&self, key: &str, cx: &dyn Context) -> Result<()> {
        let ((sink, runtime), key) = (self.parts()?, key.to_owned());
        call::plain(runtime, cx, async move |cx| sink.remove(&key, &cx).await)
    }

    fn sweep(&self, cx: &dyn Context) -> Result<u64> {
        let (sink, runtime) = self.parts()?;
        call::plain(runtime, cx, async move |cx| sink.sweep(&cx).await)
    }
}
