//! The result of `cloud`.

use serde::Serialize;

/// The copy to a second place, as the existing panel sets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloudRecord {
    /// Backups are copied.
    pub enabled: bool,
    /// LOCAL, GOOGLE_DRIVE or S3.
    pub provider: &'static str,
    /// The folder.
    pub sync_dir: String,
    /// The sinks that copies go to now.
    pub destinos: Vec<String>,
    /// What is asked for and done in another way, or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aviso: Option<String>,
}
