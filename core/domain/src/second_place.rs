//! A second place where backups lie besides the repository, as the existing panel knows it.

/// What a second place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Provider {
    /// A folder, perhaps one that a program of its own syncs.
    #[default]
    Local,
    /// Google Drive.
    GoogleDrive,
    /// An S3 bucket.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
    /// A folder of a server reached over SSH.
    Sftp,
    /// A folder of a web server.
    WebDav,
}

/// The copy to a second place as the existing panel sets it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CloudSettings {
    /// Backups are copied.
    pub enabled: bool,
    /// Folder; may be empty.
    pub sync_dir: String,
    /// Where to: [`Provider::Local`], [`Provider::GoogleDrive`] or [`Provider::S3`].
    pub provider: Provider,
}

/// Where a copy lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondCopy {
    /// What the place is.
    pub provider: Provider,
    /// Path or address of the archive there.
    pub url: String,
}
