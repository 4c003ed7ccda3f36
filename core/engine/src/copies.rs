//! Telling the catalog which backups lie in a second place, for the existing panel.

use respaldo_domain::backup::ArchiveName;
use respaldo_domain::report::{SinkOutcome, SinkState};
use respaldo_domain::second_place::{Provider, SecondCopy};

use crate::backup::chain;
use crate::parts::Parts;
use crate::ports::{Context, Fault};

/// Tells what the sinks made of a set. A catalog that is behind is brought up to date by a rebuild.
pub(crate) fn tell_outcomes(parts: &Parts, archive: &ArchiveName, outcomes: &[SinkOutcome]) {
    let took = |outcome: &&SinkOutcome| matches!(outcome.state, SinkState::Stored);
    let stored = outcomes.iter().filter(took);
    let mut copies = stored.filter_map(|outcome| Some((outcome, provider(parts, &outcome.sink)?)));
    if let Some((outcome, provider)) = copies.next() {
        let url = outcome.url.clone();
        tell(parts, archive, Some(&SecondCopy { provider, url }));
    }
}

/// Tells that a sink was given a set later.
pub(crate) fn tell_given(parts: &Parts, archive: &ArchiveName, sink: &str) {
    if let Some(copy) = copy_in(parts, archive, sink) {
        tell(parts, archive, Some(&copy));
    }
}

/// Tells anew of every set, from what the second places hold. One that cannot be listed changes nothing.
pub(crate) fn tell_all(parts: &Parts, archives: &[ArchiveName], cx: &Context) -> Result<(), Fault> {
    let mut lacking = Vec::new();
    for (sink, _) in &parts.settings.second_places {
        match parts.store.lacking(sink, cx) {
            Ok(names) => lacking.push((sink, names)),
            Err(fault) => {
                cx.check()?;
                tracing::warn!(sink, error = %chain(&fault), "what it holds is not known");
                return Ok(());
            }
        }
    }
    for archive in archives {
        let holder = lacking.iter().find(|(_, names)| !names.contains(archive));
        let copy = holder.and_then(|(sink, _)| copy_in(parts, archive, sink));
        tell(parts, archive, copy.as_ref());
    }
    Ok(())
}

/// Tells that the second place does not hold a set any more.
pub(crate) fn tell_gone(parts: &Parts, archive: &ArchiveName) {
    tell(parts, archive, None);
}

fn provider(parts: &Parts, sink: &str) -> Option<Provider> {
    let mut places = parts.settings.second_places.iter();
    places
        .find(|(name, _)| name == sink)
        .map(|(_, provider)| *provider)
}

fn copy_in(parts: &Parts, archive: &ArchiveName, sink: &str) -> Option<SecondCopy> {
    let provider = provider(parts, sink)?;
    let store = parts.store.only(sink)?;
    let url = store.location(&archive.key());
    Some(SecondCopy { provider, url })
}

fn tell(parts: &Parts, archive: &ArchiveName, copy: Option<&SecondCopy>) {
    let Some(catalog) = &parts.catalog else {
        return;
    };
    if let Err(fault) = catalog.record_copy(archive, copy) {
        tracing::warn!(%archive, error = %chain(&fault), "the catalog does not know of the copy");
    }
}
