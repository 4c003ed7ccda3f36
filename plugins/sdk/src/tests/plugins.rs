//! Plugins of each kind, as an author writes them.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::ops::Range;
use std::sync::Mutex;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::records::{
    DetectionRequest, DumpRequest, DumperFacts, Finding, ObjectInfo, Severity, SinkLimits, Subject,
    Summary, TableVerdict, Target, Word,
};
use crate::{
    ChangeDetector, Context, Dumper, Each, Error, NoOptions, Plugin, Result, Status, StorageSink,
    Validator,
};

/// Keeps objects in memory.
pub(crate) struct Memory {
    name: String,
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// Shown as the location.
    name: String,
}

impl Plugin for Memory {
    const ID: &'static str = "test.memory";
    const NAME: &'static str = "Memory";
    const VERSION: &'static str = "1.2.3";
    type Options = Options;

    fn create(options: Options) -> Result<Self> {
        assert!(options.name != "panic", "told to");
        Ok(Self {
            name: options.name,
            objects: Mutex::default(),
        })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        assert!(self.name != "panic when dropped", "told to");
    }
}

impl Memory {
    fn object(&self, key: &str) -> Result<Vec<u8>> {
        let found = self.objects.lock().unwrap().get(key).cloned();
        found.ok_or_else(|| Error::new(Status::NotFound, format!("{key} is not there")))
    }
}

impl StorageSink for Memory {
    fn location(&self) -> String {
        format!("memory:{}/", self.name)
    }
    fn probe(&self, _: &dyn Context) -> Result<SinkLimits> {
        Ok(SinkLimits {
            max_object_bytes: Some(1 << 30),
            free_bytes: None,
        })
    }
    fn put(&self, key: &str, size: u64, source: &mut dyn BufRead, cx: &dyn Context) -> Result<()> {
        let mut bytes = Vec::new();
        assert!(key != "panic", "told to");
        if crate::copy(source, &mut bytes, cx)? != size {
            return Err(Error::new(Status::Corrupt, "another length"));
        }
        self.objects.lock().unwrap().insert(key.to_owned(), bytes);
        Ok(())
    }
    fn get(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        into: &mut dyn Write,
        _: &dyn Context,
    ) -> Result<()> {
        let bytes = self.object(key)?;
        let range = range.unwrap_or(0..bytes.len() as u64);
        let bytes = bytes.get(range.start as usize..range.end as usize);
        let bytes = bytes.ok_or_else(|| Error::new(Status::Corrupt, "it ends before"))?;
        Ok(into.write_all(bytes)?)
    }
    fn head(&self, key: &str, _: &dyn Context) -> Result<ObjectInfo> {
        Ok(ObjectInfo {
            key: key.to_owned(),
            size_bytes: self.object(key)?.len() as u64,
        })
    }
    fn list(&self, prefix: &str, each: Each<'_, ObjectInfo>, cx: &dyn Context) -> Result<()> {
        let keys: Vec<String> = self.objects.lock().unwrap().keys().cloned().collect();
        let mut keys = keys.iter().filter(|key| key.starts_with(prefix));
        keys.try_for_each(|key| each(self.head(key, cx)?))
    }
    fn remove(&self, key: &str, _: &dyn Context) -> Result<()> {
        self.objects.lock().unwrap().remove(key);
        Ok(())
    }
    fn sweep(&self, _: &dyn Context) -> Result<u64> {
        Ok(3)
    }
}

/// Proves nothing.
pub(crate) struct Never;

impl Plugin for Never {
    const ID: &'static str = "test.never";
    const NAME: &'static str = "Never";
    const VERSION: &'static str = "0.1.0";
    type Options = NoOptions;
    fn create(_: NoOptions) -> Result<Self> {
        Ok(Self)
    }
}

impl ChangeDetector for Never {
    fn baseline(&self, target: &Target, _: &dyn Context) -> Result<Option<Value>> {
        Ok((target.database == "shop").then(|| json!({"lsn": "0/1"})))
    }
    fn verdicts(
        &self,
        request: &DetectionRequest,
        each: Each<'_, TableVerdict>,
        _: &dyn Context,
    ) -> Result<Summary> {
        for table in &request.tables {
            each(TableVerdict {
                oid: table.oid,
                verdict: Word::Unknown,
                reason: "never".to_owned(),
                evidence: request.baseline.clone(),
            })?;
        }
        Ok(Summary::default())
    }
}

/// Writes the names of the tables.
pub(crate) struct Echo;

impl Plugin for Echo {
    const ID: &'static str = "test.echo";
    const NAME: &'static str = "Echo";
    const VERSION: &'static str = "0.1.0";
    type Options = NoOptions;
    fn create(_: NoOptions) -> Result<Self> {
        Ok(Self)
    }
}

impl Dumper for Echo {
    fn probe(&self, _: &Target, _: &dyn Context) -> Result<DumperFacts> {
        Ok(DumperFacts {
            pg_dump: "15.1".to_owned(),
        })
    }
    fn dump(&self, request: &DumpRequest, into: &mut dyn Write, _: &dyn Context) -> Result<()> {
        for table in &request.tables {
            writeln!(into, "{}.{}", table.schema, table.name)?;
        }
        Ok(())
    }
}

/// Finds every odd length.
pub(crate) struct Counter;

impl Plugin for Counter {
    const ID: &'static str = "test.counter";
    const NAME: &'static str = "Counter";
    const VERSION: &'static str = "0.1.0";
    type Options = NoOptions;
    fn create(_: NoOptions) -> Result<Self> {
        Ok(Self)
    }
}

impl Validator for Counter {
    fn validate(
        &self,
        subject: &Subject,
        archive: &mut dyn BufRead,
        each: Each<'_, Finding>,
        _: &dyn Context,
    ) -> Result<()> {
        let mut bytes = Vec::new();
        archive.read_to_end(&mut bytes)?;
        if bytes.len() % 2 == 0 {
            return Ok(());
        }
        each(Finding {
            severity: Severity::Error,
            code: "odd".to_owned(),
            subject: subject.key.clone(),
            detail: format!("{} bytes", bytes.len()),
        })
    }
}
