//! Change detectors: which tables provably did not change since a base.
//!
//! Every one **fails towards dumping**. What they compare, in order of cost: the catalog as the
//! snapshot sees it (`signals`), the server's counters behind a barrier (`counters`, `barrier`),
//! the server's decoded log (`logical_slot`), a scan of the rows under the snapshot (`scan`).
//! `comparison` holds what they share: a subject per table and one for the large objects, its
//! evidence in and its evidence out.
#![cfg_attr(
    not(feature = "pg-stat"),
    expect(dead_code, reason = "pg-stat uses all that is shared")
)]

mod comparison;
mod counters;
mod evidence;
mod large_objects;
mod options;
mod scan;
mod sessions;
mod signals;
pub mod slots;
mod subject;

#[cfg(feature = "always")]
mod always;
#[cfg(feature = "pg-stat")]
mod barrier;
#[cfg(feature = "content-hash")]
mod content_hash;
#[cfg(feature = "logical-slot")]
mod logical_slot;
#[cfg(feature = "pg-stat")]
mod pg_stat;
#[cfg(feature = "pg-stat")]
mod spot_check;
#[cfg(feature = "xmin")]
mod xmin;

use std::sync::Arc;

use respaldo_engine::ports::ChangeDetector;

pub use options::DetectorOptions;

/// Names that [`by_name`] knows, the default first.
pub const NAMES: &[&str] = &[
    #[cfg(feature = "pg-stat")]
    pg_stat::NAME,
    #[cfg(feature = "xmin")]
    xmin::NAME,
    #[cfg(feature = "content-hash")]
    content_hash::NAME,
    #[cfg(feature = "logical-slot")]
    logical_slot::NAME,
    #[cfg(feature = "always")]
    always::NAME,
];

/// The detector of that name.
#[cfg_attr(
    not(any(
        feature = "pg-stat",
        feature = "xmin",
        feature = "content-hash",
        feature = "logical-slot"
    )),
    expect(unused_variables, reason = "always has no options")
)]
pub fn by_name(name: &str, options: &DetectorOptions) -> Option<Arc<dyn ChangeDetector>> {
    match name {
        #[cfg(feature = "pg-stat")]
        pg_stat::NAME => Some(Arc::new(pg_stat::PgStat::new(options.clone()))),
        #[cfg(feature = "xmin")]
        xmin::NAME => Some(Arc::new(xmin::Xmin::new(options.clone()))),
        #[cfg(feature = "content-hash")]
        content_hash::NAME => Some(Arc::new(content_hash::ContentHash::new(options.clone()))),
        #[cfg(feature = "logical-slot")]
        logical_slot::NAME => Some(Arc::new(logical_slot::LogicalSlot::new(options.clone()))),
        #[cfg(feature = "always")]
        always::NAME => Some(Arc::new(always::Always)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_detector_and_no_other_has() {
        for name in NAMES {
            let detector = by_name(name, &DetectorOptions::default()).unwrap();
            assert_eq!(detector.name(), *name);
        }
        assert!(by_name("slot", &DetectorOptions::default()).is_none());
    }
}
