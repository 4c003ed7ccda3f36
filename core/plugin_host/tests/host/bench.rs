//! A plugin with a folder and options, and what one does with it.

use std::error::Error;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, ObjectInfo, PutSource, StorageSink};
use respaldo_plugin_host::{
    Isolation, Kind, Limits, Plugin, PluginConfig, PluginError, PluginSink, examine,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A copy of a library where only its owner writes, and a folder for its objects.
pub struct Bench {
    pub folder: TempDir,
    pub config: PluginConfig,
}

pub const MIB: u64 = 1 << 20;

impl Bench {
    /// A plugin of the configuration's name `malo` from this library; its limits are short.
    pub fn of(library: &Path, options: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::at(folder, "plugin.so", library, options)
    }

    pub fn at(folder: TempDir, name: &str, library: &Path, mut options: Value) -> Self {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        install(library, &path);
        let store = folder.path().join("store");
        fs::create_dir_all(&store).unwrap();
        if let Some(dir) = options.get_mut("dir") {
            *dir = json!(store);
        }
        let sha256 = sha256_of(&path);
        let config = PluginConfig {
            name: "malo".to_owned(),
            path,
            id: None,
            sha256,
            isolation: Isolation::Process,
            options,
            env: Vec::new(),
            allow_libraries: Vec::new(),
            limits: Limits {
                load: Duration::from_secs(20),
                stall: Duration::from_secs(3),
                grace: Duration::from_secs(1),
                max_restarts: 3,
                memory_bytes: None,
            },
            program: program(),
        };
        Self { folder, config }
    }

    pub fn load(&self) -> Result<Plugin, PluginError> {
        Plugin::load(&self.config, Kind::Sink)
    }

    pub fn sink(&self) -> PluginSink {
        PluginSink::new("fuera", self.load().unwrap())
    }
}

pub fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_respaldo-plugin-host"))
}

/// As somebody would who installs it: a file of their own that nobody else writes.
pub fn install(library: &Path, path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::copy(library, path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}

pub fn sha256_of(path: &Path) -> respaldo_domain::object::Sha256 {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(fs::read(path).unwrap());
    respaldo_domain::object::Sha256(hash.into())
}

pub fn described(path: &Path) -> Result<usize, PluginError> {
    examine(path, program()).map(|found| found.plugins.len())
}

pub fn key(name: &str) -> ObjectKey {
    ObjectKey::parse(name).unwrap()
}

pub fn put(sink: &dyn StorageSink, name: &str, size_bytes: u64) -> Result<ObjectInfo, Fault> {
    put_with(sink, name, size_bytes, &Context::quiet())
}

pub fn put_with(
    sink: &dyn StorageSink,
    name: &str,
    size_bytes: u64,
    cx: &Context,
) -> Result<ObjectInfo, Fault> {
    sink.put(&key(name), &mut Bytes::new(size_bytes), cx)
}

pub fn get(sink: &dyn StorageSink, name: &str) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    sink.get(&key(name), None, &mut bytes, &Context::quiet())?;
    Ok(bytes)
}

pub fn names(sink: &dyn StorageSink) -> Result<Vec<String>, Fault> {
    let found = sink.list("", &Context::quiet())?;
    Ok(found.iter().map(|info| info.key.to_string()).collect())
}

/// A fault with its reasons, in one line.
pub fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

/// Bytes that differ from place to place, made as they are read.
pub struct Bytes {
    size_bytes: u64,
    at: u64,
}

impl Bytes {
    pub fn new(size_bytes: u64) -> Self {
        Self { size_bytes, at: 0 }
    }

    pub fn all(size_bytes: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        Self::new(size_bytes).read_to_end(&mut bytes).unwrap();
        bytes
    }
}

impl Read for Bytes {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size_bytes - self.at).unwrap();
        let len = room.len().min(left);
        for byte in &mut room[..len] {
            *byte = (self.at ^ (self.at >> 8) ^ (self.at >> 16)) as u8;
            self.at += 1;
        }
        Ok(len)
    }
}

impl PutSource for Bytes {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}
