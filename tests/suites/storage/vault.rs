//! A small bank whose backups go to several sinks.

use std::fs;
use std::path::PathBuf;

use respaldo_tests::scene::Scene;
use respaldo_tests::{Snapshot, assert_equal};
use serde_json::Value;

/// A bank, and folders for sinks beside the repository.
pub struct Vault {
    pub scene: Scene,
}

impl Vault {
    /// The repository as the first sink, and whatever else is configured.
    pub fn open(more: &str) -> Self {
        let vault = Self {
            scene: Scene::open(),
        };
        vault.configure(more);
        vault
    }

    /// Writes the configuration; the repository's own sink comes first.
    pub fn configure(&self, more: &str) {
        let text = format!("[[sink]]\nname = \"disco\"\nuse = \"local\"\n\n{more}");
        self.configure_alone(&text);
    }

    /// Writes the configuration as it is.
    pub fn configure_alone(&self, text: &str) {
        let path = self.scene.respaldo.folder().join("respaldo.toml");
        fs::write(path, text).unwrap();
    }

    /// Adds so many megabytes that hardly can be compressed to what the bank has.
    pub fn fill(&self, megabytes: u32) {
        self.scene.client().exec(&format!(
            "CREATE TABLE bank.scan AS SELECT n, string_agg(md5(random()::text), '') AS page
             FROM generate_series(1, {}) n, generate_series(1, 640) GROUP BY n",
            megabytes * 100
        ));
    }

    /// The folder of a local sink.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.scene.respaldo.folder().join(name)
    }

    /// An optional local sink in the folder of its name.
    pub fn optional(name: &str) -> String {
        format!(
            "[[sink]]\nname = \"{name}\"\nuse = \"local\"\ndir = \"{name}\"\nrequired = false\n"
        )
    }

    /// A required sink named `fuera`, of this kind and with these options.
    pub fn sink_of(kind: &str, options: &Value) -> String {
        let options = options.as_object().unwrap().iter();
        // Texts, numbers and switches are written alike in JSON and TOML.
        let lines: Vec<String> = options
            .map(|(key, value)| format!("{key} = {value}"))
            .collect();
        format!(
            "[[sink]]\nname = \"fuera\"\nuse = \"{kind}\"\n{}\n",
            lines.join("\n")
        )
    }

    /// Makes a sink's folder one that cannot be used, until it is freed.
    pub fn block(&self, name: &str) {
        let _ = fs::remove_dir_all(self.folder(name));
        fs::write(self.folder(name), "not a folder").unwrap();
    }

    /// Ends what [`Vault::block`] began.
    pub fn free(&self, name: &str) {
        fs::remove_file(self.folder(name)).unwrap();
    }

    /// What `sink list` says of one.
    pub fn sink(&self, name: &str) -> Value {
        let listed = self.scene.respaldo.run(&["sink", "list", "--json"]).json();
        let sinks = listed["destinos"].as_array().unwrap();
        let found = sinks.iter().find(|sink| sink["nombre"] == name);
        found.unwrap_or_else(|| panic!("{listed:#}")).clone()
    }

    /// How many sealed sets a local sink holds.
    pub fn sealed_in(&self, name: &str) -> usize {
        respaldo_tests::Repository::at(&self.folder(name))
            .sealed()
            .len()
    }

    /// Restores the newest point and holds it against the bank as it is.
    pub fn assert_restores(&self, target: &str) {
        let args = [
            "restore",
            "--at",
            "latest",
            "--target-db",
            target,
            "--create",
        ];
        self.scene.respaldo.ok(&args);
        let restored = Snapshot::take(&self.scene.cluster.url(target));
        assert_equal(&self.scene.image(), &restored);
    }
}
