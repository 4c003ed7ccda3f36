//! The sink that the existing panel asks for, besides those that are configured.

use std::path::{Path, PathBuf};

use respaldo_contract::settings::cloud;
use respaldo_domain::second_place::{CloudSettings, Provider};
use respaldo_engine::ports::Catalog;
use serde_json::Value;

use crate::config::{Config, SinkSettings};

/// Name of the sink where the panel's folder is.
const NAME: &str = "nube";
/// What the panel said last, for when the catalog does not answer.
const REMEMBERED: &str = "cloud.json";

/// The sinks of a run.
pub struct InForce {
    /// Those to be used.
    pub sinks: Vec<SinkSettings>,
    /// What the panel asks for and is done in another way, or not at all.
    pub note: Option<String>,
}

/// The configured sinks, and what the panel asks for. `catalog`: where its setting is stored.
pub fn in_force(config: &Config, work_dir: &Path, catalog: Option<&dyn Catalog>) -> InForce {
    decide(&config.sinks, &config.repository, &asked(work_dir, catalog))
}

/// The configured sinks, and what is asked for here.
pub fn of(config: &Config, asked: &CloudSettings) -> InForce {
    decide(&config.sinks, &config.repository, asked)
}

/// What the panel asks for now, else what it asked for last.
fn asked(work_dir: &Path, catalog: Option<&dyn Catalog>) -> CloudSettings {
    let path = work_dir.join(REMEMBERED);
    let Some(catalog) = catalog else {
        return CloudSettings::default();
    };
    match catalog.cloud() {
        Ok(stored) => {
            let stored = stored.unwrap_or_default();
            remember(&path, &stored);
            stored
        }
        Err(fault) => {
            tracing::debug!(%fault, "where copies go is taken from what is remembered");
            let read = std::fs::read_to_string(&path).unwrap_or_default();
            cloud::parse(&read).value
        }
    }
}

/// Written only where it is another, and only into a folder that is there.
fn remember(path: &Path, settings: &CloudSettings) {
    let text = cloud::to_json(settings);
    let known = std::fs::read_to_string(path).ok();
    let is_new = known.as_ref() != Some(&text);
    let is_worth = known.is_some() || *settings != CloudSettings::default();
    let has_folder = path.parent().is_some_and(Path::is_dir);
    if is_new
        && is_worth
        && has_folder
        && let Err(error) = std::fs::write(path, text)
    {
        tracing::debug!(%error, "where copies go is not remembered");
    }
}

fn decide(configured: &[SinkSettings], repository: &Path, asked: &CloudSettings) -> InForce {
    let (followers, sinks): (Vec<_>, Vec<_>) = configured
        .iter()
        .cloned()
        .partition(|sink| sink.follows_panel);
    let mut in_force = InForce { sinks, note: None };
    if !asked.enabled {
        return in_force;
    }
    let fits = |sink: &SinkSettings| provider_of(sink) == asked.provider;
    let mut fitting = followers.into_iter().filter(fits).peekable();
    if fitting.peek().is_some() {
        in_force.sinks.extend(fitting);
        return in_force;
    }
    if asked.provider != Provider::Local {
        in_force.note = Some(not_configured(asked));
    } else if asked.sync_dir.trim().is_empty() {
        in_force.note = Some("copies are switched on, and no folder is named".to_owned());
    }
    let folder = PathBuf::from(asked.sync_dir.trim());
    if !folder.as_os_str().is_empty() && !is_used(&in_force.sinks, repository, &folder) {
        in_force.sinks.push(folder_sink(&folder, &in_force.sinks));
    }
    in_force
}

fn not_configured(asked: &CloudSettings) -> String {
    let kind = match asked.provider {
        Provider::GoogleDrive => "google-drive",
        _ => "s3",
    };
    let instead = match asked.sync_dir.trim() {
        "" => "nothing is copied".to_owned(),
        folder => format!("copies go to {folder} instead"),
    };
    format!(
        "the panel asks for copies to {kind}, and no [[sink]] of that kind has follows_panel = true: {instead}"
    )
}

/// Whether a folder is one that backups go to anyway.
fn is_used(sinks: &[SinkSettings], repository: &Path, folder: &Path) -> bool {
    let is_dir = |sink: &SinkSettings| {
        sink.is_local()
            && sink
                .options
                .get("dir")
                .and_then(Value::as_str)
                .map(Path::new)
                == Some(folder)
    };
    folder == repository || sinks.iter().any(is_dir)
}

fn folder_sink(folder: &Path, sinks: &[SinkSettings]) -> SinkSettings {
    let is_taken = sinks.iter().any(|sink| sink.name == NAME);
    let name = if is_taken { "nube-panel" } else { NAME };
    let mut sink = SinkSettings::local(name);
    sink.required = false;
    sink.follows_panel = true;
    let dir = Value::from(folder.to_string_lossy());
    sink.options.insert("dir".to_owned(), dir);
    sink
}

/// What the existing system calls the place where a sink stores.
fn provider_of(sink: &SinkSettings) -> Provider {
    respaldo_sinks::kind(&sink.strategy).map_or(Provider::Local, |kind| kind.provider)
}

/// The sinks that are second places: those that the panel asked for, then all over a network.
pub fn second_places(sinks: &[SinkSettings]) -> Vec<(String, Provider)> {
    let named = |sink: &SinkSettings| (sink.name.clone(), provider_of(sink));
    let asked = sinks.iter().filter(|sink| sink.follows_panel).map(named);
    let over_network =
        |sink: &&SinkSettings| !sink.follows_panel && provider_of(sink) != Provider::Local;
    let others = sinks.iter().filter(over_network).map(named);
    asked.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(provider: Provider, sync_dir: &str) -> CloudSettings {
        CloudSettings {
            enabled: true,
            sync_dir: sync_dir.to_owned(),
            provider,
        }
    }

    fn bucket(follows_panel: bool) -> SinkSettings {
        SinkSettings {
            strategy: "s3".to_owned(),
            required: false,
            follows_panel,
            ..SinkSettings::local("bucket")
        }
    }

    fn names(in_force: &InForce) -> Vec<&str> {
        in_force
            .sinks
            .iter()
            .map(|sink| sink.name.as_str())
            .collect()
    }

    #[test]
    fn a_switched_on_folder_is_an_optional_sink() {
        let configured = [SinkSettings::local("local")];
        let found = decide(
            &configured,
            Path::new("/r"),
            &asked(Provider::Local, "/copias"),
        );
        assert_eq!(names(&found), ["local", "nube"]);
        assert!(!found.sinks[1].required && found.note.is_none());
        assert_eq!(
            second_places(&found.sinks),
            [("nube".to_owned(), Provider::Local)]
        );
        let off = decide(&configured, Path::new("/r"), &CloudSettings::default());
        assert_eq!(names(&off), ["local"]);
        let same = decide(&configured, Path::new("/r"), &asked(Provider::Local, "/r"));
        assert_eq!(names(&same), ["local"]);
    }

    #[test]
    fn a_provider_that_is_configured_is_used_only_while_the_panel_asks_for_it() {
        let configured = [SinkSettings::local("local"), bucket(true)];
        let on = decide(
            &configured,
            Path::new("/r"),
            &asked(Provider::S3, "/copias"),
        );
        assert_eq!(names(&on), ["local", "bucket"]);
        assert!(on.note.is_none());
        let off = decide(&configured, Path::new("/r"), &CloudSettings::default());
        assert_eq!(names(&off), ["local"]);
        let always = decide(&[bucket(false)], Path::new("/r"), &CloudSettings::default());
        assert_eq!(names(&always), ["bucket"]);
    }

    #[test]
    fn a_provider_that_is_not_configured_falls_back_to_the_folder_and_that_is_said() {
        let configured = [SinkSettings::local("local")];
        let found = decide(
            &configured,
            Path::new("/r"),
            &asked(Provider::GoogleDrive, "/copias"),
        );
        assert_eq!(names(&found), ["local", "nube"]);
        assert!(found.note.unwrap().contains("copies go to /copias"));
        let nowhere = decide(&configured, Path::new("/r"), &asked(Provider::S3, ""));
        assert_eq!(names(&nowhere), ["local"]);
        assert!(nowhere.note.unwrap().contains("nothing is copied"));
    }
}
