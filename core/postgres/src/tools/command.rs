//! A tool's arguments and environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::running::{Finished, RunningTool};
use super::{StopFlag, Tool, ToolError};
use crate::conninfo::ConnInfo;
use crate::sockets;

/// Settings under which rows are printed as text, the same for every tool and session of ours.
/// pg_dump sets most by itself, but `bytea_output` it leaves to the role.
const TEXT_SETTINGS: [(&str, &str); 5] = [
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("client_min_messages", "warning"),
];

/// What a tool may see of our environment. Everything else stays with us: it may be secret.
const PASSED_ON: [&str; 33] = [
    "PATH",
    "HOME",
    "USER",
    "USERNAME",
    "LOGNAME",
    "LANG",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
    "WINDIR",
    "APPDATA",
    "PROGRAMDATA",
    "KRB5CCNAME",
    "KRB5_CONFIG",
    "PGPASSFILE",
    "PGSYSCONFDIR",
    "PGSSLMODE",
    "PGSSLROOTCERT",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGSSLCRL",
    "PGSSLSNI",
    "PGSSLMINPROTOCOLVERSION",
    "PGCHANNELBINDING",
    "PGGSSENCMODE",
    "PGGSSLIB",
    "PGKRBSRVNAME",
    "PGREQUIREPEER",
];

const CONNECT_TIMEOUT_SECONDS: &str = "15";
/// The first version of libpq with `tcp_user_timeout`.
const KNOWS_USER_TIMEOUT: u32 = 12;

/// A tool about to be run against a database.
pub struct ToolCommand {
    pub(super) tool: &'static str,
    command: Command,
    /// `None`: the tool works on a file alone.
    connection: Option<String>,
    settings: Vec<(String, String)>,
    server_options: Vec<String>,
    input: Option<Box<dyn Read + Send>>,
    password: Option<SecretString>,
}

impl Tool {
    /// A command of this tool on a database. It never asks for a password.
    pub fn command(&self, target: &ConnInfo) -> ToolCommand {
        let own = target.server_options().map(str::to_owned);
        let mut command = self.command_alone();
        command.connection = Some(self.watched(target).tool_argument());
        command.server_options.extend(own);
        command.password = target.password().cloned();
        command
    }

    /// A tool whose link was cut without a word ends within half a minute, unless the target says otherwise. One that loads data
    /// may have to wait for a busy server: what it sent may stay unacknowledged for longer.
    fn watched(&self, target: &ConnInfo) -> ConnInfo {
        let mut options = vec![
            ("keepalives_idle", sockets::PROBED_AFTER.as_secs()),
            ("keepalives_interval", sockets::PROBED_EVERY.as_secs()),
            ("keepalives_count", sockets::PROBES.into()),
        ];
        let asks_only = self.name.starts_with("pg_dump");
        if asks_only && self.version.major >= KNOWS_USER_TIMEOUT {
            options.push(("tcp_user_timeout", sockets::UNACKNOWLEDGED_MS.into()));
        }
        let with = |info: ConnInfo, (name, value): (&str, u64)| {
            info.with_default(name, &value.to_string())
        };
        options.into_iter().fold(target.clone(), with)
    }

    /// A command of this tool that needs no server, such as pg_restore looking at an archive.
    pub fn command_alone(&self) -> ToolCommand {
        let mut command = Command::new(&self.path);
        command.env_clear();
        for name in PASSED_ON {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("PGTZ", "UTC")
            .env("PGAPPNAME", "respaldo")
            .env("PGCONNECT_TIMEOUT", CONNECT_TIMEOUT_SECONDS)
            .env("LC_MESSAGES", "C")
            .arg("--no-password");
        ToolCommand {
            tool: self.name,
            command,
            connection: None,
            settings: Vec::new(),
            server_options: env::var("PGOPTIONS").into_iter().collect(),
            input: None,
            password: None,
        }
    }
}

impl ToolCommand {
    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Adds a server setting of its session, for example `app.user_id`.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The name under which `pg_stat_activity` shows it.
    #[must_use]
    pub fn application_name(mut self, name: &str) -> Self {
        let quoted = name.replace('\\', "\\\\").replace('\'', "\\'");
        // The last one of a conninfo string counts.
        if let Some(connection) = &mut self.connection {
            connection.push_str(" application_name='");
            connection.push_str(&quoted);
            connection.push('\'');
        }
        self
    }

    /// Gives it a stream as its standard input; otherwise that is empty.
    #[must_use]
    pub fn input(mut self, input: impl Read + Send + 'static) -> Self {
        self.input = Some(Box::new(input));
        self
    }

    /// Runs it to its end. Only success is `Ok`.
    pub fn run(self, stop: StopFlag<'_>, limit: Duration) -> Result<Finished, ToolError> {
        self.spawn_reading(stop)?.run_to_end(limit)
    }

    /// Starts it; its output is read from what is returned, until [`RunningTool::finish`].
    pub fn spawn_reading(self, stop: StopFlag<'_>) -> Result<RunningTool<'_>, ToolError> {
        let options = self.pgoptions();
        let Self {
            tool,
            mut command,
            connection,
            input,
            password,
            ..
        } = self;
        if let Some(connection) = connection {
            command.arg("--dbname").arg(connection);
        }
        command.env("PGOPTIONS", options);
        if let Some(password) = &password {
            command.env("PGPASSWORD", password.expose_secret());
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        own_group(&mut command);
        let child = command
            .spawn()
            .map_err(|source| ToolError::Start { tool, source })?;
        RunningTool::around(tool, child, input, password, stop)
    }

    /// Ours come last: of several values of a setting the last one counts.
    fn pgoptions(&self) -> OsString {
        let fixed = TEXT_SETTINGS.iter().map(|(name, value)| (*name, *value));
        let added = self
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let words = fixed
            .chain(added)
            .map(|(name, value)| format!("-c {}", escape(name, value)));
        self.server_options
            .iter()
            .cloned()
            .chain(words)
            .collect::<Vec<_>>()
            .join(" ")
            .into()
    }
}

/// `name=value` as one word of libpq's `options`.
fn escape(name: &str, value: &str) -> String {
    let mut word = format!("{name}=");
    for c in value.chars() {
        if c == '\\' || c.is_ascii_whitespace() {
            word.push('\\');
        }
        word.push(c);
    }
    word
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_with_spaces_and_backslashes_stays_one_word() {
        assert_eq!(escape("app.name", r"a b\c"), r"app.name=a\ b\\c");
    }
}
