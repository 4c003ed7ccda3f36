//! Strategies of third parties, by the names that the configuration gives them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use respaldo_contract::messages::ErrorCode;
use respaldo_domain::manifest::PluginUse;
use respaldo_dumpers::{ArchiveSource, DumperOptions, Foreign};
use respaldo_engine::ports::{
    ChangeDetector, Codec, Context, DumpRequest, Dumper, Fault, SourceTarget, StorageSink,
    Validator,
};
use respaldo_plugin_host::{
    Kind, Plugin, PluginDetector, PluginDump, PluginError, PluginSink, PluginValidator, identify,
};
use respaldo_postgres::Tools;

use crate::config::Config;
use crate::failure::Failure;

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        Self::of(ErrorCode::PluginUnusable, &error)
    }
}

/// The plugin of that name, where one is configured.
fn load(config: &Config, name: &str, kind: Kind) -> Option<Result<Plugin, Failure>> {
    let plugin = config.plugins.get(name)?;
    Some(Plugin::load(plugin, kind).map_err(Failure::from))
}

/// The detector of that name.
pub(super) fn detector(
    config: &Config,
    name: &str,
    tools: &Tools,
) -> Option<Result<Arc<dyn ChangeDetector>, Failure>> {
    let plugin = load(config, name, Kind::Detector)?;
    Some(plugin.map(|plugin| {
        Arc::new(PluginDetector::new(plugin, folder_of(tools))) as Arc<dyn ChangeDetector>
    }))
}

/// The dumper of that name.
pub(super) fn dumper(
    config: &Config,
    name: &str,
    tools: &Tools,
    options: &DumperOptions,
) -> Option<Result<Arc<dyn Dumper>, Failure>> {
    let plugin = load(config, name, Kind::Dumper)?;
    Some(plugin.map(|plugin| {
        let source = Stream(PluginDump::new(plugin, folder_of(tools)));
        Arc::new(Foreign::new(Arc::new(source), options)) as Arc<dyn Dumper>
    }))
}

/// The sink of that strategy under its own name.
pub(super) fn sink(
    config: &Config,
    strategy: &str,
    name: &str,
) -> Option<Result<Arc<dyn StorageSink>, Failure>> {
    let plugin = load(config, strategy, Kind::Sink)?;
    Some(plugin.map(|plugin| Arc::new(PluginSink::new(name, plugin)) as Arc<dyn StorageSink>))
}

/// The validators that are plugins, each once.
pub(super) fn validators(
    config: &Config,
    codec: &Arc<dyn Codec>,
) -> Result<Vec<Arc<dyn Validator>>, Failure> {
    let mut names: Vec<&str> = config
        .validators
        .iter()
        .map(|validator| validator.strategy.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter_map(|name| load(config, name, Kind::Validator))
        .map(|plugin| {
            let validator = PluginValidator::new(plugin?, Arc::clone(codec));
            Ok(Arc::new(validator) as Arc<dyn Validator>)
        })
        .collect()
}

/// What is in use, for manifests.
pub(super) fn in_use(config: &Config) -> Result<Vec<PluginUse>, Failure> {
    let strategies = [&config.detector.name, &config.dumper.name].into_iter();
    let sinks = config.sinks.iter().map(|sink| &sink.strategy);
    let validators = config
        .validators
        .iter()
        .map(|validator| &validator.strategy);
    let mut names: Vec<&String> = strategies.chain(sinks).chain(validators).collect();
    names.sort_unstable();
    names.dedup();
    let plugins = names
        .into_iter()
        .filter_map(|name| config.plugins.get(name));
    plugins
        .map(|plugin| {
            let description = identify(plugin)?;
            Ok(PluginUse {
                name: plugin.name.clone(),
                id: description.id,
                version: description.version,
                sha256: plugin.sha256,
            })
        })
        .collect()
}

fn folder_of(tools: &Tools) -> Option<PathBuf> {
    tools.pg_dump.path().parent().map(Path::to_owned)
}

/// What a plugin writes, as the dumpers take it.
struct Stream(PluginDump);

impl ArchiveSource for Stream {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn probe(&self, target: &SourceTarget, cx: &Context) -> Result<String, Fault> {
        self.0.probe(target, cx)
    }

    fn write(
        &self,
        request: &DumpRequest,
        into: &mut (dyn Write + Send),
        cx: &Context,
    ) -> Result<(), Fault> {
        self.0.write(request, into, cx)
    }
}
