//! Examines a library as a user of it would suffer from it: the file, what it says of itself, its calls,
//! and at last a whole chain of backups on a server of its own through it.
//!
//! Every look is made through a child process, so that a plugin which dies is a finding and not an end.

mod library;
mod sink;

use std::path::Path;

use respaldo_contract::messages::ErrorCode;
use respaldo_domain::object::Sha256;
use respaldo_engine::ports::Context;
use respaldo_plugin_host::{
    Description, Examined, Isolation, Kind, Limits, Plugin, PluginConfig, examine,
};
use serde_json::Value;

use crate::config::{Config, SinkSettings, ValidatorSettings, ValidatorTime};
use crate::demo::{Narrator, rehearse_with};
use crate::failure::{Failure, reason_of};

/// Name of the plugin in the configuration of its examination.
const NAME: &str = "examined";

/// What an examination found.
pub struct Examination {
    /// The library's hash.
    pub sha256: Sha256,
    /// What was examined.
    pub description: Description,
    /// Every promise, and what is wrong where one is not kept.
    pub promises: Vec<Promise>,
}

/// A promise and how it is broken, if it is.
pub struct Promise {
    /// What it belongs to.
    pub section: Section,
    /// What is promised.
    pub text: String,
    /// Why it is not kept.
    pub broken: Option<String>,
}

/// What a promise belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The file and what it says of itself.
    Library,
    /// Making instances.
    Instance,
    /// Its calls.
    Behaviour,
    /// A chain of backups.
    Chain,
}

impl Section {
    /// The word for it in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Library => "biblioteca",
            Self::Instance => "instancia",
            Self::Behaviour => "comportamiento",
            Self::Chain => "cadena",
        }
    }
}

/// Examines one plugin of a library. Fails only where nothing can be examined at all.
pub fn run(
    path: &Path,
    id: Option<&str>,
    options: Value,
    narrator: &Narrator<'_>,
    cx: &Context,
) -> Result<Examination, Failure> {
    let found = examine(path, PluginConfig::own_program())?;
    let description = library::choose(&found, id)?;
    let mut promises = library::promises(&found, &description);
    let config = configuration(path, &found, &description, options);
    let mut made = instances(&config, description.kind);
    let usable = made.iter().all(|promise| promise.broken.is_none());
    promises.append(&mut made);
    if usable {
        if description.kind == Kind::Sink {
            promises.extend(sink::promises(&config)?);
        }
        promises.push(chain(&config, description.kind, narrator, cx)?);
    }
    Ok(Examination {
        sha256: found.sha256,
        description,
        promises,
    })
}

fn configuration(
    path: &Path,
    found: &Examined,
    description: &Description,
    options: Value,
) -> PluginConfig {
    PluginConfig {
        name: NAME.to_owned(),
        path: path.to_owned(),
        id: Some(description.id.clone()),
        sha256: found.sha256,
        isolation: Isolation::Process,
        options,
        env: Vec::new(),
        allow_libraries: found.needed.clone(),
        limits: Limits::default(),
        program: PluginConfig::own_program(),
    }
}

fn instances(config: &PluginConfig, kind: Kind) -> Vec<Promise> {
    let of = |promise: &str, broken: Option<String>| Promise {
        section: Section::Instance,
        text: promise.to_owned(),
        broken,
    };
    let made = Plugin::load(config, kind)
        .err()
        .map(|error| reason_of(&error));
    if made.is_some() {
        return vec![of("an instance is made with these options", made)];
    }
    let mut strange = config.clone();
    if let Value::Object(options) = &mut strange.options {
        options.insert("no_such_option".to_owned(), Value::Null);
    }
    let refused = match Plugin::load(&strange, kind) {
        Ok(_) => Some("an option that it does not have was taken without a word".to_owned()),
        Err(_) => None,
    };
    let again = (0..10).find_map(|_| Plugin::load(config, kind).err());
    vec![
        of("an instance is made with these options", None),
        of("options that it does not have are refused", refused),
        of(
            "instances are made and ended again and again",
            again.map(|error| reason_of(&error)),
        ),
    ]
}

/// The rehearsal of `respaldo demo`, with this plugin in its place.
fn chain(
    plugin: &PluginConfig,
    kind: Kind,
    narrator: &Narrator<'_>,
    cx: &Context,
) -> Result<Promise, Failure> {
    let cast = |config: &mut Config| {
        config.plugins.insert(NAME.to_owned(), plugin.clone());
        cast(config, kind, NAME);
    };
    let rehearsed = rehearse_with(narrator, &cast, cx);
    let broken = match rehearsed {
        Err(failure) if failure.code == ErrorCode::Interrupted => return Err(failure),
        Err(failure) => Some(failure.causes.join(": ")),
        Ok(rehearsal) => rehearsal
            .proofs
            .iter()
            .flat_map(|proof| &proof.differences)
            .next()
            .map(|table| format!("after a restore {table} is not what it was")),
    };
    Ok(Promise {
        section: Section::Chain,
        text:
            "full, differential and incremental backups made through it are validated, restored, \
                  and equal what the database held"
                .to_owned(),
        broken,
    })
}

/// Gives a strategy the part of its kind.
fn cast(config: &mut Config, kind: Kind, name: &str) {
    match kind {
        Kind::Detector => name.clone_into(&mut config.detector.name),
        Kind::Dumper => name.clone_into(&mut config.dumper.name),
        Kind::Sink => {
            config.sinks = vec![SinkSettings {
                strategy: name.to_owned(),
                ..SinkSettings::local(name)
            }];
        }
        Kind::Validator => config.validators.push(ValidatorSettings {
            strategy: name.to_owned(),
            when: ValidatorTime::AfterBackup,
        }),
    }
}

#[cfg(test)]
mod tests {
    use respaldo_contract::messages::Lang;

    use super::*;
    use crate::wiring::built_in;

    /// What is asked of a plugin is asked of each strategy that comes along.
    fn all_serve_a_chain(kind: Kind) {
        let narrator = Narrator {
            lang: Lang::En,
            say: &|_| {},
        };
        // Sinks of servers have a suite of their own, on servers.
        let is_here = |name: &str| kind != Kind::Sink || name == "local";
        let of_kind = built_in()
            .into_iter()
            .filter(|(of, name)| *of == kind && is_here(name));
        for (_, name) in of_kind {
            // The folder of a local sink comes with the configuration.
            let part = |config: &mut Config| match kind {
                Kind::Sink => assert!(config.sinks[0].is_local()),
                _ => cast(config, kind, name),
            };
            let rehearsed = rehearse_with(&narrator, &part, &Context::quiet());
            let proofs = rehearsed.unwrap_or_else(|f| panic!("{name}: {f:?}")).proofs;
            let differing = proofs.iter().flat_map(|proof| &proof.differences).next();
            assert_eq!(differing, None, "{name}");
        }
    }

    #[test]
    fn every_detector_that_comes_along_serves_the_chain_of_the_check() {
        all_serve_a_chain(Kind::Detector);
    }

    #[test]
    fn every_dumper_that_comes_along_serves_the_chain_of_the_check() {
        all_serve_a_chain(Kind::Dumper);
    }

    #[test]
    fn every_sink_that_comes_along_serves_the_chain_of_the_check() {
        all_serve_a_chain(Kind::Sink);
    }

    #[test]
    fn every_validator_that_comes_along_serves_the_chain_of_the_check() {
        all_serve_a_chain(Kind::Validator);
    }
}
