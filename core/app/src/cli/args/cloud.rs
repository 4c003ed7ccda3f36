//! `cloud`.

use clap::{Args, Subcommand, ValueEnum};
use respaldo_domain::second_place::Provider;

use crate::cli::time::BackupRef;

/// `cloud`.
#[derive(Debug, Subcommand)]
pub enum CloudCommand {
    /// Show the setting and the sinks that copies go to now
    Show,
    /// Store the setting beside the catalog; what is not given stays
    Set(CloudSetArgs),
    /// Copy one backup, and all that it is restored from, whether or not copies are switched on
    Upload(CloudCopyArgs),
    /// Remove the copy of one backup; the backup itself stays
    Remove(CloudCopyArgs),
}

/// `cloud upload` and `cloud remove`.
#[derive(Debug, Args)]
pub struct CloudCopyArgs {
    /// Number or file name of the backup
    #[arg(value_name = "ID")]
    pub backup: BackupRef,
    /// Another provider than the stored one: local, google-drive or s3
    #[arg(long, value_name = "PROVIDER", hide_possible_values = true)]
    pub provider: Option<ProviderArg>,
    /// Another folder than the stored one
    #[arg(long, value_name = "DIR")]
    pub sync_dir: Option<String>,
}

/// `cloud set`.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct CloudSetArgs {
    /// Whether backups are copied: true or false
    #[arg(long, value_name = "BOOL")]
    pub enabled: Option<bool>,
    /// Where to: local, google-drive or s3
    #[arg(long, value_name = "PROVIDER", hide_possible_values = true)]
    pub provider: Option<ProviderArg>,
    /// The folder of local, and of a provider that is not configured
    #[arg(long, value_name = "DIR")]
    pub sync_dir: Option<String>,
}

/// A provider as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProviderArg {
    /// A folder
    Local,
    /// Google Drive
    #[value(alias = "GOOGLE_DRIVE")]
    GoogleDrive,
    /// An S3 bucket
    S3,
}

impl ProviderArg {
    /// The provider.
    pub fn provider(self) -> Provider {
        match self {
            Self::Local => Provider::Local,
            Self::GoogleDrive => Provider::GoogleDrive,
            Self::S3 => Provider::S3,
        }
    }
}
