//! One stress: writers, backups meanwhile, and the verdict.

use std::time::{Duration, Instant};

use respaldo_tests::journey::is_done;
use respaldo_tests::{Client, Cluster, Outcome, Respaldo};

use crate::judge::Tally;
use crate::naive::{self, Naive};
use crate::stage;
use crate::truth::{self, Truth};
use crate::writers::Writers;

/// What a stress is like.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Name, for the figures printed.
    pub name: &'static str,
    /// The configuration file.
    pub config: &'static str,
    /// How long backups are made.
    pub seconds: u64,
    /// At least so many, however long it takes.
    pub rounds: usize,
    /// Sessions that write.
    pub writers: usize,
    /// Seed of the writers' choices; their timing is the machine's.
    pub seed: u64,
    /// The server crashes around every n-th backup.
    pub crash_every: Option<usize>,
    /// Every n-th backup sees short transactions only, so that a barrier can complete.
    pub calm_every: Option<usize>,
    /// Writers whose writes are not counted take part.
    pub uncounted: bool,
}

/// Backups that are restored in the end, the newest ones.
const RESTORED: usize = 3;

/// Runs a stress; panics on any false negative.
pub fn stress(plan: &Plan) -> Tally {
    println!("{plan:?}");
    let cluster = Cluster::builder()
        .conf("wal_level", "logical")
        .conf("max_slot_wal_keep_size", "4GB")
        .start();
    let url = cluster.new_database("live");
    let mut client = Client::connect(&url);
    stage::set(&mut client);
    if plan.uncounted {
        client.exec(stage::UNCOUNTED);
    }
    drop(client);
    let driver = Respaldo::new(&cluster, "live")
        .config(plan.config)
        .env("RESPALDO_FAULTS_TRACE", "steps.trace");
    let lossy = (plan.uncounted, plan.crash_every.is_some());
    let writers = Writers::start(&url, cluster.port(), plan.writers, plan.seed, lossy);
    let mut run = Run {
        plan,
        cluster: &cluster,
        driver: &driver,
        tally: Tally::default(),
        naive: Naive::default(),
        sealed: Vec::new(),
    };
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    let mut round = 0;
    while Instant::now() < end || run.tally.judged < plan.rounds {
        run.round(round, &writers);
        round += 1;
        assert!(
            round < 10 * plan.rounds.max(10) + plan.seconds as usize,
            "hardly any backup succeeds: {:?}",
            run.tally
        );
    }
    writers.stop();
    run.finish()
}

struct Run<'r> {
    plan: &'r Plan,
    cluster: &'r Cluster,
    driver: &'r Respaldo,
    tally: Tally,
    naive: Naive,
    sealed: Vec<(String, Truth)>,
}

impl Run<'_> {
    fn round(&mut self, round: usize, writers: &Writers) {
        let every = |n: Option<usize>| n.is_some_and(|n| round % n == n - 1);
        writers.move_on();
        writers.set_calm(every(self.plan.calm_every));
        let crashing = every(self.plan.crash_every);
        let midway = crashing && round.is_multiple_of(2);
        if crashing && !midway {
            self.cluster.crash();
        }
        let kind = ["full", "inc", "inc", "dif", "inc", "inc", "inc", "dif"][round % 8];
        let kind = if self.sealed.is_empty() { "full" } else { kind };
        let start = Instant::now();
        self.backup(kind, midway);
        let snapshots = self.driver.steps_passed();
        let snapshots = snapshots.iter().filter(|s| *s == "backup.snapshot").count();
        println!(
            "round {round}: {kind}, {:.1?}, {snapshots} snapshots",
            start.elapsed()
        );
    }

    /// One backup; the server may crash while it is held.
    fn backup(&mut self, kind: &str, crash: bool) {
        let (cluster, naive) = (self.cluster, &mut self.naive);
        let mut reading = None;
        let (outcome, truth) = truth::backup(cluster, self.driver, kind, |_| {
            reading = Client::try_connect(&cluster.url("live"))
                .ok()
                .map(|mut client| naive::sums(&mut client));
            if crash {
                cluster.crash();
            }
        });
        if !is_done(&outcome) {
            self.give_up(&outcome, crash);
            return;
        }
        let truth = truth.expect("a backup that succeeded was held with its snapshot open");
        let made = outcome.json();
        naive.backup(&truth, reading.unwrap_or_default(), made["tipo"] == "FULL");
        self.judge(&made["id"].to_string(), truth);
    }

    /// DDL that overtakes every snapshot is a reason to give up, and so is a server that crashed.
    fn give_up(&mut self, outcome: &Outcome, crashed: bool) {
        let code = outcome.json()["error"]["codigo"].clone();
        let code = code.as_str().unwrap_or_default();
        let overtaken = ["snapshot-overtaken", "lock-timeout"].contains(&code);
        assert!(overtaken || crashed, "a backup failed: {outcome:#?}");
        self.tally.given_up += 1;
    }

    fn judge(&mut self, id: &str, truth: Truth) {
        let shown = self.driver.ok(&["show", id, "--json"]).json();
        let base = shown["base"].as_str().map(str::to_owned);
        self.tally.judge(&shown, &truth, base.as_deref());
        self.sealed.push((id.to_owned(), truth));
    }

    /// With nobody writing any more, one more backup; then restores, and the figures.
    fn finish(mut self) -> Tally {
        self.backup("inc", false);
        for (id, truth) in self.sealed.iter().rev().take(RESTORED) {
            restore(self.cluster, self.driver, id, truth);
        }
        let Plan { name, seed, .. } = self.plan;
        let tally = self.tally;
        println!(
            "{name} (seed {seed}): {} backups, {} given up, {} tables judged, {} wrong; \
             needless dumps {:.1} % of {} unchanged {:?}; cleared by counters {}, by the log {}; the naive detector missed {}",
            tally.judged,
            tally.given_up,
            tally.tables,
            tally.wrong.len(),
            tally.needless_percent(),
            tally.unchanged,
            tally.needless,
            tally.cleared_by_counters,
            tally.cleared_by_log,
            self.naive.missed()
        );
        assert!(tally.wrong.is_empty(), "{:#?}", tally.wrong);
        assert!(self.naive.missed() > 0, "the stress does not bite");
        tally
    }
}

/// What comes back is what the snapshot saw.
fn restore(cluster: &Cluster, driver: &Respaldo, id: &str, truth: &Truth) {
    let name = format!("copy of {id}");
    driver.ok(&["restore", "--id", id, "--target-db", &name, "--create"]);
    let mut restored = truth::of(&mut Client::connect(&cluster.url(&name)));
    restored.retain(|name, _| truth.contains_key(name));
    let content = |truth: &Truth| -> Vec<_> {
        let part =
            |(name, c): (&String, &truth::Content)| (name.clone(), c.columns.clone(), c.print);
        truth.iter().map(part).collect()
    };
    assert_eq!(content(&restored), content(truth), "backup {id}");
    cluster.drop_database(&name);
}
