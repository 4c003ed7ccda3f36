//! Drives the `respaldo` binary: `$RESPALDO_BIN`, else the one built beside the test.
//!
//! Each driver has a working folder of its own and hands over a clean environment. A run that takes
//! longer than its limit is killed and fails the test. Faults need a binary built with the feature
//! `faults`; the helpers here panic when a planned fault or trace never happened.

use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Timelike, Utc};
use serde_json::Value;
use tempfile::TempDir;

use crate::Cluster;

const FAULTS: &str = "RESPALDO_FAULTS";
const TRACE: &str = "RESPALDO_FAULTS_TRACE";

/// A way to call the binary: working folder, environment, time limit.
#[derive(Debug)]
pub struct Respaldo {
    folder: TempDir,
    environment: Vec<(String, String)>,
    limit: Duration,
    program: Option<PathBuf>,
}

/// What a run of the binary ended with.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Signal that ended it, if one did.
    pub signal: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Respaldo {
    /// A driver for a database of `cluster`, connecting as its superuser.
    pub fn new(cluster: &Cluster, db: &str) -> Self {
        Self::for_url(cluster, &cluster.url(db))
    }

    /// A driver connecting by `url`, using the tools of `cluster`'s installation.
    pub fn for_url(cluster: &Cluster, url: &str) -> Self {
        let path = env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", cluster.bin_dir().display());
        Self::bare().env("DATABASE_URL", url).env("PATH", &path)
    }

    /// A driver without any setting.
    pub fn bare() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("respaldo-")
            .tempdir()
            .unwrap();
        Self {
            folder,
            environment: Vec::new(),
            limit: Duration::from_mins(2),
            program: None,
        }
    }

    /// Sets a variable of the binary's environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes `respaldo.toml` into the working folder.
    #[must_use]
    pub fn config(self, text: &str) -> Self {
        fs::write(self.folder().join("respaldo.toml"), text).unwrap();
        self
    }

    /// Backups are due half a day away from now: none in the middle of a test, and none within the hour
    /// that a service makes up even where it makes up nothing else.
    #[must_use]
    pub fn quiet_hours(self) -> Self {
        let hour = (Utc::now() + TimeDelta::hours(12)).hour();
        self.env("RESPALDO_SCHEDULE__FULL", &format!("1 {hour}:30"))
            .env(
                "RESPALDO_SCHEDULE__DIFFERENTIAL",
                &format!("sunday {hour}:30"),
            )
            .env("RESPALDO_SCHEDULE__INCREMENTAL", &format!("{hour}:30"))
            .env("RESPALDO_SCHEDULE__VALIDATION", &format!("{hour}:30"))
    }

    /// Sets the longest time a run may take (two minutes otherwise).
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Drives another program than the binary under test.
    #[must_use]
    pub fn program(mut self, path: &Path) -> Self {
        self.program = Some(path.to_owned());
        self
    }

    /// The working folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the binary to its end.
    pub fn run(&self, args: &[&str]) -> Outcome {
        self.spawn(args).wait(self.limit)
    }

    /// Runs the binary to its end with one more variable, for this run alone.
    pub fn run_with(&self, name: &str, value: &str, args: &[&str]) -> Outcome {
        let mut command = self.command(args);
        command.env(name, value);
        Running::start(command).wait(self.limit)
    }

    /// Runs the binary and panics with all it said unless it exits with 0. That client tools are older than the server
    /// may be said: of PostgreSQL 13 there are no newer ones to be had.
    pub fn ok(&self, args: &[&str]) -> Outcome {
        let outcome = self.run(args);
        assert!(
            outcome.code == Some(0) || outcome.warns_only_of_old_tools(),
            "respaldo {args:?} failed: {outcome:#?}"
        );
        outcome
    }

    /// Starts the binary and leaves it running.
    pub fn spawn(&self, args: &[&str]) -> Running {
        Running::start(self.command(args))
    }

    /// Runs to a good end; peak memory in KiB: the highest VmHWM of the process that was seen meanwhile.
    pub fn peak_kib(&self, args: &[&str]) -> u64 {
        self.peak_of("VmHWM:", args)
    }

    /// The same of what it took for itself, without the pages of the program, of which a build for tests has more.
    pub fn peak_own_kib(&self, args: &[&str]) -> u64 {
        self.peak_of("RssAnon:", args)
    }

    fn peak_of(&self, figure: &str, args: &[&str]) -> u64 {
        let mut running = self.spawn(args);
        let status = format!("/proc/{}/status", running.pid());
        let mut peak = 0;
        while !running.has_ended() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix(figure));
            let seen = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
            peak = peak.max(seen.unwrap_or(0));
            std::thread::sleep(Duration::from_millis(5));
        }
        let outcome = running.wait(Duration::from_secs(5));
        assert!(outcome.is_done(), "{outcome:#?}");
        assert!(peak > 0, "the memory of {args:?} was not seen");
        peak
    }

    /// The command, for what this driver does not offer.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.program.clone().unwrap_or_else(binary));
        command.args(args).current_dir(self.folder()).env_clear();
        command
            .env("HOME", self.folder())
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8");
        command.env("PATH", env::var("PATH").unwrap_or_default());
        // Coverage runs collect the counters of the binary as well.
        command.envs(env::vars().filter(|(name, _)| name.starts_with("LLVM_PROFILE")));
        // A whole suite can be run with another dumper.
        command.envs(env::vars().filter(|(name, _)| name == "RESPALDO_DUMPER__USE"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs with the fault described by `fault`: `STEP=kill`, `STEP=fail`, `#N=fail`,
    /// `STEP=pause:MILLISECONDS` or `STEP=wait:FILE`; `STEP@N` is the N-th time of a step.
    pub fn run_with_fault(&self, fault: &str, args: &[&str]) -> Outcome {
        self.spawn_with_fault(fault, args).wait(self.limit)
    }

    /// Starts the binary with a fault, and leaves it running.
    pub fn spawn_with_fault(&self, fault: &str, args: &[&str]) -> Running {
        let mut command = self.command(args);
        command.env(FAULTS, fault);
        Running::start(command)
    }

    /// Runs until the binary kills itself at `step`; panics when it ends in any other way.
    pub fn kill_at_step(&self, step: &str, args: &[&str]) -> Outcome {
        let outcome = self.run_with_fault(&format!("{step}=kill"), args);
        assert_eq!(
            outcome.signal,
            Some(9),
            "the planned kill at step {step} of {args:?} never fired: {outcome:#?}"
        );
        outcome
    }

    /// Runs with the `n`-th step (from 1) failing. Whether it fired: `None` when the run has fewer steps.
    pub fn fail_nth_step(&self, n: usize, args: &[&str]) -> Option<Outcome> {
        let trace = self.trace_file();
        let mut command = self.command(args);
        command.env(FAULTS, format!("#{n}=fail")).env(TRACE, &trace);
        let outcome = Running::start(command).wait(self.limit);
        (read_lines(&trace).len() >= n).then_some(outcome)
    }

    /// The names of the steps that a successful run passes, in order.
    pub fn trace_steps(&self, args: &[&str]) -> Vec<String> {
        let trace = self.trace_file();
        let mut command = self.command(args);
        command.env(TRACE, &trace);
        let outcome = Running::start(command).wait(self.limit);
        assert_eq!(
            outcome.code,
            Some(0),
            "the traced run of {args:?} failed: {outcome:#?}"
        );
        let steps = read_lines(&trace);
        assert!(
            !steps.is_empty(),
            "no step was traced: is the binary built with feature faults?"
        );
        steps
    }

    /// Starts the binary so that it stops at `step` (or at `STEP@N`, its N-th time) until
    /// [`Held::release`].
    pub fn hold_at_step(&self, step: &str, args: &[&str]) -> Held {
        let (gate, trace) = (self.folder().join("gate"), self.trace_file());
        let _ = fs::remove_file(&gate);
        let mut command = self.command(args);
        command
            .env(FAULTS, format!("{step}=wait:{}", gate.display()))
            .env(TRACE, &trace);
        let mut running = Running::start(command);
        let (name, times) = step.split_once('@').unwrap_or((step, "1"));
        let times: usize = times.parse().unwrap();
        let arrived = || {
            read_lines(&trace)
                .iter()
                .filter(|passed| *passed == name)
                .count()
                >= times
        };
        wait_until(self.limit, || arrived() || running.has_ended());
        assert!(
            arrived(),
            "respaldo {args:?} never came to step {step}: {:#?}",
            running.finish()
        );
        Held {
            running,
            gate,
            limit: self.limit,
        }
    }

    /// The steps that the last traced or held run has passed so far.
    pub fn steps_passed(&self) -> Vec<String> {
        read_lines(&self.folder().join("steps.trace"))
    }

    fn trace_file(&self) -> PathBuf {
        let trace = self.folder().join("steps.trace");
        let _ = fs::remove_file(&trace);
        trace
    }
}

impl Outcome {
    fn warns_only_of_old_tools(&self) -> bool {
        let said: Value = serde_json::from_str(&self.stdout).unwrap_or_default();
        let is_that = |warning: &Value| warning["codigo"] == "herramientas_antiguas";
        let only_that = match said["avisos"].as_array() {
            Some(all) => !all.is_empty() && all.iter().all(is_that),
            None => self
                .stdout
                .split_once("Warnings:\n")
                .is_some_and(|(_, said)| {
                    said.lines().count() == 1 && said.contains("tools are older than the server")
                }),
        };
        let is_of_13 = std::env::var("PG_TEST_VERSION").is_ok_and(|version| version == "13");
        is_of_13 && self.code == Some(3) && only_that
    }

    /// Standard output as JSON; panics with all it said when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("standard output is not JSON ({e}): {self:#?}"))
    }

    /// Panics with all it said unless the exit code is `code`.
    pub fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

/// A run of the binary that has not been waited for; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Reader,
    stderr: Reader,
}

type Reader = Option<std::thread::JoinHandle<String>>;

impl Running {
    fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
        let stdout = Some(reader(child.stdout.take().unwrap()));
        let stderr = Some(reader(child.stderr.take().unwrap()));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends a signal, such as `INT`, `TERM` or `KILL`.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status()
            .unwrap();
    }

    /// Waits for its end; kills it and panics when that takes longer than `limit`.
    pub fn wait(mut self, limit: Duration) -> Outcome {
        if wait_until(limit, || self.has_ended()) {
            return self.finish();
        }
        let _ = self.child.kill();
        panic!("respaldo still ran after {limit:?}: {:#?}", self.finish());
    }

    /// Kills it, if it still runs, and gives what it said.
    pub fn kill(mut self) -> Outcome {
        let _ = self.child.kill();
        self.finish()
    }

    fn finish(&mut self) -> Outcome {
        use std::os::unix::process::ExitStatusExt;
        let status = self.child.wait().unwrap();
        let text = |reader: &mut Reader| reader.take().map_or(String::new(), |r| r.join().unwrap());
        Outcome {
            code: status.code(),
            signal: status.signal(),
            stdout: text(&mut self.stdout),
            stderr: text(&mut self.stderr),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run that stands still at a step.
#[derive(Debug)]
pub struct Held {
    running: Running,
    gate: PathBuf,
    limit: Duration,
}

impl Held {
    /// The run, to look at or to signal.
    pub fn running(&mut self) -> &mut Running {
        &mut self.running
    }

    /// Lets it go on, and waits for its end.
    pub fn release(self) -> Outcome {
        fs::write(&self.gate, "").unwrap();
        self.running.wait(self.limit)
    }

    /// Kills it where it stands.
    pub fn kill(self) -> Outcome {
        self.running.kill()
    }
}

/// The binary under test; panics when it has not been built.
pub fn binary() -> PathBuf {
    if let Some(path) = env::var_os("RESPALDO_BIN") {
        let path = PathBuf::from(path);
        assert!(
            path.is_file(),
            "RESPALDO_BIN names {}, which is no file",
            path.display()
        );
        return path;
    }
    // target/debug/deps/SUITE-HASH -> target/debug/respaldo
    let test = env::current_exe().unwrap();
    let beside = test
        .parent()
        .and_then(Path::parent)
        .map(|dir| dir.join("respaldo"))
        .unwrap();
    assert!(
        beside.is_file(),
        "{} is missing: build it first (cargo build -p respaldo --features faults) or set \
         RESPALDO_BIN",
        beside.display()
    );
    beside
}

/// Waits, looking every 20 milliseconds, until `done` or `limit` has passed; tells whether done.
pub fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if done() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn reader(mut stream: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn read_lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}
