//! Whether the engine could make a backup now: everything it would need is tried, nothing is made.

use respaldo_postgres::{Session, SessionOptions, server};

use crate::intent::WorkDir;
use crate::parts::Parts;
use crate::ports::{Context, Fault, SourceTarget};

/// What is not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The source database.
    #[error("the source database cannot be used")]
    Source(#[source] Fault),
    /// The tools cannot dump it.
    #[error("the tools cannot dump it")]
    Tools(#[source] Fault),
    /// The catalog, or its tables.
    #[error("the catalog cannot be used")]
    Catalog(#[source] Fault),
    /// The folder that runs work in.
    #[error("the repository cannot be used")]
    Repository(#[source] Fault),
    /// A sink that is required.
    #[error("sink {name} cannot be used")]
    Sink {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: Fault,
    },
}

/// Tries it all. Makes the catalog's tables where they are not there yet, and folders.
pub fn ready(parts: &Parts, cx: &Context) -> Result<(), NotReady> {
    source(parts, cx)?;
    if let Some(catalog) = &parts.catalog {
        catalog.migrate().map_err(NotReady::Catalog)?;
    }
    WorkDir::open(&parts.settings.work_dir).map_err(NotReady::Repository)?;
    for entry in parts.store.sinks().iter().filter(|entry| entry.required) {
        let probed = entry.sink.probe(cx);
        probed.map_err(|source| NotReady::Sink {
            name: entry.sink.name().to_owned(),
            source,
        })?;
    }
    Ok(())
}

fn source(parts: &Parts, cx: &Context) -> Result<(), NotReady> {
    let connected = Session::connect(&parts.source, &SessionOptions::default());
    let facts = connected.and_then(|mut session| server::source_facts(&mut session));
    let facts = facts.map_err(|error| NotReady::Source(error.into()))?;
    let target = SourceTarget {
        conninfo: parts.source.clone(),
        facts,
    };
    let probed = parts.dumper.probe(&target, cx);
    probed.map(drop).map_err(NotReady::Tools)
}
