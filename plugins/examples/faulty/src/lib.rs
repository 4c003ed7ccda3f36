//! A sink that misbehaves on request: what a host must survive. Without a fault it keeps objects in memory, shared by
//! all instances of a name.
//!
//! Options: `{"fault": "segfault", "at": "put", "after": 4194304, "name": "store"}`. A fault in `put` or `get` strikes
//! after so many bytes of the stream. `c-faulty` is the same in C.

mod faults;
mod memory;

use std::io::{BufRead, Write};
use std::ops::Range;
use std::sync::Arc;

use respaldo_sdk::records::{ObjectInfo, SinkLimits};
use respaldo_sdk::{Context, Each, Plugin, Result, StorageSink};

use faults::{Fault, Place};
use memory::Store;

/// What to do, and where.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// What to do; nothing when left out.
    #[serde(default)]
    fault: Option<Fault>,
    /// In which call.
    #[serde(default)]
    at: Place,
    /// After so many bytes of the stream of `put` and `get`.
    #[serde(default)]
    after: u64,
    /// Instances of a name share their objects.
    #[serde(default)]
    name: String,
}

/// A sink in memory.
pub struct Faulty {
    options: Options,
    store: Arc<Store>,
}

impl Plugin for Faulty {
    const ID: &'static str = "test.faulty";
    const NAME: &'static str = "Faulty";
    const VERSION: &'static str = "1.0.0";
    type Options = Options;

    fn create(options: Options) -> Result<Self> {
        if options.at == Place::Create {
            faults::strike(options.fault, &faults::Nobody)?;
        }
        let store = memory::of_name(&options.name);
        Ok(Self { options, store })
    }
}

impl Faulty {
    /// Strikes where it was told to.
    fn at(&self, place: Place, cx: &dyn Context) -> Result<()> {
        if self.options.at == place {
            faults::strike(self.options.fault, cx)?;
        }
        Ok(())
    }

    fn is(&self, fault: Fault, place: Place) -> bool {
        self.options.fault == Some(fault) && self.options.at == place
    }

    /// Where in a stream it strikes.
    fn strikes_at(&self, place: Place) -> u64 {
        let here = self.options.at == place && self.options.fault.is_some();
        if here { self.options.after } else { u64::MAX }
    }
}

impl StorageSink for Faulty {
    fn location(&self) -> String {
        format!("memory:{}/", self.options.name)
    }

    fn probe(&self, cx: &dyn Context) -> Result<SinkLimits> {
        self.at(Place::Probe, cx)?;
        Ok(SinkLimits::default())
    }

    fn put(&self, key: &str, size: u64, source: &mut dyn BufRead, cx: &dyn Context) -> Result<()> {
        let strikes_at = self.strikes_at(Place::Put);
        if self.is(Fault::OkEarly, Place::Put) {
            return Ok(());
        }
        let mut bytes = Vec::new();
        loop {
            cx.check()?;
            if bytes.len() as u64 >= strikes_at {
                self.at(Place::Put, cx)?;
            }
            let piece = source.fill_buf()?;
            if piece.is_empty() {
                break;
            }
            let len = piece.len();
            bytes.extend_from_slice(piece);
            source.consume(len);
            cx.progress(bytes.len() as u64, size);
        }
        self.store.add(key, bytes)
    }

    fn get(&self, key: &str, range: Option<Range<u64>>, into: &mut dyn Write, cx: &dyn Context) -> Result<()> {
        let bytes = self.store.range(key, range)?;
        let mut done = 0;
        if self.is(Fault::OkEarly, Place::Get) {
            return Ok(());
        }
        for piece in bytes.chunks(64 * 1024) {
            cx.check()?;
            if done >= self.strikes_at(Place::Get) {
                self.at(Place::Get, cx)?;
            }
            into.write_all(piece)?;
            done += piece.len() as u64;
        }
        Ok(())
    }

    fn head(&self, key: &str, cx: &dyn Context) -> Result<ObjectInfo> {
        self.at(Place::Head, cx)?;
        self.store.info(key)
    }

    fn list(&self, prefix: &str, each: Each<'_, ObjectInfo>, cx: &dyn Context) -> Result<()> {
        self.at(Place::List, cx)?;
        self.store.list(prefix).into_iter().try_for_each(each)
    }

    fn remove(&self, key: &str, cx: &dyn Context) -> Result<()> {
        self.at(Place::Remove, cx)?;
        self.store.remove(key);
        Ok(())
    }

    fn sweep(&self, cx: &dyn Context) -> Result<u64> {
        self.at(Place::Sweep, cx)?;
        Ok(0)
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        if self.options.at == Place::Drop {
            drop(faults::strike(self.options.fault, &faults::Nobody));
        }
    }
}

respaldo_sdk::export_plugins!(storage: Faulty);
