//! What the service is told: where its files are, how many stay, whom to copy them to.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::retention::Keep;
use crate::settings::StoredSettings;
use crate::zone::Zone;

/// The folder where nothing else is said, in the working folder.
pub const DEFAULT_DIR: &str = "backups";

/// Settings of the service.
#[derive(Debug, Clone)]
pub struct LegacyConfig {
    /// Folder with one folder per type.
    pub dir: PathBuf,
    /// How many files of each type stay.
    pub keep: Keep,
    /// A folder that gets a copy of each backup.
    pub sync_dir: Option<PathBuf>,
    /// Whose hours and file names are meant.
    pub zone: Zone,
    /// Longest time for one backup, or for one restore.
    pub limit: Duration,
    /// `app.user_id` of restores, where set.
    pub maintenance_user_id: Option<u32>,
}

impl Default for LegacyConfig {
    fn default() -> Self {
        Self {
            dir: DEFAULT_DIR.into(),
            keep: Keep::default(),
            sync_dir: None,
            zone: Zone::Machine,
            limit: Duration::from_hours(24),
            maintenance_user_id: None,
        }
    }
}

impl LegacyConfig {
    /// Fills in what the existing application's own settings say: its folder where ours is the
    /// default, its copies where none are configured.
    #[must_use]
    pub fn with_stored(mut self, stored: StoredSettings) -> Self {
        if self.dir == Path::new(DEFAULT_DIR) {
            self.dir = stored.backup_dir.unwrap_or(self.dir);
        }
        self.sync_dir = self.sync_dir.or(stored.sync_dir);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> StoredSettings {
        StoredSettings {
            backup_dir: Some("/theirs".into()),
            sync_dir: Some("/copies".into()),
        }
    }

    #[test]
    fn stored_settings_fill_in_what_nobody_configured() {
        let config = LegacyConfig::default().with_stored(stored());
        assert_eq!(config.dir, Path::new("/theirs"));
        assert_eq!(config.sync_dir.as_deref(), Some(Path::new("/copies")));
        let configured = LegacyConfig {
            dir: "/ours".into(),
            sync_dir: Some("/usb".into()),
            ..LegacyConfig::default()
        };
        let config = configured.with_stored(stored());
        assert_eq!(config.dir, Path::new("/ours"));
        assert_eq!(config.sync_dir.as_deref(), Some(Path::new("/usb")));
        let config = LegacyConfig::default().with_stored(StoredSettings::default());
        assert_eq!(config.dir, Path::new(DEFAULT_DIR));
    }
}
