//! Plugins as the engine's strategies. What a plugin tells is checked before it is believed.

mod detector;
mod dumper;
mod records;
mod sink;
mod validator;

pub use detector::PluginDetector;
pub use dumper::PluginDump;
pub use sink::PluginSink;
pub use validator::{PluginValidator, VALIDATORS_LEVEL};

use respaldo_engine::ports::{Context, Fault, FaultKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::PluginErrorKind;
use crate::plugin::Plugin;
use crate::request::Request;

/// All documents that a call tells, in its order.
fn documents<T: DeserializeOwned + Send>(
    plugin: &Plugin,
    request: &Request,
    cx: &Context,
) -> Result<Vec<T>, Fault> {
    let mut found = Vec::new();
    plugin.ask(
        request,
        &mut |json| {
            found.push(read(json)?);
            Ok(())
        },
        cx,
    )?;
    Ok(found)
}

/// The one document that a call must tell.
fn document<T: DeserializeOwned + Send>(
    plugin: &Plugin,
    request: &Request,
    cx: &Context,
) -> Result<T, Fault> {
    let mut found = documents(plugin, request, cx)?;
    let count = found.len();
    match found.pop() {
        Some(document) if count == 1 => Ok(document),
        _ => {
            let what = format!("it told {count} documents, where one is due");
            Err(broke(plugin, request, what))
        }
    }
}

/// Reads a document; its words are not repeated, they may be anything.
fn read<T: DeserializeOwned>(json: &str) -> Result<T, PluginErrorKind> {
    serde_json::from_str(json).map_err(|error| {
        PluginErrorKind::Broke(format!(
            "it told something else than the document that is due, of {} bytes (column {})",
            json.len(),
            error.column()
        ))
    })
}

/// A request as it crosses.
fn json<T: Serialize>(record: &T) -> Result<String, Fault> {
    serde_json::to_string(record).map_err(|error| {
        Fault::new(
            FaultKind::Internal,
            "writing the request of a plugin",
            error,
        )
    })
}

fn broke(plugin: &Plugin, request: &Request, what: impl Into<String>) -> Fault {
    let kind = PluginErrorKind::Broke(what.into());
    kind.of(plugin.name(), request.describe()).into()
}
