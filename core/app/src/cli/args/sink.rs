//! `sink`.

use clap::{Args, Subcommand};

/// `sink`.
#[derive(Debug, Subcommand)]
pub enum SinkCommand {
    /// List the configured sinks: where they are, whether they answer, what they are owed
    List,
    /// Examine a sink: put, read, list and remove objects of its own, and leave nothing
    Check(SinkNameArgs),
    /// Copy every backup that other sinks hold and this one does not
    Sync(SinkNameArgs),
}

/// A sink.
#[derive(Debug, Args)]
pub struct SinkNameArgs {
    /// Its name in the configuration
    #[arg(value_name = "NAME")]
    pub name: String,
}
