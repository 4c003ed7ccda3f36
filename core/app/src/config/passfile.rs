//! Where libpq's password file lies, as the environment of this configuration says.

use std::path::PathBuf;

use respaldo_postgres::{ConnInfo, password_in_file};
use secrecy::SecretString;

use super::environment::Environment;

/// The password for a connection, where the file has one.
pub fn lookup(info: &ConnInfo, environment: &Environment) -> Option<SecretString> {
    let port = info.port().to_string();
    let wanted = [info.host(), &port, info.database(), info.user()];
    password_in_file(&path(environment)?, wanted)
}

fn path(environment: &Environment) -> Option<PathBuf> {
    let home = || {
        environment
            .get("HOME")
            .map(|home| PathBuf::from(home).join(".pgpass"))
    };
    let roaming = || {
        let folder = environment.get("APPDATA")?;
        Some(PathBuf::from(folder).join("postgresql").join("pgpass.conf"))
    };
    let usual = if cfg!(windows) { roaming() } else { home() };
    environment.get("PGPASSFILE").map(PathBuf::from).or(usual)
}
