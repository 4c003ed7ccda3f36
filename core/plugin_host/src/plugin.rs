//! A plugin ready for use: its file allowed, its options checked, its instance made.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use respaldo_domain::manifest::PluginUse;
use respaldo_domain::object::Sha256;
use respaldo_engine::ports::Context;
use serde_json::Value;

use crate::config::{Isolation, Limits, PluginConfig};
use crate::error::{PluginError, PluginErrorKind};
use crate::file::{self, SealedFile};
use crate::in_process::Local;
use crate::isolated::Isolated;
use crate::library::{Description, Kind, Library};
use crate::request::Request;
use crate::service::{Emit, Service, Streams};
use crate::{elf, options};

/// A plugin ready for use. Clones share its instance.
#[derive(Clone)]
pub struct Plugin {
    name: String,
    sha256: Sha256,
    description: Description,
    service: Arc<dyn Service>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.name)
            .field("id", &self.description.id)
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// Takes its file in, asks in a child what it is, checks its options, and makes its instance.
    pub fn load(config: &PluginConfig, kind: Kind) -> Result<Self, PluginError> {
        let (description, sealed) = describe(config, Some(kind))?;
        let sha256 = sealed.sha256;
        let service = service(config, &description, sealed)
            .map_err(|kind| kind.of(config.name.clone(), "starting it"))?;
        tracing::info!(
            plugin = config.name,
            path = %config.path.display(),
            %sha256,
            id = description.id,
            version = description.version,
            isolation = ?config.isolation,
            "a plugin is in use"
        );
        Ok(Self {
            name: config.name.clone(),
            sha256,
            description,
            service,
        })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `vendor.name`, by which manifests and readings know it.
    pub fn id(&self) -> &str {
        &self.description.id
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        self.description.kind
    }

    /// What was loaded, for a backup's record.
    pub fn used(&self) -> PluginUse {
        PluginUse {
            name: self.name.clone(),
            id: self.description.id.clone(),
            version: self.description.version.clone(),
            sha256: self.sha256,
        }
    }

    /// Memory of its process, where it has one, in bytes.
    pub fn resident_bytes(&self) -> Option<u64> {
        self.service.resident_bytes()
    }

    pub(crate) fn location(&self) -> String {
        self.service.location()
    }

    /// Makes a call.
    pub(crate) fn call(
        &self,
        request: &Request,
        streams: &mut Streams<'_>,
        cx: &Context,
    ) -> Result<(), PluginError> {
        let called = self.service.call(request, streams, cx);
        called.map_err(|kind| kind.of(&self.name, request.describe()))
    }

    /// Makes a call that only tells.
    pub(crate) fn ask(
        &self,
        request: &Request,
        emit: Emit<'_>,
        cx: &Context,
    ) -> Result<(), PluginError> {
        let mut streams = Streams {
            source: None,
            into: None,
            emit,
        };
        self.call(request, &mut streams, cx)
    }
}

/// What a configured plugin says of itself, whatever its kind; its options are checked, and no instance
/// is made.
pub fn identify(config: &PluginConfig) -> Result<Description, PluginError> {
    describe(config, None).map(|(description, _)| description)
}

/// Takes its file in, asks in a child what it is, and checks its options.
fn describe(
    config: &PluginConfig,
    kind: Option<Kind>,
) -> Result<(Description, SealedFile), PluginError> {
    let named =
        |doing: &'static str| move |kind: PluginErrorKind| kind.of(config.name.clone(), doing);
    let sealed =
        file::seal_pinned(&config.path, config.sha256).map_err(named("taking in its file"))?;
    elf::check(&sealed.memory, &config.allow_libraries).map_err(named("taking in its file"))?;
    let found = Isolated::describe(config, &sealed.memory).map_err(named("asking what it is"))?;
    let chosen = choose(config, kind, &found).map_err(named("asking what it is"))?;
    options::check(&config.options, &chosen.options_schema)
        .map_err(named("checking its options"))?;
    Ok((chosen, sealed))
}

/// What is known of a library without allowing it.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Its hash.
    pub sha256: Sha256,
    /// What is in it.
    pub plugins: Vec<Description>,
    /// Libraries that it needs.
    pub needed: Vec<String>,
    /// It names folders to load libraries from.
    pub has_run_path: bool,
    /// What it exports.
    pub exports: Vec<String>,
}

impl Examined {
    /// A library that it needs and that is not of the system.
    pub fn strange_libraries(&self) -> Option<&str> {
        let mut needed = self.needed.iter().map(String::as_str);
        needed.find(|name| !elf::is_of_the_system(name))
    }
}

/// Looks at a library, whatever its hash; it runs in a child that lives no longer.
pub fn examine(path: &Path, program: PathBuf) -> Result<Examined, PluginError> {
    let named = |kind: PluginErrorKind| kind.of(path.display().to_string(), "asking what it is");
    let sealed = file::seal(path).map_err(named)?;
    let linkage = elf::linkage(&sealed.memory).map_err(named)?;
    let config = PluginConfig {
        name: path.display().to_string(),
        path: path.to_owned(),
        id: None,
        sha256: sealed.sha256,
        isolation: Isolation::Process,
        options: Value::Null,
        env: Vec::new(),
        allow_libraries: Vec::new(),
        limits: Limits::default(),
        program,
    };
    Ok(Examined {
        sha256: sealed.sha256,
        plugins: Isolated::describe(&config, &sealed.memory).map_err(named)?,
        needed: linkage.needed,
        has_run_path: linkage.has_run_path,
        exports: linkage.exports,
    })
}

/// The one plugin that is meant: by its id, else by its kind, else the only one.
fn choose(
    config: &PluginConfig,
    kind: Option<Kind>,
    found: &[Description],
) -> Result<Description, PluginErrorKind> {
    let is_meant = |description: &&Description| match (&config.id, kind) {
        (Some(id), _) => description.id == *id,
        (None, Some(kind)) => description.kind == kind,
        (None, None) => true,
    };
    let meant: Vec<&Description> = found.iter().filter(is_meant).collect();
    let why = match meant.as_slice() {
        [one] if kind.is_none_or(|kind| one.kind == kind) => return Ok((*one).clone()),
        [_] => "another kind is wanted",
        [] => "what is wanted is not in it",
        _ => "`id` must say which is meant",
    };
    let has: Vec<String> = found
        .iter()
        .map(|description| format!("{} ({})", description.id, description.kind.word()))
        .collect();
    let wanted = kind.map_or("plugin", Kind::word);
    Err(PluginErrorKind::Refused(format!(
        "{why} (a {wanted}); it has {}",
        has.join(", ")
    )))
}

fn service(
    config: &PluginConfig,
    description: &Description,
    sealed: SealedFile,
) -> Result<Arc<dyn Service>, PluginErrorKind> {
    match config.isolation {
        Isolation::Process => {
            let id = description.id.clone();
            let isolated = Isolated::new(config.clone(), id, sealed.memory);
            isolated.start()?;
            Ok(Arc::new(isolated))
        }
        Isolation::InProcess => {
            let library = Library::open(sealed.memory)?;
            let options = config.options.to_string();
            let local = Local::create(&library, &config.name, &description.id, &options)?;
            Ok(Arc::new(local))
        }
    }
}
