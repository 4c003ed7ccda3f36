//! The copy to a second place, as the existing panel sets it.

use respaldo_domain::second_place::{CloudSettings, Provider};
use serde_json::json;

use super::{CLOUD_KEY, Lenient, Reader};
use crate::labels::Label;

/// Those that the existing panel can choose.
const CHOICES: [Provider; 3] = [Provider::Local, Provider::GoogleDrive, Provider::S3];

/// Reads what is stored; the empty text gives the defaults.
///
/// ```
/// use respaldo_contract::settings::cloud;
/// use respaldo_domain::second_place::Provider;
///
/// let read = cloud::parse(r#"{"enabled": true, "provider": "S3"}"#);
/// assert_eq!(read.value.provider, Provider::S3);
/// assert!(read.value.enabled && read.value.sync_dir.is_empty());
/// ```
pub fn parse(text: &str) -> Lenient<CloudSettings> {
    let mut stored = Reader::of_text(text, CLOUD_KEY);
    let value = CloudSettings {
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
pub fn to_json(settings: &CloudSettings) -> String {
    let provider = settings.provider.label();
    json!({"enabled": settings.enabled, "sync_dir": settings.sync_dir, "provider": provider})
        .to_string()
}

fn provider(stored: &mut Reader) -> Provider {
    let Some(word) = stored.text("provider") else {
        return Provider::default();
    };
    let named = Provider::from_label(&word.to_ascii_uppercase()).ok();
    named
        .filter(|provider| CHOICES.contains(provider))
        .unwrap_or_else(|| {
            stored.repair(stored.path("provider"), word, "LOCAL, GOOGLE_DRIVE or S3");
            Provider::default()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for provider in CHOICES {
            let sync_dir = "C:\\Respaldos \"ñ\"".to_owned();
            let settings = CloudSettings {
                enabled: true,
                sync_dir,
                provider,
            };
            let read = parse(&to_json(&settings));
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
        let read = parse(r#"{"provider": "FTP", "enabled": 1}"#);
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
