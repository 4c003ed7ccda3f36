//! Dumpers: from an exported snapshot to one custom-format archive that stock pg_restore reads.
#![cfg_attr(
    not(any(feature = "pg-dump", feature = "parallel")),
    expect(
        dead_code,
        unused_variables,
        reason = "dumpers share more than the archive of a plugin needs"
    )
)]

mod foreign;
mod options;
#[cfg(feature = "parallel")]
mod parallel;
mod pg_dump;

use std::sync::Arc;

use respaldo_engine::ports::Dumper;
use respaldo_postgres::LazyTools;

pub use foreign::{ArchiveSource, Foreign};
pub use options::DumperOptions;

/// Names that [`by_name`] knows, the default first.
pub const NAMES: &[&str] = &[
    #[cfg(feature = "parallel")]
    parallel::NAME,
    #[cfg(feature = "pg-dump")]
    pg_dump::NAME,
];

/// The dumper of that name with its usual options.
pub fn by_name(name: &str, tools: &LazyTools) -> Option<Arc<dyn Dumper>> {
    with_options(name, tools, &DumperOptions::default())
}

/// The dumper of that name.
pub fn with_options(
    name: &str,
    tools: &LazyTools,
    options: &DumperOptions,
) -> Option<Arc<dyn Dumper>> {
    match name {
        #[cfg(feature = "pg-dump")]
        pg_dump::NAME => Some(Arc::new(pg_dump::PgDump::new(tools.clone(), options))),
        #[cfg(feature = "parallel")]
        parallel::NAME => Some(Arc::new(parallel::Parallel::new(tools, options))),
        _ => None,
    }
}
