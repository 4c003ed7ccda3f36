//! The search: change an input, let a reader have it, build upon what ended in a new way.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use crate::alloc::peak_of;
use crate::corpus;
use crate::doc::Doc;
use crate::mutate::{self, Stock};
use crate::outcome;
use crate::payload::{self, Payload};
use crate::readers::{ALL, Reader};
use crate::rng::Rng;

/// Memory an input may cost per byte of its own: an entry of the fewest bytes, in a vector that grows.
const PER_BYTE: usize = 48;
/// Memory the whole process may take, C libraries included: two zstd windows of the largest size that is accepted.
const PROCESS_KIB: u64 = 320 << 10;

/// What to run.
pub struct Plan {
    seed: u64,
    executions: u64,
    workers: usize,
    keep: bool,
}

impl Plan {
    /// Of this size unless the environment says another, from `seed` on.
    pub fn from_environment(executions: u64, workers: usize, seed: u64) -> Self {
        let number = |name: &str| Some(std::env::var(name).ok()?.parse().unwrap());
        Self {
            seed: number("RESPALDO_FUZZ_SEED").unwrap_or(seed),
            executions: number("RESPALDO_FUZZ_RUNS").unwrap_or(executions),
            workers,
            keep: std::env::var_os("RESPALDO_FUZZ_KEEP").is_some(),
        }
    }
}

/// Why an execution failed.
pub enum Failure {
    Panicked(String),
    Memory { held: usize, allowed: usize },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Memory { held, allowed } => write!(f, "held {held} bytes, allowed are {allowed}"),
        }
    }
}

/// Lets one reader have one input; says how it ended.
pub fn judge(reader: &Reader, input: &[u8], knob: u64) -> Result<String, Failure> {
    let read = || peak_of(|| (reader.run)(input, knob));
    let (ended, held) = catch_unwind(AssertUnwindSafe(read)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Failure::Panicked(text.unwrap_or_default())
    })?;
    let allowed = reader.free + PER_BYTE * input.len();
    if held > allowed {
        return Err(Failure::Memory { held, allowed });
    }
    Ok(format!("{} {}", reader.name, outcome::of(&ended)))
}

/// Runs the plan; gives every way in which a reader ended.
pub fn run(plan: &Plan) -> BTreeSet<String> {
    let Plan {
        seed,
        executions,
        workers,
        ..
    } = plan;
    println!("seed {seed}, {executions} executions by {workers} workers");
    let share = plan.executions / plan.workers as u64;
    let searches: Vec<_> = (0..plan.workers as u64)
        .map(|number| Search::new(plan, number))
        .collect();
    forget_peak();
    let outcomes = thread::scope(|scope| {
        let start = |search: Search| scope.spawn(move || search.run(share));
        let workers: Vec<_> = searches.into_iter().map(start).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    check_process();
    outcomes
}

/// Making frames with large windows took memory that is not the readers'.
fn forget_peak() {
    // Where the system has no such file, it does not tell the peak either.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The most memory the process had since, where the system says it.
fn check_process() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let Some(kib) = line.and_then(|line| line.trim().strip_suffix(" kB")) else {
        return;
    };
    let kib: u64 = kib.trim().parse().unwrap();
    assert!(kib < PROCESS_KIB, "the process took {kib} KiB");
}

/// One worker's search.
struct Search {
    rng: Rng,
    keep: bool,
    inputs: Vec<Vec<u8>>,
    docs: Vec<Doc>,
    payloads: Vec<Payload>,
    seen: BTreeSet<String>,
}

impl Search {
    fn new(plan: &Plan, worker: u64) -> Self {
        let mut rng = Rng::new(plan.seed.wrapping_mul(1_000_003).wrapping_add(worker));
        let mut inputs = corpus::slim();
        inputs.extend(corpus::golden().into_iter().map(|(_, archive)| archive));
        let docs = inputs
            .iter()
            .filter_map(|input| Doc::parse(input))
            .collect();
        inputs.extend(corpus::load().into_iter().map(|(_, input)| input));
        let payloads = payload::make(&mut rng);
        Self {
            rng,
            keep: plan.keep,
            inputs,
            docs,
            payloads,
            seen: BTreeSet::new(),
        }
    }

    fn run(mut self, executions: u64) -> BTreeSet<String> {
        for (reader, execution) in ALL.iter().cycle().zip(0..executions) {
            // A run that is stopped says how far it came.
            if execution % 500_000 == 499_999 {
                println!("a worker made {} executions", execution + 1);
            }
            let input = self.input();
            let knob = self.rng.next();
            match judge(reader, &input, knob) {
                Ok(outcome) => self.learn(reader, outcome, input, knob),
                Err(failure) => {
                    let path = corpus::save_failure(&input);
                    let (name, path) = (reader.name, path.display());
                    panic!("{name} {failure}\nexecution {execution}, knob {knob}, input {path}");
                }
            }
        }
        self.seen
    }

    /// The next input: usually a small archive, changed in structure, in bytes, or in both.
    fn input(&mut self) -> Vec<u8> {
        let slim = self.docs.len() / 2;
        let is_structured = !self.rng.one_in(4);
        let mut input = if is_structured {
            let count = if self.rng.one_in(16) {
                self.docs.len()
            } else {
                slim
            };
            let mut doc = self.docs[self.rng.below(count)].clone();
            let stock = Stock {
                others: &self.docs[..slim],
                payloads: &self.payloads,
            };
            mutate::structure(&mut self.rng, &mut doc, &stock);
            doc.write()
        } else {
            self.rng.pick(&self.inputs).clone()
        };
        if !is_structured || self.rng.one_in(4) {
            let other = self.rng.pick(&self.inputs);
            mutate::bytes(&mut self.rng, &mut input, other);
        }
        input
    }

    fn learn(&mut self, reader: &Reader, outcome: String, input: Vec<u8>, knob: u64) {
        if self.seen.contains(&outcome) {
            return;
        }
        if self.keep {
            let least = shrink(input.clone(), |shorter| {
                judge(reader, shorter, knob).is_ok_and(|found| found == outcome)
            });
            corpus::keep(short_name(&outcome), &least);
        }
        self.seen.insert(outcome);
        self.inputs.push(input);
    }
}

/// Every reader gets every kept input, so an error is kept once, whoever met it.
fn short_name(outcome: &str) -> &str {
    let (_, how) = outcome.split_once(' ').unwrap_or_default();
    if how.starts_with("read ") {
        outcome
    } else {
        how
    }
}

/// The least of an input that is still `alike`: first without entries and blocks, then without bytes.
fn shrink(mut least: Vec<u8>, alike: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut at = 0;
    while let Some(doc) = Doc::parse(&least) {
        if at == doc.entries.len() + doc.blocks.len() {
            break;
        }
        let shorter = without(doc, at).write();
        if alike(&shorter) {
            least = shorter;
        } else {
            at += 1;
        }
    }
    let mut step = least.len() / 2;
    while step > 0 {
        let mut at = 0;
        while at < least.len() {
            let mut shorter = least.clone();
            shorter.drain(at..(at + step).min(least.len()));
            if alike(&shorter) {
                least = shorter;
            } else {
                at += step;
            }
        }
        // Not to the last byte of a long one: it takes too long.
        step = if least.len() > 2_000 && step < 16 {
            0
        } else {
            step / 2
        };
    }
    least
}

fn without(mut doc: Doc, at: usize) -> Doc {
    match at.checked_sub(doc.entries.len()) {
        None => drop(doc.entries.remove(at)),
        Some(at) => drop(doc.blocks.remove(at)),
    }
    doc
}
