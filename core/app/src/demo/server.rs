//! A throwaway PostgreSQL on 127.0.0.1: a random port, a random password, a folder of its own.
//!
//! A shell guards it: its standard input is a pipe from this process. When the pipe closes - the
//! rehearsal ended, or this process was killed - the shell stops the server and removes the
//! folder; told "keep" it leaves both.

use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use respaldo_contract::messages::ErrorCode;
use respaldo_postgres::{ConnInfo, Session, SessionOptions, sql};
use uuid::Uuid;

use super::account::Account;
use super::binaries::Binaries;
use crate::failure::Failure;

/// Role that owns the sample; not a superuser, as none is needed.
const OWNER: &str = "demo";
const SUPERUSER: &str = "postgres";
const START_LIMIT: Duration = Duration::from_mins(1);

/// The server, removed when dropped.
pub struct Server {
    folder: PathBuf,
    bin_dir: PathBuf,
    port: u16,
    password: String,
    guardian: Child,
    kept: bool,
}

impl Server {
    /// Makes a cluster and starts it.
    pub fn start(binaries: Binaries) -> Result<Self, Failure> {
        let account = Account::find()?;
        let password = Uuid::new_v4().simple().to_string();
        let folder = make_folder(account)?;
        let launched = launch(&binaries.dir, account, &folder, &password);
        let (port, guardian) = launched.inspect_err(|_| drop(fs::remove_dir_all(&folder)))?;
        let bin_dir = binaries.dir;
        let mut server = Self {
            folder,
            bin_dir,
            port,
            password,
            guardian,
            kept: false,
        };
        server.wait_until_ready()?;
        server.make_owner()?;
        Ok(server)
    }

    /// Folder of its programs.
    pub fn bin_dir(&self) -> &Path {
        &self.bin_dir
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Everything of the rehearsal lies below this folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A database of it, as the owner of the sample.
    pub fn database(&self, name: &str) -> ConnInfo {
        self.connection(OWNER, name)
    }

    /// Leaves the server running and the folder where it is; returns the password file.
    pub fn keep(mut self) -> io::Result<PathBuf> {
        let file = self.folder.join("passfile");
        write_private(
            &file,
            &format!("127.0.0.1:{}:*:*:{}\n", self.port, self.password),
        )?;
        if let Some(pipe) = self.guardian.stdin.as_mut() {
            pipe.write_all(b"keep\n")?;
        }
        self.kept = true;
        Ok(file)
    }

    fn connection(&self, role: &str, database: &str) -> ConnInfo {
        let password = Some(self.password.as_str().into());
        ConnInfo::from_parts("127.0.0.1", self.port, database, role, password)
    }

    fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        let superuser = self.connection(SUPERUSER, "postgres");
        loop {
            match Session::connect(&superuser, &SessionOptions::default()) {
                Ok(_) => return Ok(()),
                Err(_) if started.elapsed() < START_LIMIT && self.is_alive() => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => {
                    let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                    let mut failure = Failure::of(ErrorCode::SourceUnreachable, &error);
                    failure.causes.extend(log.lines().last().map(str::to_owned));
                    return Err(failure);
                }
            }
        }
    }

    fn is_alive(&mut self) -> bool {
        matches!(self.guardian.try_wait(), Ok(None))
    }

    /// An owner with the rights that the documentation asks for, and no more.
    fn make_owner(&self) -> Result<(), Failure> {
        let superuser = self.connection(SUPERUSER, "postgres");
        let mut session = Session::connect(&superuser, &SessionOptions::default())?;
        let password = &self.password;
        session.batch(&format!(
            "CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{password}'"
        ))?;
        session.batch(&format!("GRANT pg_read_all_stats TO {OWNER}"))?;
        Ok(())
    }

    /// Makes an empty database that belongs to the owner.
    pub fn create_database(&self, name: &str) -> Result<Session, Failure> {
        let mut session = Session::connect(&self.database("postgres"), &SessionOptions::default())?;
        session.execute(sql(format!("CREATE DATABASE {name}")))?;
        Ok(Session::connect(
            &self.database(name),
            &SessionOptions::default(),
        )?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        // Whatever is left of the folder (files of ours, where the server runs as another user)
        // goes once the server is gone.
        let _ = self.guardian.wait();
        if !self.kept {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn launch(
    bin_dir: &Path,
    account: Account,
    folder: &Path,
    password: &str,
) -> Result<(u16, Child), Failure> {
    initialize(bin_dir, account, folder, password)?;
    let port = free_port().map_err(|error| trouble("finding a free port", &error))?;
    let guardian = guard(bin_dir, account, folder, port)
        .map_err(|error| trouble("starting the server", &error))?;
    Ok((port, guardian))
}

fn make_folder(account: Account) -> Result<PathBuf, Failure> {
    let folder = std::env::temp_dir().join(format!("respaldo-demo-{}", Uuid::new_v4().simple()));
    fs::create_dir(&folder)
        .and_then(|()| account.own(&folder))
        .map_err(|error| trouble(&format!("making {}", folder.display()), &error))?;
    Ok(folder)
}

fn initialize(
    bin_dir: &Path,
    account: Account,
    folder: &Path,
    password: &str,
) -> Result<(), Failure> {
    let file = folder.join("initial-password");
    write_private(&file, password)
        .and_then(|()| account.own(&file))
        .map_err(|error| trouble("writing the initial password", &error))?;
    let done = account
        .command(bin_dir.join("initdb"))
        .args([
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ])
        .args(["--username", SUPERUSER])
        .arg("--pwfile")
        .arg(&file)
        .arg("--pgdata")
        .arg(folder.join("data"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| trouble("running initdb", &error))?;
    let _ = fs::remove_file(&file);
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let last = said.lines().last().unwrap_or_default();
    Err(Failure::new(
        ErrorCode::ToolsMissing,
        format!("initdb failed: {last}"),
    ))
}

/// Arguments: program, data folder, port, log file, folder to be removed.
const GUARDIAN: &str = r#"
"$1" -D "$2" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c fsync=off -c shared_buffers=32MB -c max_connections=50 >"$4" 2>&1 </dev/null &
server=$!
read -r answer
[ "$answer" = keep ] && exit 0
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf "$5"
"#;

fn guard(bin_dir: &Path, account: Account, folder: &Path, port: u16) -> io::Result<Child> {
    account
        .command("sh")
        .args(["-c", GUARDIAN, "respaldo-demo"])
        .arg(bin_dir.join("postgres"))
        .arg(folder.join("data"))
        .arg(port.to_string())
        .arg(folder.join("log"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// A port that nobody listens at.
pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// A trouble with the machine, not with the program.
fn trouble(doing: &str, error: &io::Error) -> Failure {
    Failure::new(ErrorCode::SourceUnreachable, format!("{doing}: {error}"))
}

/// Runs a program and returns the first line it prints.
pub(super) fn first_line(program: &Path, argument: &str) -> Option<String> {
    let done = Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(done.stdout).ok()?;
    done.status
        .success()
        .then(|| text.lines().next().unwrap_or_default().to_owned())
}
