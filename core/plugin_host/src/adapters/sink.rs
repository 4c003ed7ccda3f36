//! A plugin that keeps objects.

use std::io::{self, Read, Write};
use std::ops::Range;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, ObjectInfo, PutSource, SinkLimits, StorageSink};
use respaldo_sdk::{abi, records};

use super::{broke, document, documents};
use crate::plugin::Plugin;
use crate::request::Request;
use crate::service::Streams;

/// A plugin that keeps objects.
pub struct PluginSink {
    name: String,
    plugin: Plugin,
}

impl PluginSink {
    /// The sink of that name in the configuration.
    pub fn new(name: impl Into<String>, plugin: Plugin) -> Self {
        Self {
            name: name.into(),
            plugin,
        }
    }

    fn info(&self, info: &records::ObjectInfo) -> Option<ObjectInfo> {
        match ObjectKey::parse(info.key.as_str()) {
            Ok(key) => Some(ObjectInfo {
                key,
                size_bytes: info.size_bytes,
            }),
            Err(error) => {
                tracing::debug!(sink = self.name, %error, "an object of others is passed over");
                None
            }
        }
    }
}

impl StorageSink for PluginSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn probe(&self, cx: &Context) -> Result<SinkLimits, Fault> {
        let limits: records::SinkLimits = document(&self.plugin, &Request::SinkProbe, cx)?;
        Ok(SinkLimits {
            max_object_bytes: limits.max_object_bytes,
            free_bytes: limits.free_bytes,
        })
    }

    fn put(
        &self,
        key: &ObjectKey,
        source: &mut dyn PutSource,
        cx: &Context,
    ) -> Result<ObjectInfo, Fault> {
        let size_bytes = source.size_bytes();
        let request = Request::Put {
            key: key.to_string(),
            size_bytes,
        };
        let mut exact = Exact {
            inner: source,
            left: size_bytes,
            cx,
        };
        let mut streams = Streams {
            source: Some(&mut exact),
            into: None,
            emit: &mut |_| Ok(()),
        };
        self.plugin.call(&request, &mut streams, cx)?;
        Ok(ObjectInfo {
            key: key.clone(),
            size_bytes,
        })
    }

    fn get(
        &self,
        key: &ObjectKey,
        range: Option<Range<u64>>,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        let wanted = range
            .as_ref()
            .map(|range| range.end.saturating_sub(range.start));
        let request = Request::Get {
            key: key.to_string(),
            offset: range.map_or(0, |range| range.start),
            len: wanted.unwrap_or(abi::TO_THE_END),
        };
        let mut counted = Counted::new(into, wanted);
        let mut streams = Streams {
            source: None,
            into: Some(&mut counted),
            emit: &mut |_| Ok(()),
        };
        self.plugin.call(&request, &mut streams, cx)?;
        match wanted {
            Some(wanted) if counted.bytes < wanted => {
                let what = format!("it said done, but gave {} of {wanted} bytes", counted.bytes);
                Err(broke(&self.plugin, &request, what))
            }
            _ => Ok(()),
        }
    }

    fn head(&self, key: &ObjectKey, cx: &Context) -> Result<ObjectInfo, Fault> {
        let request = Request::Head {
            key: key.to_string(),
        };
        let info: records::ObjectInfo = document(&self.plugin, &request, cx)?;
        match self.info(&info) {
            Some(info) if info.key == *key => Ok(info),
            _ => Err(broke(&self.plugin, &request, "it told of another object")),
        }
    }

    fn list(&self, prefix: &str, cx: &Context) -> Result<Vec<ObjectInfo>, Fault> {
        let request = Request::List {
            prefix: prefix.to_owned(),
        };
        let told: Vec<records::ObjectInfo> = documents(&self.plugin, &request, cx)?;
        let mut found: Vec<ObjectInfo> = told.iter().filter_map(|info| self.info(info)).collect();
        found.sort_by(|a, b| a.key.cmp(&b.key));
        if let Some(stray) = found
            .iter()
            .find(|info| !info.key.as_str().starts_with(prefix))
        {
            let what = format!("it listed {}, which does not begin so", stray.key);
            return Err(broke(&self.plugin, &request, what));
        }
        if found.windows(2).any(|pair| pair[0].key == pair[1].key) {
            return Err(broke(&self.plugin, &request, "it listed an object twice"));
        }
        Ok(found)
    }

    fn delete(&self, key: &ObjectKey, cx: &Context) -> Result<(), Fault> {
        let request = Request::Remove {
            key: key.to_string(),
        };
        Ok(self.plugin.ask(&request, &mut |_| Ok(()), cx)?)
    }

    fn sweep(&self, cx: &Context) -> Result<u64, Fault> {
        let counts: Vec<u64> = documents(&self.plugin, &Request::Sweep, cx)?;
        Ok(counts.into_iter().sum())
    }

    fn location(&self, key: &ObjectKey) -> String {
        match self.plugin.location() {
            prefix if prefix.is_empty() => format!("{}:{key}", self.name),
            prefix => format!("{prefix}{key}"),
        }
    }
}

/// Exactly the bytes that were announced: fewer or more of them are an error of the source.
struct Exact<'a> {
    inner: &'a mut dyn PutSource,
    left: u64,
    cx: &'a Context,
}

impl Read for Exact<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.cx
            .check()
            .map_err(respaldo_engine::store::io_of_fault)?;
        let got = self.inner.read(room)? as u64;
        if got > self.left || (got == 0 && self.left > 0 && !room.is_empty()) {
            let what = "the source has another length than it was said to have";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        self.left -= got;
        Ok(got as usize)
    }
}

/// Counts what is written and refuses more than was wanted.
struct Counted<'a> {
    inner: &'a mut (dyn Write + Send),
    wanted: Option<u64>,
    bytes: u64,
}

impl<'a> Counted<'a> {
    fn new(inner: &'a mut (dyn Write + Send), wanted: Option<u64>) -> Self {
        Self {
            inner,
            wanted,
            bytes: 0,
        }
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += written as u64;
        if self.wanted.is_some_and(|wanted| self.bytes > wanted) {
            let what = "the plugin gave more than was asked for";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
