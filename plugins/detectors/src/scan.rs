//! Prints of tables under the snapshot, computed by the server.
//!
//! Nothing but a count and a sum crosses the wire. Small tables share a statement, a few
//! connections work through the statements, largest tables first. A table that cannot be scanned
//! (somebody waits for a lock on it, a row is too large for its text) is named in the outcome and
//! stops nothing else.

mod statement;
mod worker;

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use respaldo_domain::table::{Oid, TableName};
use respaldo_engine::ports::{Context, DetectionRequest, Fault};

pub(crate) use statement::definitions_of_large_objects;

use crate::evidence::Print;
use crate::options::DetectorOptions;
use crate::signals::Basis;

/// Key of all large objects together: the oid of pg_largeobject in every version.
pub(crate) const LARGE_OBJECTS: Oid = Oid(2613);

/// What is to be scanned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub key: Oid,
    /// `None`: the pages of all large objects.
    pub table: Option<TableName>,
    /// Columns that a dump of the table holds.
    pub columns: Vec<String>,
    pub bytes: u64,
}

/// What came of the jobs.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    pub prints: HashMap<Oid, Print>,
    /// Why some have no print.
    pub failures: Vec<(Oid, String)>,
}

/// A statement's worth of small tables.
const BATCH_BYTES: u64 = 16 << 20;
const BATCH_TABLES: usize = 64;

/// Scans all jobs.
pub(crate) fn run(
    request: &DetectionRequest,
    basis: Basis,
    options: &DetectorOptions,
    jobs: Vec<Job>,
    cx: &Context,
) -> Result<Scanned, Fault> {
    let batches = batches(jobs);
    let workers = options.workers.clamp(1, batches.len().max(1));
    let shared = worker::Shared {
        each_alone: is_shared_evenly(&batches, workers),
        request,
        basis,
        options,
        cx,
        waiting: Mutex::new(VecDeque::from(batches)),
        done: Mutex::new(Scanned::default()),
    };
    if !lock(&shared.waiting).is_empty() {
        worker::work_through(&shared, workers)?;
    }
    Ok(shared
        .done
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner))
}

/// Largest first, so that the last to end is a small one; what fits shares a statement.
fn batches(mut jobs: Vec<Job>) -> Vec<Vec<Job>> {
    jobs.sort_by_key(|job| std::cmp::Reverse(job.bytes));
    let mut batches: Vec<Vec<Job>> = Vec::new();
    let mut bytes = 0;
    for job in jobs {
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_TABLES && bytes + job.bytes <= BATCH_BYTES => {
                bytes += job.bytes;
                batch.push(job);
            }
            _ => {
                bytes = job.bytes;
                batches.push(vec![job]);
            }
        }
    }
    batches
}

/// Whether our connections have equal parts of the work. Then helpers that the server gives to one of
/// them would only take the processors from the others, and cost as much again.
fn is_shared_evenly(batches: &[Vec<Job>], workers: usize) -> bool {
    let bytes = |batch: &Vec<Job>| batch.iter().map(|job| job.bytes).sum::<u64>();
    let largest = batches.iter().map(bytes).max().unwrap_or(0);
    let all: u64 = batches.iter().map(bytes).sum();
    workers > 1 && largest <= all / workers as u64
}

/// What a thread that panicked leaves behind is still whole: each change is one push.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(key: u32, bytes: u64) -> Job {
        Job {
            key: Oid(key),
            table: None,
            columns: Vec::new(),
            bytes,
        }
    }

    #[test]
    fn large_tables_come_first_and_alone_and_small_ones_share() {
        let jobs = vec![
            job(1, 10),
            job(2, 100 << 20),
            job(3, 15 << 20),
            job(4, 2 << 20),
        ];
        let keys: Vec<Vec<u32>> = batches(jobs)
            .iter()
            .map(|batch| batch.iter().map(|job| job.key.0).collect())
            .collect();
        assert_eq!(keys, [vec![2], vec![3], vec![4, 1]]);
        assert_eq!(batches((0..130).map(|key| job(key, 0)).collect()).len(), 3);
    }

    #[test]
    fn one_table_that_outweighs_the_others_is_left_the_servers_helpers() {
        let sized = |sizes: &[u64]| -> Vec<Vec<Job>> {
            sizes.iter().map(|bytes| vec![job(1, *bytes)]).collect()
        };
        assert!(is_shared_evenly(&sized(&[5, 5, 4]), 2));
        assert!(!is_shared_evenly(&sized(&[5, 1, 1]), 2));
        assert!(!is_shared_evenly(&sized(&[5, 5]), 1));
        assert!(!is_shared_evenly(&sized(&[u64::MAX]), 2));
    }
}
