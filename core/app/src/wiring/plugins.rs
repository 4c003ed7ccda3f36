//! Strategies of third parties, by the names that the configuration gives them.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use respaldo_contract::messages::ErrorCode;
use respaldo_domain::manifest::PluginUse;
use respaldo_dumpers::{ArchiveSource, DumperOptions, Foreign};
use respaldo_engine::ports::{
    ChangeDetector, Codec, Context, DumpRequest, Dumper, Fault, SourceTarget, StorageSink,
    Validator,
};
use respaldo_plugin_host::{
    Kind, Plugin, PluginConfig, PluginDetector, PluginDump, PluginError, PluginSink,
    PluginValidator,
};
use respaldo_postgres::LazyTools;

use crate::config::Config;
use crate::failure::Failure;

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        Self::of(ErrorCode::PluginUnusable, &error)
    }
}

/// Plugins that stay loaded from one engine to the next, as long as they are configured alike.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Vec<(PluginConfig, Plugin)>>);

impl Shelf {
    /// The next engine loads anew.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The plugin of this configuration, loaded now or before.
    fn take(&self, config: &PluginConfig, kind: Kind) -> Result<Plugin, PluginError> {
        let mut loaded = self.lock();
        let is_it = |(of, plugin): &&(PluginConfig, Plugin)| of == config && plugin.kind() == kind;
        if let Some((_, plugin)) = loaded.iter().find(is_it) {
            return Ok(plugin.clone());
        }
        let plugin = Plugin::load(config, kind)?;
        // Another one of its name is no longer configured so.
        loaded.retain(|(of, _)| of.name != config.name);
        loaded.push((config.clone(), plugin.clone()));
        Ok(plugin)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(PluginConfig, Plugin)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Loads plugins and remembers which are in use.
pub(super) struct Plugins<'c> {
    config: &'c Config,
    shelf: &'c Shelf,
    used: Vec<PluginUse>,
}

impl<'c> Plugins<'c> {
    pub(super) fn of(config: &'c Config, shelf: &'c Shelf) -> Self {
        Self {
            config,
            shelf,
            used: Vec::new(),
        }
    }

    /// The configuration that names them.
    pub(super) fn config(&self) -> &'c Config {
        self.config
    }

    /// What was loaded, for manifests.
    pub(super) fn used(mut self) -> Vec<PluginUse> {
        self.used.sort_by(|a, b| a.name.cmp(&b.name));
        self.used.dedup();
        self.used
    }

    /// The plugin of that name, where one is configured.
    fn load(&mut self, name: &str, kind: Kind) -> Result<Option<Plugin>, Failure> {
        let Some(config) = self.config.plugins.get(name) else {
            return Ok(None);
        };
        let plugin = self.shelf.take(config, kind)?;
        self.used.push(plugin.used());
        Ok(Some(plugin))
    }

    /// The detector of that name.
    pub(super) fn detector(
        &mut self,
        name: &str,
        tools: &LazyTools,
    ) -> Result<Option<Arc<dyn ChangeDetector>>, Failure> {
        let plugin = self.load(name, Kind::Detector)?;
        Ok(plugin.map(|plugin| Arc::new(PluginDetector::new(plugin, tools.clone())) as _))
    }

    /// The dumper of that name.
    pub(super) fn dumper(
        &mut self,
        name: &str,
        tools: &LazyTools,
        options: &DumperOptions,
    ) -> Result<Option<Arc<dyn Dumper>>, Failure> {
        let plugin = self.load(name, Kind::Dumper)?;
        Ok(plugin.map(|plugin| {
            let source = Stream(PluginDump::new(plugin, tools.clone()));
            Arc::new(Foreign::new(Arc::new(source), options)) as _
        }))
    }

    /// The sink of that strategy under its own name.
    pub(super) fn sink(
        &mut self,
        strategy: &str,
        name: &str,
    ) -> Result<Option<Arc<dyn StorageSink>>, Failure> {
        let plugin = self.load(strategy, Kind::Sink)?;
        Ok(plugin.map(|plugin| Arc::new(PluginSink::new(name, plugin)) as _))
    }

    /// The validators that are plugins, each once.
    pub(super) fn validators(
        &mut self,
        codec: &Arc<dyn Codec>,
    ) -> Result<Vec<Arc<dyn Validator>>, Failure> {
        let configured = self.config.validators.iter();
        let mut names: Vec<&str> = configured.map(|one| one.strategy.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut validators: Vec<Arc<dyn Validator>> = Vec::new();
        for name in names {
            if let Some(plugin) = self.load(name, Kind::Validator)? {
                validators.push(Arc::new(PluginValidator::new(plugin, Arc::clone(codec))));
            }
        }
        Ok(validators)
    }
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
