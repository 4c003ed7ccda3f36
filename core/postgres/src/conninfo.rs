//! How to reach a database: libpq's parameters, whatever form they came in.
//!
//! All options of a URL are kept and handed on to the stock tools; the password is kept apart and
//! reaches them through the environment only.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::passfile;

/// Connection parameters by libpq's names, without the password.
#[derive(Clone)]
pub struct ConnInfo {
    hosts: Vec<(String, u16)>,
    user: String,
    database: String,
    options: BTreeMap<String, String>,
    password: Option<SecretString>,
}

/// A URL or parameter that cannot be used. Never shows a value that may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnInfoError {
    /// Not a URL of PostgreSQL.
    #[error("a database URL starts with postgresql:// or postgres://")]
    NotAUrl,
    /// A part cannot be decoded.
    #[error("the {0} of the database URL is not valid percent-encoded UTF-8")]
    Encoding(&'static str),
    /// A port is not a number.
    #[error("{0:?} is not a port number")]
    Port(String),
    /// Something is missing.
    #[error("the database URL names no {0}")]
    Missing(&'static str),
    /// A value of a known option is wrong.
    #[error("{0:?} is not a value of {1}")]
    Value(String, &'static str),
    /// An option whose secret could not be kept.
    #[error(
        "{0} cannot be given: it would show in the list of processes; give a password, or a key \
         without one in a file that only this user may read"
    )]
    SecretOption(String),
}

impl ConnInfo {
    /// Parses `postgresql://user:password@host:port/database?option=value`. Every part is
    /// percent-decoded; several `host:port` may be separated by commas.
    pub fn parse(url: &str) -> Result<Self, ConnInfoError> {
        let rest = ["postgresql://", "postgres://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme))
            .ok_or(ConnInfoError::NotAUrl)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (credentials, None),
        };
        let mut info = Self {
            hosts: parse_hosts(hosts)?,
            user: decode(user, "user")?,
            database: decode(path, "database name")?,
            options: BTreeMap::new(),
            password: password
                .map(|text| decode(text, "password"))
                .transpose()?
                .map(Into::into),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            info.set(&decode(name, "option")?, decode(value, "option")?)?;
        }
        info.with_defaults()
    }

    /// From separate parts, as `DB_HOST`, `DB_PORT`, ... give them.
    pub fn from_parts(
        host: &str,
        port: u16,
        database: &str,
        user: &str,
        password: Option<SecretString>,
    ) -> Self {
        Self {
            hosts: vec![(host.to_owned(), port)],
            user: user.to_owned(),
            database: database.to_owned(),
            options: BTreeMap::new(),
            password,
        }
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), ConnInfoError> {
        match name {
            "host" | "hostaddr" => self.hosts = parse_hosts(&value)?,
            "port" => {
                let port = parse_port(&value)?;
                self.hosts.iter_mut().for_each(|host| host.1 = port);
            }
            "user" => self.user = value,
            "dbname" => self.database = value,
            "password" => self.password = Some(value.into()),
            // Tools take these from their arguments alone, which the list of processes shows.
            "sslpassword" | "oauth_client_secret" | "scram_client_key" | "scram_server_key" => {
                return Err(ConnInfoError::SecretOption(name.to_owned()));
            }
            "sslmode" => {
                let _: PgSslMode = value
                    .parse()
                    .map_err(|_| ConnInfoError::Value(value.clone(), "sslmode"))?;
                self.options.insert(name.to_owned(), value);
            }
            _ => {
                self.options.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }

    /// Fills what is missing as libpq does: from its environment variables, then its defaults.
    fn with_defaults(mut self) -> Result<Self, ConnInfoError> {
        let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if self.hosts.is_empty() {
            let host = env("PGHOST").unwrap_or_else(|| "localhost".to_owned());
            let port = env("PGPORT").map_or(Ok(5432), |port| parse_port(&port))?;
            self.hosts = vec![(host, port)];
        }
        if self.user.is_empty() {
            self.user = env("PGUSER")
                .or_else(|| env("USER"))
                .unwrap_or("postgres".to_owned());
        }
        if self.database.is_empty() {
            self.database = env("PGDATABASE").unwrap_or_else(|| self.user.clone());
        }
        if self.password.is_none() {
            self.password = env("PGPASSWORD").map(Into::into);
        }
        Ok(self)
    }

    /// The same server and role, another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        Self {
            database: database.to_owned(),
            ..self.clone()
        }
    }

    /// The same target with a libpq option set, for example `application_name`.
    #[must_use]
    pub fn with_option(&self, name: &str, value: &str) -> Self {
        let mut info = self.clone();
        info.options.insert(name.to_owned(), value.to_owned());
        info
    }

    /// The same target with a libpq option set, unless it is already.
    #[must_use]
    pub(crate) fn with_default(&self, name: &str, value: &str) -> Self {
        let mut info = self.clone();
        let option = info.options.entry(name.to_owned());
        option.or_insert_with(|| value.to_owned());
        info
    }

    /// Whether there is one address only: two sessions are not on two servers because one of several did not answer.
    pub fn names_one_address(&self) -> bool {
        self.hosts.len() == 1
    }

    /// Name of the database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The first host: a name, an address or the folder of a socket.
    pub fn host(&self) -> &str {
        self.hosts.first().map_or("localhost", |(host, _)| host)
    }

    /// The first port.
    pub fn port(&self) -> u16 {
        self.hosts.first().map_or(5432, |(_, port)| *port)
    }

    /// Role to connect as.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password, where one was given.
    pub fn password(&self) -> Option<&SecretString> {
        self.password.as_ref()
    }

    /// The password for the host at that place of the list: the one given, else that of libpq's password file.
    pub(crate) fn password_for(&self, host: usize) -> Option<SecretString> {
        let given = self.password.clone();
        given.or_else(|| {
            let (host, port) = self.hosts.get(host)?;
            let file = self.option("passfile").map(PathBuf::from);
            passfile::look_up(file, [host, &port.to_string(), &self.database, &self.user])
        })
    }

    /// An option by libpq's name.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// libpq's `options` parameter.
    pub fn server_options(&self) -> Option<&str> {
        self.options.get("options").map(String::as_str)
    }

    /// A conninfo string of libpq for a tool's `--dbname`: everything but the password.
    pub fn tool_argument(&self) -> String {
        let join = |each: fn(&(String, u16)) -> String| {
            self.hosts.iter().map(each).collect::<Vec<_>>().join(",")
        };
        let mut parts = vec![
            ("dbname", self.database.clone()),
            ("host", join(|(host, _)| host.clone())),
            ("port", join(|(_, port)| port.to_string())),
            ("user", self.user.clone()),
        ];
        let known = self.options.iter().filter(|(name, _)| *name != "options");
        parts.extend(known.map(|(name, value)| (name.as_str(), value.clone())));
        let quote = |value: &str| value.replace('\\', "\\\\").replace('\'', "\\'");
        parts
            .iter()
            .map(|(name, value)| format!("{name}='{}'", quote(value)))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The URL without the password, for people and the catalog.
    pub fn display_url(&self) -> String {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let hosts: Vec<String> = self
            .hosts
            .iter()
            .map(|(host, port)| match host.starts_with('/') {
                true => format!("{}:{port}", encode(host)),
                false => format!("{host}:{port}"),
            })
            .collect();
        let hosts = hosts.join(",");
        format!(
            "postgresql://{}@{hosts}/{}",
            encode(&self.user),
            encode(&self.database)
        )
    }

    /// The URL with everything, for a plugin that connects by itself. Never for a log, an argument or the
    /// environment.
    pub fn secret_url(&self) -> SecretString {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let url = self.display_url();
        let password = self.password.as_ref().map(ExposeSecret::expose_secret);
        let url = match (password, url.split_once('@')) {
            (Some(password), Some((user, rest))) => format!("{user}:{}@{rest}", encode(password)),
            _ => url,
        };
        let options = self.options.iter();
        let options: Vec<String> = options
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        match options.is_empty() {
            true => url.into(),
            false => format!("{url}?{}", options.join("&")).into(),
        }
    }

    /// One set of driver options per host, to be tried in order.
    pub(crate) fn driver_options(&self) -> Vec<PgConnectOptions> {
        self.hosts
            .iter()
            .enumerate()
            .map(|(at, (host, port))| self.driver_options_for(at, host, *port))
            .collect()
    }

    fn driver_options_for(&self, at: usize, host: &str, port: u16) -> PgConnectOptions {
        // It reads libpq's environment; all it may take from there that would change *where* we connect
        // is set explicitly below. The password file it would search for the environment's host.
        let mut options = PgConnectOptions::new_without_pgpass()
            .port(port)
            .username(&self.user)
            .database(&self.database)
            .application_name("respaldo");
        options = match host.starts_with('/') {
            true => options.socket(PathBuf::from(host)),
            false => options.host(host),
        };
        if let Some(password) = self.password_for(at) {
            options = options.password(password.expose_secret());
        }
        let get = |name: &str| self.options.get(name);
        if let Some(mode) = get("sslmode").and_then(|mode| mode.parse().ok()) {
            options = options.ssl_mode(mode);
        }
        if let Some(path) = get("sslrootcert") {
            options = options.ssl_root_cert(path);
        }
        if let Some(path) = get("sslcert") {
            options = options.ssl_client_cert(path);
        }
        if let Some(path) = get("sslkey") {
            options = options.ssl_client_key(path);
        }
        if let Some(name) = get("application_name") {
            options = options.application_name(name);
        }
        options
    }
}

/// The same parameters, the password included.
impl PartialEq for ConnInfo {
    fn eq(&self, other: &Self) -> bool {
        fn password(info: &ConnInfo) -> Option<&str> {
            info.password.as_ref().map(ExposeSecret::expose_secret)
        }
        self.hosts == other.hosts
            && self.user == other.user
            && self.database == other.database
            && self.options == other.options
            && password(self) == password(other)
    }
}

impl fmt::Debug for ConnInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnInfo({})", self.display_url())
    }
}

fn parse_hosts(text: &str) -> Result<Vec<(String, u16)>, ConnInfoError> {
    let parse = |part: &str| {
        let (host, port) = split_port(part);
        let port = port.map_or(Ok(5432), parse_port)?;
        Ok((decode(host.trim_matches(['[', ']']), "host")?, port))
    };
    text.split(',')
        .filter(|part| !part.is_empty())
        .map(parse)
        .collect()
}

/// Splits `host:port`, minding IPv6 addresses in brackets.
fn split_port(part: &str) -> (&str, Option<&str>) {
    let after_bracket = part.rfind(']').map_or(0, |at| at + 1);
    match part[after_bracket..].rfind(':') {
        Some(at) => {
            let at = after_bracket + at;
            (
                &part[..at],
                Some(&part[at + 1..]).filter(|port| !port.is_empty()),
            )
        }
        None => (part, None),
    }
}

fn parse_port(text: &str) -> Result<u16, ConnInfoError> {
    text.parse()
        .map_err(|_| ConnInfoError::Port(text.to_owned()))
}

fn decode(text: &str, what: &'static str) -> Result<String, ConnInfoError> {
    let mut escapes = text.split('%').skip(1);
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    // A lone percent sign would be taken as it stands, and the password be another than meant.
    if !escapes.all(is_escape) {
        return Err(ConnInfoError::Encoding(what));
    }
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ConnInfoError::Encoding(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_url_is_decoded_and_every_option_kept() {
        let url =
            "postgres://us%40er:p%3Aw%2Fd%25@db.example:6543/my%20db?sslmode=require&keepalives=1";
        let info = ConnInfo::parse(url).unwrap();
        assert_eq!(
            (info.user(), info.database(), info.port()),
            ("us@er", "my db", 6543)
        );
        assert_eq!(info.password().unwrap().expose_secret(), "p:w/d%");
        let argument = info.tool_argument();
        assert!(argument.contains("sslmode='require'") && argument.contains("keepalives='1'"));
        assert!(!argument.contains("p:w"), "{argument}");
    }

    #[test]
    fn a_password_is_shown_nowhere() {
        let info = ConnInfo::parse("postgresql://u:geheim@h/d").unwrap();
        for text in [
            format!("{info:?}"),
            info.display_url(),
            info.tool_argument(),
        ] {
            assert!(!text.contains("geheim"), "{text}");
        }
    }

    #[test]
    fn sockets_ipv6_and_several_hosts_are_understood() {
        let socket = ConnInfo::parse("postgresql://u@%2Frun%2Fpg/d").unwrap();
        assert_eq!(socket.host(), "/run/pg");
        let six = ConnInfo::parse("postgresql://u@[::1]:5433/d").unwrap();
        assert_eq!((six.host(), six.port()), ("::1", 5433));
        let two = ConnInfo::parse("postgresql://u@a:1,b:2/d").unwrap();
        assert_eq!(two.driver_options().len(), 2);
    }

    #[test]
    fn a_wrong_url_says_what_is_wrong() {
        assert_eq!(
            ConnInfo::parse("mysql://x/y").unwrap_err(),
            ConnInfoError::NotAUrl
        );
        let port = ConnInfo::parse("postgresql://u@h:seven/d").unwrap_err();
        assert_eq!(port, ConnInfoError::Port("seven".to_owned()));
        assert!(ConnInfo::parse("postgresql://u@h/d?sslmode=perhaps").is_err());
        let secret = ConnInfo::parse("postgresql://u@h/d?sslpassword=geheim").unwrap_err();
        assert!(!secret.to_string().contains("geheim"), "{secret}");
    }
}
