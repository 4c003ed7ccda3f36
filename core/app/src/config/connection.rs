//! Which database is meant. A URL of ours or `DATABASE_URL` wins over `DB_HOST` and its siblings,
//! those over the file's URL, and libpq's own variables are what is left.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use respaldo_postgres::{ConnInfo, ConnInfoError};
use secrecy::{ExposeSecret, SecretString};

use super::environment::Environment;
use super::error::ConfigError;
use super::layer::Origin;
use super::passfile;
use super::secret::SecretSetting;

/// A database and where its address came from.
#[derive(Debug, Clone)]
pub struct Located {
    pub info: ConnInfo,
    pub described: String,
}

const PARTS: &[&str] = &["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"];
const LIBPQ: &[&str] = &["PGHOST", "PGPORT", "PGDATABASE", "PGUSER"];

/// The database to back up.
pub fn source(
    secrets: &BTreeMap<String, SecretSetting>,
    environment: &Environment,
) -> Result<Located, ConfigError> {
    let configured = secrets.get("database.url");
    let in_file = |secret: &SecretSetting| matches!(secret.origin, Origin::File(_));
    if let Some(secret) = configured.filter(|secret| !in_file(secret)) {
        return from_secret(secret, environment);
    }
    if PARTS.iter().any(|name| environment.get(name).is_some()) {
        return from_parts(environment);
    }
    match configured {
        Some(secret) => from_secret(secret, environment),
        None if LIBPQ.iter().any(|name| environment.get(name).is_some()) => {
            let info = from_url(&"postgresql://".into(), "PGHOST", environment)?;
            Ok(Located {
                info,
                described: Origin::Libpq.to_string(),
            })
        }
        None => Err(ConfigError::NoDatabase),
    }
}

/// The catalog's database, where it is not the source.
pub fn catalog(
    secrets: &BTreeMap<String, SecretSetting>,
    environment: &Environment,
) -> Result<Option<Located>, ConfigError> {
    secrets
        .get("catalog.url")
        .map(|secret| from_secret(secret, environment))
        .transpose()
}

/// A database from a URL given by a person, its password looked up where it has none.
pub fn from_url(
    url: &SecretString,
    key: &str,
    environment: &Environment,
) -> Result<ConnInfo, ConfigError> {
    let parse = |url: &str| {
        ConnInfo::parse(url).map_err(|source| ConfigError::Connection {
            key: key.to_owned(),
            source,
        })
    };
    let info = parse(url.expose_secret())?;
    if info.password().is_some() {
        return Ok(info);
    }
    match passfile::lookup(&info, environment) {
        Some(password) => {
            let mark = if url.expose_secret().contains('?') {
                '&'
            } else {
                '?'
            };
            let encoded = utf8_percent_encode(password.expose_secret(), NON_ALPHANUMERIC);
            parse(&format!("{}{mark}password={encoded}", url.expose_secret()))
        }
        None => Ok(info),
    }
}

fn from_secret(secret: &SecretSetting, environment: &Environment) -> Result<Located, ConfigError> {
    let url = secret.read(environment)?;
    let info = from_url(&url, &secret.key, environment)?;
    Ok(Located {
        info,
        described: secret.described(),
    })
}

/// The separate variables of the existing system, with its defaults.
fn from_parts(environment: &Environment) -> Result<Located, ConfigError> {
    let get = |name: &str, default: &str| environment.get(name).unwrap_or(default).to_owned();
    let port = get("DB_PORT", "5432");
    let port = port.trim().parse().map_err(|_| ConfigError::Connection {
        key: "DB_PORT".to_owned(),
        source: ConnInfoError::Port(port.clone()),
    })?;
    let password: Option<SecretString> = environment
        .get("DB_PASSWORD")
        .or(environment.get("PGPASSWORD"))
        .map(Into::into);
    let (host, database) = (get("DB_HOST", "localhost"), get("DB_NAME", "nexoryn_tech"));
    let user = get("DB_USER", "postgres");
    let make = |password| ConnInfo::from_parts(&host, port, &database, &user, password);
    let password = password.or_else(|| passfile::lookup(&make(None), environment));
    let described = "the environment variables DB_HOST, DB_PORT, DB_NAME, DB_USER".to_owned();
    Ok(Located {
        info: make(password),
        described,
    })
}
