//! A small bank, and plugins where an operator would put them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use respaldo_tests::{Cluster, Respaldo, littlebank};
use serde_json::Value;

/// A cluster with a bank, its driver, and a folder for plugins.
pub struct Scene {
    pub cluster: Cluster,
    pub respaldo: Respaldo,
    pub url: String,
}

impl Scene {
    pub fn open() -> Self {
        let cluster = Cluster::start();
        let url = littlebank::open(&cluster, "live");
        let respaldo = Respaldo::for_url(&cluster, &url);
        Self {
            cluster,
            respaldo,
            url,
        }
    }

    /// Puts a library where only its owner writes.
    pub fn install(&self, library: &Path) -> PathBuf {
        install(self.respaldo.folder(), library)
    }

    /// The section that allows it, as `plugin pin` prints it, and its options.
    pub fn pinned(&self, name: &str, library: &Path, options: &str) -> String {
        let path = self.install(library);
        let pinned = self
            .respaldo
            .ok(&["plugin", "pin", path.to_str().unwrap(), "--json"]);
        let pinned = pinned.json();
        let (sha256, id) = (&pinned["sha256"], &pinned["complementos"][0]["id"]);
        format!(
            "[plugins.{name}]\npath = \"{}\"\nsha256 = {sha256}\nid = {id}\noptions = {options}\n",
            path.display()
        )
    }

    /// A folder for the objects of a plugin.
    pub fn store(&self) -> PathBuf {
        let store = self.respaldo.folder().join("store");
        fs::create_dir_all(&store).unwrap();
        store
    }

    pub fn configure(&self, text: &str) {
        fs::write(self.respaldo.folder().join("respaldo.toml"), text).unwrap();
    }

    /// Makes a backup.
    pub fn backup(&self, kind: &str) -> Value {
        self.respaldo.ok(&["backup", kind, "--json"]).json()
    }
}

/// Copies a library into a folder as a file that nobody else writes.
pub fn install(folder: &Path, library: &Path) -> PathBuf {
    let path = folder.join(library.file_name().unwrap());
    fs::copy(library, &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    path
}
