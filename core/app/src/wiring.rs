//! From a configuration to the engine: the only place that names strategies.

mod plugins;
mod second_place;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use respaldo_catalog::{CatalogLimits, PgCatalog};
use respaldo_contract::messages::ErrorCode;
use respaldo_contract::operational::operational_tables;
use respaldo_detectors::DetectorOptions;
use respaldo_domain::manifest::PluginUse;
use respaldo_domain::second_place::CloudSettings;
use respaldo_domain::validation::ValidationLevel;
use respaldo_dumpers::DumperOptions;
use respaldo_engine::operations::{Operations, Parts, Settings};
use respaldo_engine::owed::Owed;
use respaldo_engine::ports::{Catalog, Codec, Fault, Notifier, Validator};
use respaldo_engine::store::{Store, StoreSink, Vault};
use respaldo_engine::validate::Deeper;
use respaldo_notifiers::{Healthcheck, Smtp, TIME_LIMIT, Webhook};
use respaldo_plugin_host::Kind;
use respaldo_postgres::{ConnInfo, LazyTools, Session, SessionOptions, Tools, server};
use respaldo_sinks::wrappers::{Retries, Wrapping};
use serde_json::Value;

use crate::codec::ContractCodec;
use crate::config::{Config, ConfigError, NotifySettings, SinkSettings, ValidatorTime};
use crate::failure::Failure;
use plugins::Plugins;
use second_place::InForce;

pub use plugins::Shelf;
pub use second_place::second_places;

/// Limits that are not configured in this version.
const LOCK_TIMEOUT_MS: u64 = 10_000;
const SNAPSHOT_ATTEMPTS: u32 = 5;
const YIELDS: u32 = 2;
const MAX_JOBS: usize = 4;
/// Of calls to a sink over a network.
const TRIES: u32 = 5;
/// Folder of the working folder in which sinks note what they have under way.
const UPLOADS: &str = "uploads";

/// The engine as configured, its tools found. `target` is another server that is restored to: its
/// version decides which tools are used, and the source need not be reachable.
pub fn operations(config: &Config, target: Option<&ConnInfo>) -> Result<Operations, Failure> {
    let tools = tools(config, target.unwrap_or(&config.source));
    with_tools(config, &tools, &Shelf::default())
}

/// The engine as configured, for a backup: its tools are looked for while it takes its lease, and where there are none
/// it says so.
pub fn operations_to_back_up(config: &Config) -> Result<Operations, Failure> {
    let tools = tools(config, &config.source);
    tools.look_ahead();
    Ok(Operations::new(parts(config, tools, &Shelf::default())?))
}

/// The engine as configured, for what is done with stored backups: tools are looked for where
/// something needs them after all.
pub fn operations_on_storage(config: &Config) -> Result<Operations, Failure> {
    let tools = tools(config, &config.source);
    Ok(Operations::new(parts(config, tools, &Shelf::default())?))
}

/// The engine as configured now, with plugins that an earlier one has left on the shelf.
pub fn operations_again(config: &Config, shelf: &Shelf) -> Result<Operations, Failure> {
    with_tools(config, &tools(config, &config.source), shelf)
}

/// Looks for the tools while the rest is put together.
fn with_tools(config: &Config, tools: &LazyTools, shelf: &Shelf) -> Result<Operations, Failure> {
    tools.look_ahead();
    let parts = parts(config, tools.clone(), shelf);
    tools.get()?;
    Ok(Operations::new(parts?))
}

/// The engine with the second place that is `asked` for here, whatever is stored.
pub fn operations_copying(config: &Config, asked: &CloudSettings) -> Result<Operations, Failure> {
    let (tools, catalog) = (tools(config, &config.source), catalog(config));
    let in_force = second_place::of(config, asked);
    let parts = parts_with(config, tools, &Shelf::default(), catalog, &in_force)?;
    Ok(Operations::new(parts))
}

/// The parts of the engine.
fn parts(config: &Config, tools: LazyTools, shelf: &Shelf) -> Result<Parts, Failure> {
    let catalog = catalog(config);
    let in_force = sinks_in_force(config, catalog.as_deref());
    parts_with(config, tools, shelf, catalog, &in_force)
}

fn parts_with(
    config: &Config,
    tools: LazyTools,
    shelf: &Shelf,
    catalog: Option<Arc<dyn Catalog>>,
    in_force: &InForce,
) -> Result<Parts, Failure> {
    check_names(config)?;
    let mut plugins = Plugins::of(config, shelf);
    let codec: Arc<dyn Codec> = Arc::new(ContractCodec);
    #[cfg_attr(
        not(feature = "drill"),
        expect(unused_mut, reason = "a drill is added")
    )]
    let mut parts = Parts {
        source: config.source.clone(),
        detector: detector(config, &mut plugins, &tools)?,
        dumper: dumper(config, &mut plugins, &tools)?,
        store: Arc::new(store_of(config, &in_force.sinks, &mut plugins)?),
        validators: validators(&mut plugins, &codec)?,
        catalog,
        settings: settings(config, in_force, plugins.used())?,
        tools,
        codec,
    };
    #[cfg(feature = "drill")]
    add_drill(&mut parts);
    Ok(parts)
}

/// A rehearsal is restored by the same engine; it leaves no trace in the catalog.
#[cfg(feature = "drill")]
fn add_drill(parts: &mut Parts) {
    let rehearsals = Operations::new(Parts {
        catalog: None,
        ..parts.clone()
    });
    parts
        .validators
        .push(Arc::new(respaldo_validators::Drill::new(rehearsals)));
}

/// Tools that can read the server. Where it does not answer any tools serve: what needs the
/// server fails by itself, and what does not (showing, validating) works.
fn tools(config: &Config, server: &ConnInfo) -> LazyTools {
    let (pg_bin_path, server) = (config.pg_bin_path.clone(), server.clone());
    LazyTools::new(move || {
        let version = Session::connect(&server, &SessionOptions::default())
            .and_then(|mut session| server::version_num(&mut session));
        let version = version.unwrap_or_else(|error| {
            tracing::debug!(%error, "the server's version is not known");
            0
        });
        Tools::find(pg_bin_path.as_deref(), version)
    })
}

/// The sinks as one store.
pub fn store(config: &Config) -> Result<Store, Failure> {
    let sinks = sinks_in_force(config, catalog(config).as_deref()).sinks;
    store_of(config, &sinks, &mut Plugins::of(config, &Shelf::default()))
}

/// The configured sinks, and what the existing panel asks for.
pub fn sinks_in_force(config: &Config, catalog: Option<&dyn Catalog>) -> InForce {
    second_place::in_force(config, &work_dir(config), catalog)
}

fn store_of(
    config: &Config,
    sinks: &[SinkSettings],
    plugins: &mut Plugins<'_>,
) -> Result<Store, Failure> {
    let sink = |sink: &SinkSettings| {
        Ok(StoreSink {
            sink: wrapping(sink)?.around(sink_of(plugins, sink)?),
            required: sink.required,
        })
    };
    let store = Store::new(sinks.iter().map(sink).collect::<Result<_, Failure>>()?);
    Ok(match &config.encryption.age {
        Some(age) => store.with_vault(Vault::new(age.clone(), &work_dir(config))),
        None => store,
    })
}

fn sink_of(
    plugins: &mut Plugins<'_>,
    settings: &SinkSettings,
) -> Result<Arc<dyn respaldo_engine::ports::StorageSink>, Failure> {
    if let Some(sink) = plugins.sink(&settings.strategy, &settings.name)? {
        return match settings.options.keys().next() {
            None => Ok(sink),
            Some(option) => Err(option_of_plugin(option, &settings.strategy).into()),
        };
    }
    let options = Value::Object(settings.options.clone());
    let uploads = work_dir(plugins.config()).join(UPLOADS);
    let wanted = respaldo_sinks::Wanted {
        name: &settings.name,
        options,
        notes: Some(&uploads),
    };
    respaldo_sinks::make(&settings.strategy, wanted).map_err(|error| match error {
        respaldo_sinks::SinkConfigError::Unknown(name) => {
            unknown("sink.use", &name, &respaldo_sinks::names())
        }
        error @ respaldo_sinks::SinkConfigError::Options { .. } => {
            Failure::of(ErrorCode::ConfigInvalid, &error)
        }
    })
}

fn option_of_plugin(option: &str, plugin: &str) -> ConfigError {
    ConfigError::BadValue {
        key: format!("sink.{option}"),
        problem: format!("belongs to the plugin: put it into [plugins.{plugin}.options]"),
    }
}

/// What a sink is wrapped in. Calls over a network are tried again unless told otherwise.
fn wrapping(settings: &SinkSettings) -> Result<Wrapping, Failure> {
    let usual = if is_remote(settings) { TRIES } else { 1 };
    let tries = settings.tries.unwrap_or(usual);
    Ok(Wrapping {
        retries: (tries > 1).then(|| Retries::of(tries)),
        max_rate_bytes: settings.max_rate_bytes()?,
        max_parallel: settings.max_parallel,
        verify: settings.verify,
    })
}

fn is_remote(settings: &SinkSettings) -> bool {
    !settings.is_local() && respaldo_sinks::names().contains(&settings.strategy.as_str())
}

/// What sinks are owed; nothing where that cannot be told.
pub fn owed(config: &Config) -> Owed {
    Owed::of_folder(&work_dir(config))
}

/// The ways to tell that are configured.
pub fn notifiers(notify: &NotifySettings) -> Result<Vec<Arc<dyn Notifier>>, Failure> {
    let invalid = |fault: Fault| Failure::of(ErrorCode::ConfigInvalid, &fault);
    let mut ways: Vec<Arc<dyn Notifier>> = Vec::new();
    if let Some(address) = &notify.webhook {
        ways.push(Arc::new(
            Webhook::new(address, TIME_LIMIT).map_err(invalid)?,
        ));
    }
    if let Some(address) = &notify.healthcheck {
        ways.push(Arc::new(
            Healthcheck::new(address, TIME_LIMIT).map_err(invalid)?,
        ));
    }
    if let Some(smtp) = &notify.smtp {
        ways.push(Arc::new(Smtp::new(smtp, TIME_LIMIT).map_err(invalid)?));
    }
    Ok(ways)
}

fn detector(
    config: &Config,
    plugins: &mut Plugins<'_>,
    tools: &LazyTools,
) -> Result<Arc<dyn respaldo_engine::ports::ChangeDetector>, Failure> {
    let name = &config.detector.name;
    if let Some(detector) = plugins.detector(name, tools)? {
        return Ok(detector);
    }
    respaldo_detectors::by_name(name, &detector_options(config)?)
        .ok_or_else(|| unknown("detector.use", name, respaldo_detectors::NAMES))
}

/// The options of the detectors that come with respaldo. What a slot on the server is known by is
/// the repository: two repositories of one database have a slot each.
pub fn detector_options(config: &Config) -> Result<DetectorOptions, ConfigError> {
    let options: DetectorOptions = config.detector.options("detector")?;
    let repository = std::path::absolute(&config.repository);
    let repository = repository.unwrap_or_else(|_| config.repository.clone());
    Ok(DetectorOptions {
        slot_owner: repository.to_string_lossy().into_owned(),
        ..options
    })
}

fn dumper(
    config: &Config,
    plugins: &mut Plugins<'_>,
    tools: &LazyTools,
) -> Result<Arc<dyn respaldo_engine::ports::Dumper>, Failure> {
    let name = &config.dumper.name;
    let options: DumperOptions = config.dumper.options("dumper")?;
    if let Some(dumper) = plugins.dumper(name, tools, &options)? {
        return Ok(dumper);
    }
    respaldo_dumpers::with_options(name, tools, &options)
        .ok_or_else(|| unknown("dumper.use", name, respaldo_dumpers::NAMES))
}

/// One validator per level but the drill, which needs the engine itself; then those of plugins.
fn validators(
    plugins: &mut Plugins<'_>,
    codec: &Arc<dyn Codec>,
) -> Result<Vec<Arc<dyn Validator>>, Failure> {
    let own = respaldo_validators::NAMES
        .iter()
        .filter_map(|name| respaldo_validators::by_name(name, codec));
    Ok(own.chain(plugins.validators(codec)?).collect())
}

/// A plugin may not pass for a strategy that comes with respaldo.
fn check_names(config: &Config) -> Result<(), Failure> {
    let taken = config.plugins.keys().find(|name| is_built_in(name));
    match taken {
        Some(name) => Err(ConfigError::BadValue {
            key: format!("plugins.{name}"),
            problem: "a strategy that comes with respaldo has this name; choose another".to_owned(),
        }
        .into()),
        None => Ok(()),
    }
}

/// Whether a strategy that comes with respaldo has this name.
pub fn is_built_in(name: &str) -> bool {
    built_in().iter().any(|(_, built_in)| *built_in == name)
}

/// The strategies that come with respaldo, by what they are.
pub fn built_in() -> Vec<(Kind, &'static str)> {
    let of = |kind: Kind, names: &[&'static str]| -> Vec<(Kind, &'static str)> {
        names.iter().map(|name| (kind, *name)).collect()
    };
    [
        of(Kind::Detector, respaldo_detectors::NAMES),
        of(Kind::Dumper, respaldo_dumpers::NAMES),
        of(Kind::Sink, &respaldo_sinks::names()),
        of(Kind::Validator, respaldo_validators::NAMES),
        #[cfg(feature = "drill")]
        of(Kind::Validator, &[respaldo_validators::drill::NAME]),
    ]
    .concat()
}

/// The catalog; the witness of lineage lies in it where it is in the source database.
pub fn catalog(config: &Config) -> Option<Arc<dyn Catalog>> {
    let info = config.catalog.clone()?;
    let catalog = PgCatalog::connect(info, CatalogLimits::default());
    Some(Arc::new(catalog.of_source(config.source.clone())))
}

fn settings(
    config: &Config,
    in_force: &InForce,
    plugins: Vec<PluginUse>,
) -> Result<Settings, Failure> {
    let dumper: DumperOptions = config.dumper.options("dumper")?;
    Ok(Settings {
        work_dir: work_dir(config),
        operational: operational_tables(),
        exclude_schemas: config.exclude_schemas.clone(),
        exclude_tables: config.exclude_tables.clone(),
        lock_timeout_ms: LOCK_TIMEOUT_MS,
        take_over_from: dumper.take_over_from,
        snapshot_attempts: SNAPSHOT_ATTEMPTS,
        yields: YIELDS,
        validate_after: levels_after(config)?,
        validate_on_schedule: Deeper {
            daily: deepest(config, ValidatorTime::Daily)?,
            weekly: deepest(config, ValidatorTime::Weekly)?,
        },
        jobs: std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MAX_JOBS),
        retention: config.retention,
        expire_after_backup: config.expire_after_backup,
        schedule: config.schedule.clone(),
        maintenance_user_id: config.maintenance_user_id,
        second_places: second_places(&in_force.sinks),
        second_place_note: in_force.note.clone(),
        plugins,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Beside the objects of the local sink, on the same file system, under a name that no sink takes
/// for an object.
pub fn work_dir(config: &Config) -> PathBuf {
    let folder =
        std::path::absolute(&config.repository).unwrap_or_else(|_| config.repository.clone());
    folder.join(Path::new(".respaldo"))
}

/// Levels looked at after each backup: the deepest one named and all before it.
fn levels_after(config: &Config) -> Result<Vec<ValidationLevel>, Failure> {
    let deepest = deepest(config, ValidatorTime::AfterBackup)?;
    let deepest = deepest.unwrap_or(ValidationLevel::Presence);
    Ok(ValidationLevel::ALL
        .into_iter()
        .filter(|level| *level <= deepest)
        .collect())
}

/// The deepest level named for a time.
fn deepest(config: &Config, when: ValidatorTime) -> Result<Option<ValidationLevel>, Failure> {
    let mut deepest = None;
    let validators = config.validators.iter();
    for validator in validators.filter(|validator| validator.when == when) {
        deepest = deepest.max(Some(level_of(config, &validator.strategy)?));
    }
    Ok(deepest)
}

fn level_of(config: &Config, name: &str) -> Result<ValidationLevel, Failure> {
    if config.plugins.contains_key(name) {
        return Ok(respaldo_plugin_host::VALIDATORS_LEVEL);
    }
    let codec: Arc<dyn Codec> = Arc::new(ContractCodec);
    #[cfg(feature = "drill")]
    if name == respaldo_validators::drill::NAME {
        return Ok(ValidationLevel::Drill);
    }
    let validator = respaldo_validators::by_name(name, &codec);
    validator.map(|validator| validator.level()).ok_or_else(|| {
        let validators = built_in()
            .into_iter()
            .filter(|(kind, _)| *kind == Kind::Validator);
        let names: Vec<&'static str> = validators.map(|(_, name)| name).collect();
        unknown("validator.use", name, &names)
    })
}

fn unknown(key: &str, name: &str, choices: &[&'static str]) -> Failure {
    let (key, name, choices) = (key.to_owned(), name.to_owned(), choices.to_vec());
    ConfigError::UnknownName { key, name, choices }.into()
}
