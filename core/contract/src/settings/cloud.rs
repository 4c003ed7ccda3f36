//! The copy to a second place, as the existing panel sets it.

use serde_json::json;

use super::{CLOUD_KEY, Lenient, Reader};
use crate::labels::Label;

/// `backup_cloud_config`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CloudSettings {
    /// Backups are copied.
    pub enabled: bool,
    /// Folder or address; may be empty.
    pub sync_dir: String,
    /// Where to.
    pub provider: CloudProvider,
}

/// Kinds of second place the existing system knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CloudProvider {
    /// A folder, perhaps one that a program of its own syncs.
    #[default]
    Local,
    /// Google Drive.
    GoogleDrive,
    /// An S3 bucket.
    S3,
}

labels!(CloudProvider, "cloud provider" {
    Local => "LOCAL",
    GoogleDrive => "GOOGLE_DRIVE",
    S3 => "S3",
});

impl CloudSettings {
    /// Reads what is stored; the empty text gives the defaults.
    ///
    /// ```
    /// use respaldo_contract::settings::{CloudProvider, CloudSettings};
    ///
    /// let read = CloudSettings::parse(r#"{"enabled": true, "provider": "S3"}"#);
    /// assert_eq!(read.value.provider, CloudProvider::S3);
    /// assert!(read.value.enabled && read.value.sync_dir.is_empty());
    /// ```
    pub fn parse(text: &str) -> Lenient<Self> {
        let mut stored = Reader::of_text(text, CLOUD_KEY);
        let value = Self {
            enabled: stored.flag("enabled"),
            sync_dir: stored.text("sync_dir").unwrap_or_default(),
            provider: provider(&mut stored),
        };
        Lenient {
            value,
            repairs: stored.repairs,
        }
    }

    /// The text to store.
    pub fn to_json(&self) -> String {
        let provider = self.provider.label();
        json!({"enabled": self.enabled, "sync_dir": self.sync_dir, "provider": provider})
            .to_string()
    }
}

fn provider(stored: &mut Reader) -> CloudProvider {
    let Some(word) = stored.text("provider") else {
        return CloudProvider::default();
    };
    CloudProvider::from_label(&word.to_ascii_uppercase()).unwrap_or_else(|_| {
        stored.repair(stored.path("provider"), word, "LOCAL, GOOGLE_DRIVE or S3");
        CloudProvider::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for provider in CloudProvider::ALL {
            let sync_dir = "C:\\Respaldos \"ñ\"".to_owned();
            let settings = CloudSettings {
                enabled: true,
                sync_dir,
                provider: *provider,
            };
            let read = CloudSettings::parse(&settings.to_json());
            assert_eq!(
                read,
                Lenient {
                    value: settings,
                    repairs: vec![]
                }
            );
        }
    }

    #[test]
    fn an_unknown_provider_is_reported_and_local() {
        let read = CloudSettings::parse(r#"{"provider": "FTP", "enabled": 1}"#);
        assert_eq!(read.value, CloudSettings::default());
        let keys: Vec<_> = read
            .repairs
            .iter()
            .map(|repair| repair.key.as_str())
            .collect();
        assert_eq!(
            keys,
            [
                "backup_cloud_config.enabled",
                "backup_cloud_config.provider"
            ]
        );
    }
}
