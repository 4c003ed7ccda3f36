//! `retention`.

use clap::{Args, Subcommand};

/// `retention`.
#[derive(Debug, Subcommand)]
pub enum RetentionCommand {
    /// Show the policy in force
    Show,
    /// Store a policy beside the catalog; what is not given stays
    Set(RetentionArgs),
}

/// `retention set`.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct RetentionArgs {
    /// Months a full is kept
    #[arg(long, value_name = "N")]
    pub full_months: Option<u32>,
    /// Weeks a differential is kept
    #[arg(long, value_name = "N")]
    pub dif_weeks: Option<u32>,
    /// Days an incremental is kept
    #[arg(long, value_name = "N")]
    pub inc_days: Option<u32>,
    /// Newest complete chains kept whatever their age
    #[arg(long, value_name = "N")]
    pub min_chains: Option<u32>,
}
