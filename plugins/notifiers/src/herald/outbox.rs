//! What waits for one way, and which of it is tried next.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use respaldo_domain::alert::{MOST_WAITING, Notice, first_to_go};

use super::Retries;

/// What the way said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It took the notice.
    Taken,
    /// It may take it later.
    NotNow,
    /// It would refuse it again.
    Never,
}

/// A notice that waits.
#[derive(Debug, Clone)]
pub struct Letter {
    number: u64,
    /// What is to be told.
    pub notice: Notice,
    attempts: u32,
    next: Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    At(Instant),
    /// It is being tried.
    UnderWay,
    /// Not by this process, unless something newer is to be told of the same.
    Never,
}

/// The notices of one way, oldest first.
pub struct Outbox {
    retries: Retries,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    letters: Vec<Letter>,
    /// Given up while another one was tried.
    given_up: Vec<Notice>,
    last_number: u64,
    is_closing: bool,
}

impl Outbox {
    /// Nothing waits.
    pub fn new(retries: Retries) -> Self {
        Self {
            retries,
            waiting: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// One more.
    pub fn add(&self, notice: Notice) {
        self.lock().add(notice);
        self.changed.notify_all();
    }

    /// None waits any more.
    pub fn clear(&self) {
        self.lock().letters.clear();
    }

    /// What was never tried is still tried, nothing else.
    pub fn close(&self) {
        self.lock().is_closing = true;
        self.changed.notify_all();
    }

    /// The next one to be tried, when its time has come; `None` at the end.
    pub fn next(&self) -> Option<Letter> {
        let mut waiting = self.lock();
        loop {
            let now = Instant::now();
            if let Some(letter) = waiting.take_ready(now) {
                return Some(letter);
            }
            if waiting.is_closing {
                return None;
            }
            waiting = match waiting.soonest() {
                Some(at) => {
                    let pause = at.saturating_duration_since(now);
                    let woken = self.changed.wait_timeout(waiting, pause);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let woken = self.changed.wait(waiting);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    /// What became of one that was tried; gives all that are owed no more.
    pub fn answered(&self, letter: &Letter, answer: Answer) -> Vec<Notice> {
        let mut waiting = self.lock();
        let mut over = std::mem::take(&mut waiting.given_up);
        if answer == Answer::Taken {
            over.push(letter.notice.clone());
        }
        // One that is not there was forgotten meanwhile.
        let is = |one: &Letter| one.number == letter.number;
        let Some(at) = waiting.letters.iter().position(is) else {
            return over;
        };
        let is_ping = !letter.notice.kind.is_for_people();
        let is_last = letter.attempts >= self.retries.attempts || waiting.is_overtaken(at);
        match answer {
            Answer::Taken => drop(waiting.letters.remove(at)),
            Answer::Never | Answer::NotNow if is_ping && (is_last || answer == Answer::Never) => {
                tracing::error!(subject = letter.notice.subject, "a ping is given up");
                over.push(waiting.letters.remove(at).notice);
            }
            Answer::NotNow => {
                let pause = self.retries.pause_after(letter.attempts);
                waiting.letters[at].next = Next::At(Instant::now() + pause);
            }
            Answer::Never => waiting.letters[at].next = Next::Never,
        }
        over
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, notice: Notice) {
        self.drop_overtaken_by(&notice);
        if self.letters.len() >= MOST_WAITING {
            let all: Vec<&Notice> = self.letters.iter().map(|letter| &letter.notice).collect();
            let gone = self.letters.remove(first_to_go(&all)).notice;
            tracing::error!(subject = gone.subject, "not told: too much waits");
            self.given_up.push(gone);
        }
        self.last_number += 1;
        self.letters.push(Letter {
            number: self.last_number,
            notice,
            attempts: 0,
            next: Next::At(Instant::now()),
        });
    }

    /// A ping that was tried in vain, and what was refused for good, must not hold up what is newer.
    fn drop_overtaken_by(&mut self, notice: &Notice) {
        let is_ping = !notice.kind.is_for_people();
        let goes = |letter: &mut Letter| {
            let in_vain = match letter.next {
                Next::At(_) => is_ping && letter.attempts > 0,
                Next::UnderWay => false,
                Next::Never => true,
            };
            in_vain && letter.notice.is_of_one_with(notice)
        };
        let gone = self.letters.extract_if(.., goes);
        self.given_up.extend(gone.map(|letter| letter.notice));
    }

    /// The first whose time has come and that no earlier one of the same thing holds up.
    fn take_ready(&mut self, now: Instant) -> Option<Letter> {
        let is_ready = |letter: &Letter| match letter.next {
            Next::At(at) => at <= now && !(self.is_closing && letter.attempts > 0),
            Next::UnderWay | Next::Never => false,
        };
        let ready = |at: &usize| is_ready(&self.letters[*at]) && !self.is_held_up(*at);
        let at = (0..self.letters.len()).find(ready)?;
        let letter = &mut self.letters[at];
        letter.attempts += 1;
        letter.next = Next::UnderWay;
        Some(letter.clone())
    }

    fn soonest(&self) -> Option<Instant> {
        let times = self.letters.iter().enumerate().filter_map(|(at, letter)| {
            let Next::At(time) = letter.next else {
                return None;
            };
            (!self.is_held_up(at)).then_some(time)
        });
        times.min()
    }

    fn is_held_up(&self, at: usize) -> bool {
        let notice = &self.letters[at].notice;
        let mut earlier = self.letters[..at].iter();
        earlier.any(|letter| letter.notice.is_of_one_with(notice))
    }

    fn is_overtaken(&self, at: usize) -> bool {
        let notice = &self.letters[at].notice;
        let mut later = self.letters[at + 1..].iter();
        later.any(|letter| letter.notice.is_of_one_with(notice))
    }
}
