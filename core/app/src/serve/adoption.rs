//! What was made while the engine was down becomes restore points of its own.

use respaldo_engine::adopt::WholeDump;
use respaldo_engine::operations::Operations;
use respaldo_engine::ports::{Context, FaultKind};
use respaldo_legacy::{LegacyFile, Owner};

use crate::config::{LegacySetup, Sources};
use crate::failure::reason_of;
use crate::legacy;

/// Adopts it, before the first run of an engine that came up; what cannot be adopted is said and hinders
/// nothing. Whether it is to be tried again: another run is at work now.
pub fn is_left(operations: &Operations, sources: &Sources, cx: &Context) -> bool {
    let adopted = operations.adopt_after_fallback(&own_dumps(sources), cx);
    match adopted {
        Ok(report) => {
            for name in &report.adopted {
                tracing::info!(archive = %name, "adopted what was made while the engine was down");
            }
            for (name, fault) in &report.refused {
                let why = reason_of(fault);
                tracing::warn!(archive = %name, why, "not adopted");
            }
            false
        }
        Err(fault) => {
            let why = reason_of(&fault);
            tracing::warn!(
                why,
                "what was made while the engine was down is not adopted"
            );
            fault.kind == FaultKind::Busy
        }
    }
}

/// Whole dumps that our own legacy service made of this database and has not removed.
fn own_dumps(sources: &Sources) -> Vec<WholeDump> {
    let setup = LegacySetup::load(sources).ok();
    let service = setup.map(|setup| legacy::service(setup, &sources.environment));
    let files = service.and_then(|service| service.list().ok());
    let own = |file: &LegacyFile| file.owner == Owner::Own;
    let files = files.unwrap_or_default().into_iter().filter(own);
    let dump = |file: LegacyFile| WholeDump {
        path: file.path,
        made_at: file.created_at,
    };
    files.map(dump).collect()
}
