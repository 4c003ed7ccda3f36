//! Answers that are kept for a moment, so that many people who look at the same page ask the database once.
//!
//! Who asks for what another is asking for already waits for that answer. A change or the end of a job ends all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::ask::Question;
use crate::ports::Lang;
use crate::problem::Refusal;

/// Answers that are kept at most.
const MOST: usize = 256;
/// A longer answer is not kept.
const LONGEST_BYTES: usize = 512 * 1024;

type Key = (String, Lang, Question);
type Answer = Result<Bytes, Refusal>;

/// One answer, had or being waited for.
pub type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// An answer and when it was had.
#[derive(Clone)]
pub struct Kept {
    at: Instant,
    generation: u64,
    answer: Answer,
}

/// All of them.
#[derive(Default)]
pub struct Cache {
    generation: AtomicU64,
    slots: Mutex<HashMap<Key, Slot>>,
}

/// How long an answer counts.
pub fn lasts(question: &Question) -> Duration {
    Duration::from_secs(match question {
        Question::Overview | Question::Status | Question::Stats | Question::Space => 4,
        Question::Doctor | Question::Sinks | Question::Plugins => 10,
        Question::Preview { live: true, .. } => 0,
        _ => 2,
    })
}

impl Cache {
    /// What is had from now on is new.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Now.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    /// Where the answer to a question is kept.
    pub fn slot(&self, key: Key) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST {
            // Those that nobody waits for.
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        Arc::clone(slots.entry(key).or_default())
    }

    /// The answer that is kept, while it counts.
    pub fn fresh(&self, kept: Option<&Kept>, lasts: Duration) -> Option<Answer> {
        let kept = kept?;
        let counts = kept.generation == self.generation() && kept.at.elapsed() < lasts;
        counts.then(|| kept.answer.clone())
    }
}

impl Kept {
    /// An answer that was had in this generation; `None` for one that is too long to be kept.
    pub fn of(answer: &Answer, generation: u64) -> Option<Self> {
        let is_long = answer
            .as_ref()
            .is_ok_and(|bytes| bytes.len() > LONGEST_BYTES);
        (!is_long).then(|| Self {
            at: Instant::now(),
            generation,
            answer: answer.clone(),
        })
    }
}
