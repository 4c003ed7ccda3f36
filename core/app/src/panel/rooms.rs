//! The engines that questions are put to, opened when they are needed and let go when nobody asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use respaldo_engine::operations::Operations;
use respaldo_engine::ports::CatalogEntry;

use crate::config::{Config, Sources};
use crate::failure::Failure;
use crate::serve::{Roster, Standing};
use crate::wiring::{self, Shelf};

/// The configuration is read anew after that.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// An engine and the configuration it is made from.
pub struct Room {
    /// The configuration.
    pub config: Config,
    /// The engine.
    pub operations: Operations,
}

type Opened = (Instant, Arc<Room>);

/// One for each database that is asked about.
pub struct Rooms {
    sources: Sources,
    /// Who is looked after.
    pub roster: Roster,
    shelf: Mutex<HashMap<String, Shelf>>,
    open: Mutex<HashMap<String, Opened>>,
}

impl Rooms {
    /// None yet.
    pub fn new(sources: &Sources, roster: Roster) -> Self {
        Self {
            sources: sources.clone(),
            roster,
            shelf: Mutex::default(),
            open: Mutex::default(),
        }
    }

    /// Where the configuration of a database is read from.
    pub fn sources(&self, base: &str) -> Sources {
        match self.roster.key(base) {
            Some(key) => self.sources.of_database(&key),
            None => self.sources.clone(),
        }
    }

    /// The configuration of a database as it is now.
    pub fn config(&self, base: &str) -> Result<Config, Failure> {
        Ok(Config::load(&self.sources(base), Vec::new())?)
    }

    /// The engine of a database, as it was configured a moment ago.
    pub fn of(&self, base: &str) -> Result<Arc<Room>, Failure> {
        let known = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.retain(|_, (at, _)| at.elapsed() < FRESH_FOR);
            open.get(base).map(|(_, room)| Arc::clone(room))
        };
        if let Some(room) = known {
            return Ok(room);
        }
        let room = Arc::new(self.anew(base)?);
        let opened = (Instant::now(), Arc::clone(&room));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(base.to_owned(), opened);
        Ok(room)
    }

    /// Another engine, as it is configured now: for what is begun.
    pub fn anew(&self, base: &str) -> Result<Room, Failure> {
        let config = self.config(base)?;
        let mut kept = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = kept.entry(base.to_owned()).or_default();
        let operations = wiring::operations_again(&config, loaded)?;
        Ok(Room { config, operations })
    }

    /// The next question finds things as they are then.
    pub fn forget(&self, base: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(base);
    }

    /// Connections of engines that nobody asked for a while are ended.
    pub fn rest(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (at, _)| at.elapsed() < FRESH_FOR);
    }

    /// What the service says of a database.
    pub fn standing(&self, base: &str) -> Option<Standing> {
        self.roster.standing(base)
    }
}

impl Room {
    /// The catalog's number of an entry, else its name.
    pub fn name_of(entry: &CatalogEntry) -> serde_json::Value {
        match entry.id {
            Some(id) => serde_json::json!(id),
            None => serde_json::json!(entry.archive),
        }
    }
}
