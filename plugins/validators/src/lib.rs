//! Validators, one per level: each looks at one aspect of a sealed set, and goes on after the
//! first problem. What cannot be examined is a finding too, never silence.

mod archive;
mod blobs;
mod blocks;
mod chain;
mod checksum;
pub mod drill;
mod findings;
mod presence;
mod readable;
mod seal;
mod stream;
mod view;

use std::sync::Arc;

use respaldo_engine::ports::{Codec, Validator};

pub use chain::Chain;
pub use checksum::Checksum;
pub use drill::Drill;
pub use presence::Presence;
pub use readable::Readable;

/// Names of the validators that can be configured, shallowest first.
pub const NAMES: &[&str] = &[
    #[cfg(feature = "presence")]
    presence::NAME,
    #[cfg(feature = "checksum")]
    checksum::NAME,
    #[cfg(feature = "readable")]
    readable::NAME,
    #[cfg(feature = "chain")]
    chain::NAME,
];

/// The validator of this name; `None` where there is none.
#[cfg_attr(
    not(any(feature = "checksum", feature = "chain")),
    expect(unused_variables, reason = "those that are left need no codec")
)]
pub fn by_name(name: &str, codec: &Arc<dyn Codec>) -> Option<Arc<dyn Validator>> {
    match name {
        #[cfg(feature = "presence")]
        presence::NAME => Some(Arc::new(Presence)),
        #[cfg(feature = "checksum")]
        checksum::NAME => Some(Arc::new(Checksum::new(codec.clone()))),
        #[cfg(feature = "readable")]
        readable::NAME => Some(Arc::new(Readable)),
        #[cfg(feature = "chain")]
        chain::NAME => Some(Arc::new(Chain::new(codec.clone()))),
        _ => None,
    }
}
