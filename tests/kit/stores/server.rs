//! A server's process, its folder and its end; and Python, which asks servers what no sink asks.

use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest wait for a server to answer.
pub const START_LIMIT: Duration = Duration::from_secs(90);

/// A running server. Killed when dropped, and its folder removed.
#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Starts a program whose output goes to a file of its folder.
    pub fn start(folder: TempDir, command: &mut Command) -> Self {
        let log = File::create(folder.path().join("server.log")).unwrap();
        let child = command
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        Self { child, folder }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until `ready` says so; panics with what the server wrote when it never does.
    pub fn wait_until(&mut self, ready: impl Fn() -> bool) {
        let start = Instant::now();
        while !ready() {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || start.elapsed() > START_LIMIT {
                let log = std::fs::read_to_string(self.folder().join("server.log"));
                let log = log.unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(20).collect();
                panic!("a server does not start (ended: {ended:?}): {tail:#?}");
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until something listens at the port.
    pub fn wait_for_port(&mut self, port: u16) {
        self.wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A program that `scripts/stores.sh` has fetched.
pub fn program(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let program = root.join("target/stores").join(path);
    assert!(
        program.exists(),
        "{} is needed by this test: run scripts/stores.sh",
        program.display()
    );
    program
}

/// Runs a script; gives what it printed, or what was wrong.
pub fn try_python(script: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program("python/bin/python3"))
        .arg("-c")
        .arg(script)
        .args(arguments)
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Runs a script that must succeed.
pub fn python(script: &str, arguments: &[&str]) -> String {
    try_python(script, arguments).unwrap_or_else(|error| panic!("{script}\n{error}"))
}

/// Runs a script until it succeeds, within the limit of a start.
pub fn python_until(script: &str, arguments: &[&str]) -> String {
    let start = Instant::now();
    loop {
        match try_python(script, arguments) {
            Ok(said) => return said,
            Err(error) => assert!(start.elapsed() < START_LIMIT, "{script}\n{error}"),
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// What a script needs to ask a store that speaks S3: `s3` is a client of it.
pub fn boto(port: u16, script: &str) -> String {
    let script = boto_script(script);
    python(&script, &[&port.to_string()])
}

/// The same until it succeeds.
pub fn boto_until(port: u16, script: &str) -> String {
    let script = boto_script(script);
    python_until(&script, &[&port.to_string()])
}

fn boto_script(script: &str) -> String {
    format!(
        "import sys, boto3
from botocore.config import Config
s3 = boto3.client('s3', endpoint_url='http://127.0.0.1:' + sys.argv[1], region_name='us-east-1',
    aws_access_key_id='testkey', aws_secret_access_key='testsecret',
    config=Config(retries={{'total_max_attempts': 1}}, s3={{'addressing_style': 'path'}}))
{script}"
    )
}
