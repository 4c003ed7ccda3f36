//! Failed logins: who fails too often waits, longer each time, by name and by address.
//!
//! A name waits only after many failures from anywhere: whoever wants to keep an administrator out has to try from many
//! addresses, each of which waits after a few.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{People, PeopleError};

/// Failures from one address that are not waited for.
const FREE_OF_ADDRESS: u32 = 4;
/// Failures with one name, from anywhere.
const FREE_OF_NAME: u32 = 20;
/// Longest wait.
const LONGEST: TimeDelta = TimeDelta::minutes(15);
/// What is older is forgotten.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);
/// Names and addresses that are remembered at most; the oldest go.
const MOST: usize = 1000;

/// Failures in a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tries {
    quien: String,
    veces: u32,
    ultima: DateTime<Utc>,
}

/// How long somebody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked {
    /// Seconds from now.
    pub seconds: u64,
}

impl Tries {
    fn open_at(&self, free: u32) -> Option<DateTime<Utc>> {
        let beyond = self.veces.checked_sub(free + 1)?;
        let wait = TimeDelta::seconds(2_i64.saturating_pow(beyond.min(20) + 1));
        Some(self.ultima + wait.min(LONGEST))
    }
}

/// Networks of IPv6 are given out whole.
fn of_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("a:{address}"),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("a:{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn of_name(name: &str) -> String {
    format!("u:{}", name.chars().take(64).collect::<String>())
}

impl People {
    /// How long a login has to wait, if at all.
    pub fn locked(&self, name: &str, address: IpAddr) -> Result<Option<Locked>, PeopleError> {
        let now = Utc::now();
        let book = self.book()?;
        let open = |who: &str, free| {
            let tries = book.intentos.iter().find(|tries| tries.quien == who)?;
            tries.open_at(free)
        };
        let open = [
            open(&of_address(address), FREE_OF_ADDRESS),
            open(&of_name(name), FREE_OF_NAME),
        ];
        let open = open.into_iter().flatten().max().filter(|at| *at > now);
        Ok(open.map(|at| Locked {
            seconds: u64::try_from((at - now).num_seconds()).unwrap_or(0) + 1,
        }))
    }

    /// A login failed.
    pub fn failed(&self, name: &str, address: IpAddr) -> Result<(), PeopleError> {
        let now = Utc::now();
        self.change(|book| {
            book.intentos
                .retain(|tries| now - tries.ultima < REMEMBERED);
            for who in [of_address(address), of_name(name)] {
                let found = book.intentos.iter().position(|tries| tries.quien == who);
                let mut tries = match found {
                    Some(at) => book.intentos.remove(at),
                    None => Tries {
                        quien: who,
                        veces: 0,
                        ultima: now,
                    },
                };
                tries.veces += 1;
                tries.ultima = now;
                book.intentos.push(tries);
            }
            let beyond = book.intentos.len().saturating_sub(MOST);
            book.intentos.drain(..beyond);
            Ok(())
        })
    }

    /// A login went well.
    pub fn succeeded(&self, name: &str, address: IpAddr) -> Result<(), PeopleError> {
        let gone = [of_address(address), of_name(name)];
        let is_gone = |tries: &Tries| gone.contains(&tries.quien);
        if !self.book()?.intentos.iter().any(is_gone) {
            return Ok(());
        }
        self.change(|book| {
            book.intentos.retain(|tries| !is_gone(tries));
            Ok(())
        })
    }
}
