//! Hazards of the snapshot, of definitions, of materialized views, of standbys and of servers whose
//! history is not what it seems (the list is in tests/README.md), through the binary.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "hazards/asynchronous.rs"]
mod asynchronous;
#[path = "hazards/definitions.rs"]
mod definitions;
#[path = "hazards/extensions.rs"]
mod extensions;
#[path = "hazards/generated.rs"]
mod generated;
#[path = "hazards/late_counts.rs"]
mod late_counts;
#[path = "hazards/lineage.rs"]
mod lineage;
#[path = "hazards/locks.rs"]
mod locks;
#[path = "hazards/matviews.rs"]
mod matviews;
#[path = "hazards/row_security.rs"]
mod row_security;
#[path = "hazards/snapshot.rs"]
mod snapshot;
#[path = "hazards/standby.rs"]
mod standby;
#[path = "hazards/subscription.rs"]
mod subscription;
#[path = "hazards/xids.rs"]
mod xids;

/// Counters decide wherever they can: no floor, no spot check, and scans look expensive.
const COUNTERS_DECIDE: &str = "
    [detector]
    use = \"pg-stat\"
    floor_bytes = 0
    spot_check_bytes = 0
    spot_check_fraction = 0.0
    scan_bytes_per_s = 1
";

const NO_CATALOG: &str = "[catalog]\nenabled = false\n";
