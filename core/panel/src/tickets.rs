//! Tickets of planned restores: each is for one wish of one caller, counts for ten minutes, and once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::ask::RestoreWish;
use crate::problem::Refusal;
use crate::secrets;

const COUNTS_FOR: Duration = Duration::from_mins(10);
/// Tickets at once.
const MOST: usize = 200;

/// What was planned.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// Session or token that planned it.
    pub owner: String,
    /// Database.
    pub base: String,
    /// What was asked for.
    pub wish: RestoreWish,
    /// The backup that was looked at.
    pub archive: String,
    /// What has to be typed.
    pub confirmation: String,
}

struct Held {
    ticket: Ticket,
    until: Instant,
    used: bool,
}

/// All of them.
#[derive(Default)]
pub struct Tickets(Mutex<HashMap<String, Held>>);

impl Tickets {
    /// A new one, and until when it counts.
    pub fn issue(&self, ticket: Ticket) -> Result<(String, DateTime<Utc>), Refusal> {
        let text = secrets::random()?;
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        held.retain(|_, held| held.until > now);
        if held.len() >= MOST {
            return Err(Refusal::too_many());
        }
        let until = now + COUNTS_FOR;
        let used = false;
        held.insert(
            secrets::hash(&text),
            Held {
                ticket,
                until,
                used,
            },
        );
        let delta = TimeDelta::from_std(COUNTS_FOR).unwrap_or_default();
        Ok((text, Utc::now() + delta))
    }

    /// Uses one up. It has to be of this caller, for this wish, and what has to be typed has to have been; a text that
    /// was mistyped leaves it as it is.
    pub fn redeem(
        &self,
        text: &str,
        typed: &str,
        is_same: impl FnOnce(&Ticket) -> bool,
    ) -> Result<Ticket, Refusal> {
        let unfit = |why: &str| Refusal::new(422, "ticket-invalid", why);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held.get_mut(&secrets::hash(text));
        let found = found.filter(|held| held.until > Instant::now());
        let Some(found) = found else {
            return Err(unfit("ficha"));
        };
        if !is_same(&found.ticket) {
            return Err(unfit(
                "the plan is another: session, database or options differ",
            ));
        }
        if found.used {
            return Err(Refusal::new(409, "ticket-used", ""));
        }
        if typed != found.ticket.confirmation {
            return Err(Refusal::new(422, "confirmation-wrong", ""));
        }
        found.used = true;
        Ok(found.ticket.clone())
    }
}
