//! What happens, numbered, so that whoever comes back is told what was missed.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

/// Events that are remembered; of more, those who come late miss the oldest.
const REMEMBERED: usize = 4000;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number, from 1.
    pub id: u64,
    /// What it is.
    pub kind: &'static str,
    /// JSON on one line.
    pub data: String,
}

/// Events in a row.
pub struct Stream {
    inner: Mutex<(u64, VecDeque<Event>)>,
    newest: watch::Sender<u64>,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            inner: Mutex::default(),
            newest: watch::Sender::new(0),
        }
    }
}

impl Stream {
    /// Another event.
    pub fn push(&self, kind: &'static str, data: &impl Serialize) {
        let data = serde_json::to_string(data).unwrap_or_default();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.0 += 1;
        let id = inner.0;
        if inner.1.len() >= REMEMBERED {
            inner.1.pop_front();
        }
        inner.1.push_back(Event { id, kind, data });
        self.newest.send_replace(id);
    }

    /// Those after a number, at most so many.
    pub fn after(&self, id: u64, limit: usize) -> Vec<Event> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = inner.1.partition_point(|event| event.id <= id);
        inner.1.iter().skip(begin).take(limit).cloned().collect()
    }

    /// The newest number, now and whenever it changes.
    pub fn newest(&self) -> watch::Receiver<u64> {
        self.newest.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_is_told_what_was_missed() {
        let stream = Stream::default();
        for n in 0..5 {
            stream.push("tabla", &n);
        }
        let ids: Vec<u64> = stream.after(2, 10).iter().map(|event| event.id).collect();
        assert_eq!(ids, [3, 4, 5]);
        assert_eq!(stream.after(0, 2).len(), 2);
        assert!(stream.after(5, 10).is_empty());
        assert_eq!(*stream.newest().borrow(), 5);
    }
}
