//! What can be wrong with a configuration. No message ever holds a configured value that could
//! be a secret: values are named by their key and their type.

use std::path::PathBuf;

use respaldo_postgres::ConnInfoError;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file asked for by name is not there.
    #[error("the configuration file {0} does not exist")]
    FileMissing(PathBuf),
    /// A configuration file cannot be read.
    #[error("reading the configuration file {path}")]
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A configuration file is not TOML.
    #[error("{path}, line {line}: {message}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The parser's words; never a part of the file.
        message: String,
    },
    /// A key or section nobody knows.
    #[error("unknown setting {key} in {origin}{}", did_you_mean(.suggestion.as_deref()))]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it was given.
        origin: String,
        /// The known key closest to it.
        suggestion: Option<String>,
    },
    /// A value of the wrong type.
    #[error("{key} in {origin} is {found}, not {expected}")]
    WrongType {
        /// The key.
        key: String,
        /// Where it was given.
        origin: String,
        /// The type found.
        found: &'static str,
        /// The type wanted.
        expected: String,
    },
    /// A value that makes no sense.
    #[error("{key}: {problem}")]
    BadValue {
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// The name of a strategy that does not exist.
    #[error("{key}: there is no {name:?}; choose one of {}", .choices.join(", "))]
    UnknownName {
        /// The key.
        key: String,
        /// The name given.
        name: String,
        /// The names there are.
        choices: Vec<&'static str>,
    },
    /// A time zone that does not exist.
    #[error(
        "{key}: there is no time zone {name:?}{}; names are those of the IANA database, such as America/Montevideo",
        did_you_mean(*.suggestion)
    )]
    UnknownTimeZone {
        /// The key.
        key: String,
        /// The name given.
        name: String,
        /// The zone that was meant, perhaps.
        suggestion: Option<&'static str>,
    },
    /// A file that should hold a secret cannot be read.
    #[error("reading the secret {key} from {path}")]
    SecretUnreadable {
        /// The key.
        key: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An environment variable that should hold a secret is not set.
    #[error(
        "the secret {key} is to come from the environment variable {variable}, which is not set"
    )]
    SecretMissing {
        /// The key.
        key: String,
        /// The variable.
        variable: String,
    },
    /// A database cannot be addressed.
    #[error("{key} cannot be used")]
    Connection {
        /// The key or variable.
        key: String,
        /// Why.
        #[source]
        source: ConnInfoError,
    },
    /// Several databases are configured and none is chosen.
    #[error(
        "several databases are configured: say which with --database: {}",
        .choices.join(", ")
    )]
    WhichDatabase {
        /// Their names.
        choices: Vec<String>,
    },
    /// A database of a name that is not configured.
    #[error("no database {name:?} is configured{}", choose(.choices))]
    UnknownDatabase {
        /// The name.
        name: String,
        /// The names there are.
        choices: Vec<String>,
    },
    /// No layer names a database.
    #[error(
        "no database is configured: set DATABASE_URL, or DB_HOST and DB_NAME, or url in [database]"
    )]
    NoDatabase,
}

fn choose(choices: &[String]) -> String {
    match choices {
        [] => "; there is no [[databases]]".to_owned(),
        _ => format!("; there are {}", choices.join(", ")),
    }
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |known| format!("; did you mean {known}?"))
}
