//! Throwaway clusters on 127.0.0.1: a copy of a prepared data folder, a random port, no fsync.
//!
//! Each cluster has a guardian: a shell whose standard input is a pipe from this process. When the
//! pipe closes - the cluster was dropped, the test panicked, the process was killed - the guardian
//! stops the server at once and removes the folder. So nothing outlives its test.
//!
//! Copies of one template share their system identifier; [`ClusterBuilder::own_identity`] makes a
//! cluster with another one.

mod relatives;
mod surgery;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};

use crate::install::{Install, ServerUser, run, without_pg_variables};
use crate::ports::free_port;

/// Roles of every cluster besides the superuser `postgres`.
const ROLES: &str = "
    CREATE ROLE dueno LOGIN CREATEDB;
    CREATE ROLE dueno_sin_createdb LOGIN;
    CREATE ROLE lector NOLOGIN;
    CREATE ROLE escritor NOLOGIN;
    GRANT lector TO dueno, dueno_sin_createdb;
";

const SETTINGS: &str = "
    listen_addresses = '127.0.0.1'
    max_connections = 200
    max_prepared_transactions = 50
    max_locks_per_transaction = 256
    fsync = off
    full_page_writes = off
    shared_buffers = 32MB
    log_min_messages = warning
";

/// A running throwaway cluster; stopped and removed when dropped.
#[derive(Debug)]
pub struct Cluster {
    install: Install,
    user: ServerUser,
    folder: PathBuf,
    port: u16,
    guardian: Child,
    lifeline: Option<ChildStdin>,
}

/// What a cluster to be started is to be like.
#[derive(Debug, Default, Clone)]
pub struct ClusterBuilder {
    major: Option<u32>,
    conf: Vec<(String, String)>,
    own_identity: bool,
    own_extensions: bool,
}

impl ClusterBuilder {
    /// Asks for a major version (otherwise `PG_TEST_VERSION`, else the newest installed).
    #[must_use]
    pub fn version(mut self, major: u32) -> Self {
        self.major = Some(major);
        self
    }

    /// Asks for a major version where the one that is tested is older.
    #[must_use]
    pub fn at_least(mut self, major: u32) -> Self {
        if Install::find(self.major).major() < major {
            self.major = Some(major);
        }
        self
    }

    /// Adds a line to postgresql.conf.
    #[must_use]
    pub fn conf(mut self, name: &str, value: &str) -> Self {
        self.conf.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives the cluster a system identifier of its own, by an initdb of its own (slower).
    #[must_use]
    pub fn own_identity(mut self) -> Self {
        self.own_identity = true;
        self
    }

    /// Gives the cluster an installation of its own, to which
    /// [`Cluster::write_extension_file`] adds extensions.
    #[must_use]
    pub fn own_extensions(mut self) -> Self {
        self.own_extensions = true;
        self
    }

    /// Starts the cluster; panics when it cannot.
    pub fn start(self) -> Cluster {
        let mut install = Install::find(self.major);
        let user = ServerUser::find();
        let folder = short_temp_folder(user);
        let data = folder.join("data");
        if self.own_identity {
            prepare_data(&install, user, &data);
        } else {
            let template = template(&install, user);
            run(user.command("cp").arg("-a").arg(&template).arg(&data));
        }
        append_conf(&data, &self.conf);
        if self.own_extensions {
            install = install.private(user, &folder.join("install"));
        }
        Cluster::around(install, user, folder)
    }
}

impl Cluster {
    /// Starts a cluster with the usual settings.
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Describes a cluster before starting it.
    pub fn builder() -> ClusterBuilder {
        ClusterBuilder::default()
    }

    fn around(install: Install, user: ServerUser, folder: PathBuf) -> Self {
        let (guardian, lifeline) = guard(&install, user, &folder);
        let mut cluster = Self {
            install,
            user,
            folder,
            port: 0,
            guardian,
            lifeline: Some(lifeline),
        };
        cluster.start_on_a_free_port();
        cluster
    }

    fn start_on_a_free_port(&mut self) {
        let mut said = String::new();
        for _ in 0..5 {
            self.port = free_port();
            match self.try_start() {
                Ok(()) => return,
                Err(message) => said = message,
            }
        }
        panic!("the server did not start: {said}\n{}", self.log());
    }

    fn try_start(&self) -> Result<(), String> {
        let options = format!("-p {} -k {}", self.port, self.folder.display());
        let out = self
            .pg_ctl()
            .args(["start", "-w", "-t", "60", "-s", "-o", &options, "-l"])
            .arg(self.folder.join("log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|e| e.to_string())?;
        if out.success() {
            Ok(())
        } else {
            Err(format!("pg_ctl start: {out}"))
        }
    }

    fn pg_ctl(&self) -> Command {
        let mut command = self.user.command(self.bin("pg_ctl"));
        command.arg("-D").arg(self.data_dir());
        command
    }

    /// TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connection URL of a database, as the superuser.
    pub fn url(&self, db: &str) -> String {
        self.url_as("postgres", db)
    }

    /// Connection URL of a database, as `role`.
    pub fn url_as(&self, role: &str, db: &str) -> String {
        let (role, db) = (percent(role), percent(db));
        format!("postgresql://{role}@127.0.0.1:{}/{db}", self.port)
    }

    /// Runs a script as superuser and gives its rows, unaligned; panics when it fails.
    pub fn psql(&self, db: &str, sql: &str) -> String {
        self.psql_as("postgres", db, sql)
    }

    /// Like [`Cluster::psql`], as `role`.
    pub fn psql_as(&self, role: &str, db: &str, sql: &str) -> String {
        self.try_psql_as(role, db, sql)
            .unwrap_or_else(|e| panic!("psql on {db} as {role} failed: {e}"))
    }

    /// Runs a script as superuser; the error is what psql said.
    pub fn try_psql(&self, db: &str, sql: &str) -> Result<String, String> {
        self.try_psql_as("postgres", db, sql)
    }

    /// Like [`Cluster::try_psql`], as `role`.
    pub fn try_psql_as(&self, role: &str, db: &str, sql: &str) -> Result<String, String> {
        let mut command = self.tool("psql");
        command.args([
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-f",
            "-",
            "-d",
        ]);
        command
            .arg(self.url_as(role, db))
            .env("PGOPTIONS", "-c client_min_messages=warning");
        let out = feed(&mut command, sql.as_bytes());
        if out.status.success() {
            let text = String::from_utf8_lossy(&out.stdout);
            Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
        } else {
            Err(String::from_utf8_lossy(&out.stderr).into_owned())
        }
    }

    /// A command for one of this installation's client programs, with a clean environment.
    pub fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin(name));
        without_pg_variables(&mut command);
        command.env("PGCLIENTENCODING", "UTF8").env("LC_ALL", "C");
        command
    }

    /// Path of one of this installation's programs.
    pub fn bin(&self, tool: &str) -> PathBuf {
        self.install.bin(tool)
    }

    /// Folder of this installation's programs.
    pub fn bin_dir(&self) -> &Path {
        self.install.bin_dir()
    }

    /// Major version of the server.
    pub fn major(&self) -> u32 {
        self.install.major()
    }

    /// Writes a control file or a script of an extension; needs
    /// [`ClusterBuilder::own_extensions`].
    pub fn write_extension_file(&self, name: &str, text: &str) {
        let folder = self.install.own_extensions();
        let folder = folder.expect("an installation of the cluster's own");
        fs::write(folder.join(name), text).unwrap();
    }

    /// The data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        fs::read(self.folder.join("log"))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Creates a database owned by the superuser and gives its URL.
    pub fn new_database(&self, name: &str) -> String {
        self.owned_database(name, "postgres");
        self.url(name)
    }

    /// Creates a database owned by `owner` and gives its URL as that role.
    pub fn owned_database(&self, name: &str, owner: &str) -> String {
        let (db, role) = (ident(name), ident(owner));
        self.psql(
            "postgres",
            &format!("CREATE DATABASE {db} OWNER {role} TEMPLATE template0"),
        );
        // Before 15 pg_dump does not carry who owns `public`, and no owner could restore it.
        if self.major() >= 15 {
            self.psql(name, &format!("ALTER SCHEMA public OWNER TO {role}"));
        }
        self.url_as(owner, name)
    }

    /// Drops a database and its subscriptions, ending its sessions. The publisher's slots stay: a
    /// copy's subscription names the slot of the original.
    pub fn drop_database(&self, name: &str) {
        let subscriptions = self.try_psql(
            name,
            "SELECT format('ALTER SUBSCRIPTION %1$I DISABLE; ALTER SUBSCRIPTION %1$I SET (slot_name = NONE);
                            DROP SUBSCRIPTION %1$I;', subname) FROM pg_subscription
              WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
        );
        if let Ok(drops) = subscriptions {
            self.psql(name, &drops);
        }
        self.psql(
            "postgres",
            &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", ident(name)),
        );
    }

    /// Stops the server cleanly (sessions are ended).
    pub fn stop(&self) {
        run(self.pg_ctl().args(["stop", "-s", "-w", "-m", "fast"]));
    }

    /// Starts the stopped server on the same port.
    pub fn start_again(&self) {
        self.try_start()
            .unwrap_or_else(|e| panic!("{e}\n{}", self.log()));
    }

    /// A clean restart.
    pub fn restart(&self) {
        self.stop();
        self.start_again();
    }

    /// Stops without a checkpoint, as a power cut would; the next start recovers.
    pub fn stop_immediately(&self) {
        run(self.pg_ctl().args(["stop", "-s", "-w", "-m", "immediate"]));
    }

    /// An immediate stop followed by a start with crash recovery.
    pub fn crash(&self) {
        self.stop_immediately();
        self.start_again();
    }

    /// Kills one server process with SIGKILL: the server recovers by itself, its pid unchanged.
    pub fn kill_backend(&self, pid: i32) {
        run(self.user.command("kill").arg("-KILL").arg(pid.to_string()));
    }

    /// Ends every session on `db` but our own.
    pub fn terminate_sessions(&self, db: &str) {
        let db = literal(db);
        self.psql(
            "postgres",
            &format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = {db} AND pid <> pg_backend_pid()"
            ),
        );
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // The guardian does the rest; waiting keeps folders from piling up behind fast tests.
        let _ = self.guardian.wait();
    }
}

/// Starts the process that cleans up after us, whatever ends us.
fn guard(install: &Install, user: ServerUser, folder: &Path) -> (Child, ChildStdin) {
    let script =
        "cat >/dev/null; \"$0\" stop -D \"$1/data\" -s -w -t 30 -m immediate; rm -rf \"$1\"";
    let mut guardian = user
        .command("sh")
        .args(["-c", script])
        .arg(install.bin("pg_ctl"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh for the guardian of a cluster");
    let lifeline = guardian.stdin.take().unwrap();
    (guardian, lifeline)
}

/// The prepared data folder of this version, made once per machine and copied per cluster.
fn template(install: &Install, user: ServerUser) -> PathBuf {
    let who = user.command("id").arg("-u").output().unwrap().stdout;
    let who = String::from_utf8_lossy(&who).trim().to_owned();
    let name = format!(
        "respaldo-kit-{}-{who}-{:x}",
        install.version(),
        content_key()
    );
    let ready = std::env::temp_dir().join(name);
    if !ready.is_dir() {
        let draft = short_temp_folder(user);
        let data = draft.join("data");
        prepare_data(install, user, &data);
        // Another process may have been faster; its template is as good as ours.
        let _ = fs::rename(&data, &ready);
        let _ = fs::remove_dir_all(&draft);
    }
    ready
}

/// Makes a data folder with our settings and roles, its server stopped.
fn prepare_data(install: &Install, user: ServerUser, data: &Path) {
    let mut initdb = user.command(install.bin("initdb"));
    initdb.args([
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]);
    run(initdb.arg("-D").arg(data));
    let conf: Vec<_> = SETTINGS
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let conf: Vec<_> = conf
        .iter()
        .map(|(name, value)| {
            (
                name.trim().to_owned(),
                value.trim().trim_matches('\'').to_owned(),
            )
        })
        .collect();
    append_conf(data, &conf);
    let mut single = user.command(install.bin("postgres"));
    single
        .args(["--single", "-j", "-D"])
        .arg(data)
        .arg("postgres");
    let out = feed(&mut single, format!("{}\n\n", ROLES.trim()).as_bytes());
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success() && !said.contains("ERROR"),
        "making roles failed: {said}"
    );
}

/// Changes whenever the content of the template does.
fn content_key() -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    (ROLES, SETTINGS).hash(&mut hasher);
    hasher.finish()
}

fn append_conf(data: &Path, conf: &[(String, String)]) {
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(data.join("postgresql.conf"))
        .unwrap();
    for (name, value) in conf {
        writeln!(file, "{name} = '{}'", value.replace('\'', "''")).unwrap();
    }
}

/// Short, because a socket's path is limited to some 100 bytes.
fn short_temp_folder(user: ServerUser) -> PathBuf {
    let folder = tempfile::Builder::new()
        .prefix("rk")
        .tempdir()
        .unwrap()
        .keep();
    user.own(&folder);
    folder
}

/// Runs a command with `input` on its standard input.
pub fn feed(command: &mut Command, input: &[u8]) -> Output {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|e| panic!("cannot run {command:?}: {e}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that gives up early closes its input; its exit code tells the story.
        let _ = stdin.write_all(&input);
    });
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap();
    out
}

/// A name as an SQL identifier.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal.
pub fn literal(text: &str) -> String {
    format!(" E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn percent(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    text.bytes()
        .map(|b| {
            if keep(b) {
                (b as char).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
