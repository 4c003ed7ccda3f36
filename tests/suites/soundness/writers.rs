//! Threads that write, each with a session and habits of its own.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use respaldo_tests::Client;

use crate::actions;
use crate::stage::{self, Table};

/// Tables that are written to at one time.
const HOT: usize = 12;

/// What all writers share.
#[derive(Debug)]
pub struct Shared {
    pub url: String,
    pub port: u16,
    pub tables: Vec<Table>,
    /// Transactions that were prepared and not yet finished by anybody.
    pub prepared: Mutex<Vec<String>>,
    /// Writers whose writes are not counted take part.
    pub uncounted: bool,
    /// The server crashes now and then; asynchronous commits may be lost.
    pub crashes: bool,
    stop: AtomicBool,
    calm: AtomicBool,
    hot: AtomicUsize,
}

impl Shared {
    /// The writers are to end.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Only short transactions.
    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::SeqCst)
    }
}

/// The running writers; stopped when dropped.
#[derive(Debug)]
pub struct Writers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Writers {
    /// Starts `count` writers on a staged database.
    pub fn start(url: &str, port: u16, count: usize, seed: u64, plan: (bool, bool)) -> Self {
        let shared = Arc::new(Shared {
            url: format!("{url}?application_name=writer"),
            port,
            tables: stage::tables(),
            prepared: Mutex::default(),
            uncounted: plan.0,
            crashes: plan.1,
            stop: AtomicBool::default(),
            calm: AtomicBool::default(),
            hot: AtomicUsize::default(),
        });
        let spawn = |n: usize| {
            let mut writer = Writer::new(&shared, seed * 1_000 + n as u64);
            thread::spawn(move || writer.work())
        };
        let threads = (0..count).map(spawn).collect();
        Self { shared, threads }
    }

    /// Other tables become hot.
    pub fn move_on(&self) {
        self.shared.hot.fetch_add(HOT / 2, Ordering::SeqCst);
    }

    /// Whether only short transactions are to run.
    pub fn set_calm(&self, calm: bool) {
        self.shared.calm.store(calm, Ordering::SeqCst);
    }

    /// Ends all writers and whatever they left prepared.
    pub fn stop(mut self) {
        self.end();
        let mut client = Client::connect(&self.shared.url);
        for name in client.column("SELECT gid FROM pg_prepared_xacts") {
            client.exec(&format!("ROLLBACK PREPARED '{name}'"));
        }
    }

    fn end(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.end();
    }
}

/// One writer.
pub struct Writer {
    pub shared: Arc<Shared>,
    client: Option<Client>,
    random: u64,
}

impl Writer {
    fn new(shared: &Arc<Shared>, seed: u64) -> Self {
        Self {
            shared: Arc::clone(shared),
            client: None,
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        }
    }

    fn work(&mut self) {
        while !self.shared.stopped() {
            let action = actions::choose(self);
            action(self);
            let rest = self.below(120);
            self.idle(rest);
        }
    }

    /// A random number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % n
    }

    /// One of the tables that are hot now.
    pub fn table(&mut self) -> Table {
        let at = self.shared.hot.load(Ordering::SeqCst) + self.below(HOT as u64) as usize;
        self.shared.tables[at % self.shared.tables.len()].clone()
    }

    /// A hot table that can be dropped and renamed.
    pub fn free_table(&mut self) -> Table {
        loop {
            let table = self.table();
            if !table.is_leaf {
                return table;
            }
        }
    }

    /// A statement that changes a hot table, with a value that was never there before.
    pub fn change(&mut self) -> String {
        let table = self.table().name;
        let part = self.below(7);
        match self.below(4) {
            0 => format!(
                "INSERT INTO {table} (id, v, w) SELECT coalesce(max(id), 0) + 6, {}, 'new' FROM {table}",
                self.below(1 << 50)
            ),
            1 if table.starts_with("s.p") => {
                format!("UPDATE s.p SET v = v + 1 WHERE id % 11 = {part}")
            }
            1 => format!("DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table})"),
            _ => format!(
                "UPDATE {table} SET v = (random() * 1e15)::bigint, w = '{}' WHERE id % 7 = {part}",
                self.below(1 << 40)
            ),
        }
    }

    /// Runs statements as one message. A failure (a lock not to be had, a table just replaced, a
    /// session terminated) is part of the game: whether it worked.
    pub fn send(&mut self, sql: &str) -> bool {
        let Some(client) = self.session() else {
            return false;
        };
        if client.try_exec(sql).is_ok() {
            return true;
        }
        if client.try_exec("ROLLBACK").is_err() {
            self.client = None;
        }
        false
    }

    /// Sends rows to a COPY.
    pub fn copy(&mut self, copy: &str, rows: &str) -> bool {
        let copied = self
            .session()
            .is_some_and(|client| client.try_copy_in(copy, rows).is_ok());
        if !copied {
            self.client = None;
        }
        copied
    }

    /// Ends the session; the next statement opens another.
    pub fn leave(&mut self) {
        self.client = None;
    }

    fn session(&mut self) -> Option<&mut Client> {
        if self.client.is_none() {
            self.client = self.connect();
        }
        if self.client.is_none() {
            self.idle(200); // the server recovers
        }
        self.client.as_mut()
    }

    fn connect(&mut self) -> Option<Client> {
        let lossy = self.shared.crashes && self.below(2) == 0;
        let commit = if lossy { "off" } else { "on" };
        let settings = format!(
            "SET lock_timeout = '400ms'; SET synchronous_commit = {commit}; SET client_min_messages = error"
        );
        let mut client = Client::try_connect(&self.shared.url).ok()?;
        client.try_exec(&settings).ok().map(|()| client)
    }

    /// Stays as it is for so many milliseconds, or until the end of the stress.
    pub fn idle(&self, milliseconds: u64) {
        let end = Instant::now() + Duration::from_millis(milliseconds);
        while Instant::now() < end && !self.shared.stopped() {
            let left = end.saturating_duration_since(Instant::now());
            thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}
