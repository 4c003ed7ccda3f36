//! A plugin that writes archives.
//!
//! It gives a stream in pg_dump's custom format; whoever uses it reads that stream as it would read
//! pg_dump's, compresses anew, counts rows, and checks that what was asked for is in it.

use std::io::Write;

use respaldo_engine::ports::{Context, DumpRequest, Fault, SourceTarget};
use respaldo_postgres::LazyTools;
use respaldo_sdk::records::{self, DumperFacts};

use super::{document, json, records as convert};
use crate::plugin::Plugin;
use crate::request::Request;
use crate::service::Streams;

/// A plugin that writes archives.
pub struct PluginDump {
    plugin: Plugin,
    tools: LazyTools,
}

impl PluginDump {
    /// The dumper of a plugin, with the tools that it may use.
    pub fn new(plugin: Plugin, tools: LazyTools) -> Self {
        Self { plugin, tools }
    }

    /// Name in manifests.
    pub fn name(&self) -> &str {
        self.plugin.id()
    }

    /// Checks that it can dump this source and returns the version of the pg_dump it uses.
    pub fn probe(&self, target: &SourceTarget, cx: &Context) -> Result<String, Fault> {
        let target = convert::target(target, &self.tools)?;
        let request = Request::DumperProbe {
            request: json(&target)?,
        };
        let facts: DumperFacts = document(&self.plugin, &request, cx)?;
        Ok(facts.pg_dump)
    }

    /// Writes the archive's stream.
    pub fn write(
        &self,
        request: &DumpRequest,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        let names =
            |names: &[respaldo_domain::table::TableName]| names.iter().map(convert::name).collect();
        let record = records::DumpRequest {
            target: convert::target(&request.target, &self.tools)?,
            snapshot: request.snapshot.clone(),
            tables: request
                .tables
                .iter()
                .map(|table| convert::name(&table.name))
                .collect(),
            definition_only: names(&request.definition_only),
            leave_out: names(&request.leave_out),
            exclude_schemas: request.exclude_schemas.clone(),
            large_objects: request.large_objects,
            lock_timeout_ms: request.lock_timeout_ms,
        };
        let call = Request::Dump {
            request: json(&record)?,
        };
        let mut streams = Streams {
            source: None,
            into: Some(into),
            emit: &mut |_| Ok(()),
        };
        Ok(self.plugin.call(&call, &mut streams, cx)?)
    }
}
