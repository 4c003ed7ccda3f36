//! Rows of the catalog that say what happened. While there is no catalog, or it is out of reach, they are
//! remembered, and written when it is back.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Local;
use respaldo_engine::ports::{Catalog, EventLevel, Fault};
use serde_json::{Value, json};

/// Events that are remembered at most; the oldest go.
const MOST_WAITING: usize = 200;

/// Goes to the catalog of the engine that is up, if any; clones are the same.
#[derive(Clone, Default)]
pub struct Events(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    catalog: Option<Arc<dyn Catalog>>,
    waiting: VecDeque<Event>,
}

struct Event {
    level: EventLevel,
    kind: String,
    detail: Value,
}

impl Events {
    /// From now on events go there, those first that could not be written before.
    pub fn go_to(&self, catalog: Option<Arc<dyn Catalog>>) {
        let mut inner = self.lock();
        inner.catalog = catalog;
        inner.write();
    }

    /// Writes it, now or later.
    pub fn record(&self, level: EventLevel, kind: &str, detail: &Value) {
        let mut inner = self.lock();
        inner.add(Event {
            level,
            kind: kind.to_owned(),
            detail: detail.clone(),
        });
        inner.write();
        // What is written later says when it happened.
        if let Some(Value::Object(detail)) = inner.waiting.back_mut().map(|event| &mut event.detail)
        {
            let now = Local::now().fixed_offset();
            detail.entry("at").or_insert_with(|| json!(now));
        }
    }

    /// What is not recorded yet, newest first: level, kind, particulars.
    pub fn waiting(&self) -> Vec<(EventLevel, String, Value)> {
        let inner = self.lock();
        let waiting = inner.waiting.iter().rev();
        let event = |event: &Event| (event.level, event.kind.clone(), event.detail.clone());
        waiting.map(event).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn add(&mut self, event: Event) {
        if self.waiting.len() >= MOST_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(event);
    }

    /// Writes what waits, until something cannot be written.
    fn write(&mut self) {
        let Some(catalog) = self.catalog.clone() else {
            return;
        };
        while let Some(event) = self.waiting.front() {
            if let Err(fault) = event.write_to(&*catalog) {
                tracing::warn!(%fault, kind = event.kind, "an event is recorded later");
                return;
            }
            self.waiting.pop_front();
        }
    }
}

impl Event {
    fn write_to(&self, catalog: &dyn Catalog) -> Result<(), Fault> {
        catalog.event(self.level, &self.kind, None, &self.detail)
    }
}
