//! `doctor`.

use clap::Args;

/// `doctor`.
#[derive(Debug, Clone, Copy, Args)]
pub struct DoctorArgs {
    /// Also examine every sink as `sink check` does; what is put there is removed again
    #[arg(long)]
    pub sinks: bool,
}
