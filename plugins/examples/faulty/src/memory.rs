//! Objects in memory.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use respaldo_sdk::records::ObjectInfo;
use respaldo_sdk::{Error, Result, Status};

/// Objects by key.
#[derive(Default)]
pub struct Store(Mutex<BTreeMap<String, Vec<u8>>>);

/// The store of a name, as long as the process lives.
pub fn of_name(name: &str) -> Arc<Store> {
    static ALL: Mutex<BTreeMap<String, Arc<Store>>> = Mutex::new(BTreeMap::new());
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(all.entry(name.to_owned()).or_default())
}

impl Store {
    fn with<R>(&self, work: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds an object, unless its key is taken.
    pub fn add(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        self.with(|objects| {
            if objects.contains_key(key) {
                return Err(Error::new(Status::Exists, format!("{key} is there already")));
            }
            objects.insert(key.to_owned(), bytes);
            Ok(())
        })
    }

    /// Bytes of an object.
    pub fn range(&self, key: &str, range: Option<Range<u64>>) -> Result<Vec<u8>> {
        let bytes = self.with(|objects| objects.get(key).cloned()).ok_or_else(|| missing(key))?;
        let range = range.unwrap_or(0..bytes.len() as u64);
        let part = bytes.get(range.start as usize..range.end as usize);
        part.map(<[u8]>::to_vec).ok_or_else(|| Error::new(Status::Corrupt, format!("{key} ends before the range")))
    }

    /// An object.
    pub fn info(&self, key: &str) -> Result<ObjectInfo> {
        let found = self.list(key).into_iter().find(|info| info.key == key);
        found.ok_or_else(|| missing(key))
    }

    /// Objects whose keys begin so.
    pub fn list(&self, prefix: &str) -> Vec<ObjectInfo> {
        self.with(|objects| {
            let found = objects.iter().filter(|(key, _)| key.starts_with(prefix));
            let info = |(key, bytes): (&String, &Vec<u8>)| ObjectInfo {
                key: key.clone(),
                size_bytes: bytes.len() as u64,
            };
            found.map(info).collect()
        })
    }

    /// Removes an object.
    pub fn remove(&self, key: &str) {
        self.with(|objects| objects.remove(key));
    }
}

fn missing(key: &str) -> Error {
    Error::new(Status::NotFound, format!("{key} is not there"))
}
