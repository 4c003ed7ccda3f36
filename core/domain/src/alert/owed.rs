//! What was not told yet: a way may be down for longer than a process lives, so this is remembered with the
//! alarms, and what a way has not taken is offered to it again by the next process.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Notice;

/// Notices that wait for one way at most.
pub const MOST_WAITING: usize = 256;

/// Notices that ways have not taken yet, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Owed {
    /// For all ways, while it is not known which there are.
    #[serde(default)]
    of_all: Vec<Notice>,
    /// For each way.
    #[serde(default)]
    of_each: BTreeMap<String, Vec<Notice>>,
}

impl Owed {
    /// A notice is to be told in these ways; in all there are, where that is not known yet.
    pub fn owe(&mut self, notice: &Notice, ways: Option<&[String]>) {
        match ways {
            Some(ways) => {
                for way in ways {
                    add(self.of_each.entry(way.clone()).or_default(), notice);
                }
            }
            None => add(&mut self.of_all, notice),
        }
    }

    /// These are the ways there are. What is owed to any other is owed no more.
    pub fn address(&mut self, ways: &[String]) {
        self.of_each.retain(|way, _| ways.contains(way));
        for notice in std::mem::take(&mut self.of_all) {
            self.owe(&notice, Some(ways));
        }
    }

    /// A way took it, or never will.
    pub fn settle(&mut self, way: &str, notice: &Notice) {
        if let Some(owed) = self.of_each.get_mut(way) {
            owed.retain(|one| one != notice);
        }
    }

    /// What one way has not taken.
    pub fn to(&self, way: &str) -> &[Notice] {
        self.of_each.get(way).map_or(&[], Vec::as_slice)
    }
}

fn add(waiting: &mut Vec<Notice>, notice: &Notice) {
    if waiting.len() >= MOST_WAITING {
        let all: Vec<&Notice> = waiting.iter().collect();
        waiting.remove(first_to_go(&all));
    }
    waiting.push(notice.clone());
}

/// Which of too many goes: the oldest that a later one overtakes, else the oldest.
pub fn first_to_go(waiting: &[&Notice]) -> usize {
    let is_overtaken = |at: &usize| {
        let later = waiting.iter().skip(at + 1);
        later
            .into_iter()
            .any(|later| later.is_of_one_with(waiting[*at]))
    };
    (0..waiting.len()).find(is_overtaken).unwrap_or(0)
}
