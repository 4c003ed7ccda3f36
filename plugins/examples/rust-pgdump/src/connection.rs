//! How pg_dump is told whom to connect to, without the password being seen.

use std::io::Write;
use std::process::Command;

use percent_encoding::percent_decode_str;
use respaldo_sdk::{Error, Result, Status};
use tempfile::NamedTempFile;
use url::Url;

/// A connection as pg_dump takes it: a URL without the password, and a file that holds it.
pub struct Connection {
    url: String,
    /// Removed with this; mode 0600.
    passfile: Option<NamedTempFile>,
}

impl Connection {
    /// Splits the secret from the rest. An error does not quote either.
    pub fn of(conninfo: &str) -> Result<Self> {
        let bad = || Error::new(Status::Invalid, "the connection is not a URL of PostgreSQL");
        let mut url = Url::parse(conninfo).map_err(|_| bad())?;
        let in_query = url.query_pairs().find(|(key, _)| key == "password").map(|(_, it)| it.into_owned());
        let in_authority = url.password().map(|it| percent_decode_str(it).decode_utf8_lossy().into_owned());
        url.set_password(None).map_err(|()| bad())?;
        if in_query.is_some() {
            let kept: Vec<(String, String)> =
                url.query_pairs().filter(|(key, _)| key != "password").map(|(k, v)| (k.into(), v.into())).collect();
            url.query_pairs_mut().clear().extend_pairs(kept);
        }
        let password = in_query.or(in_authority);
        Ok(Self {
            url: url.into(),
            passfile: password.map(|password| passfile(&password)).transpose()?,
        })
    }

    /// Makes `command` connect with it, and with nothing else of its surroundings.
    pub fn apply(&self, command: &mut Command) {
        command.env_clear().env("LC_ALL", "C").env("PGAPPNAME", "respaldo-plugin");
        command.arg(format!("--dbname={}", self.url));
        if let Some(passfile) = &self.passfile {
            command.env("PGPASSFILE", passfile.path());
        }
    }
}

/// `*:*:*:*:password`, with a backslash before what would end a field.
fn passfile(password: &str) -> Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    let escaped = password.replace('\\', "\\\\").replace(':', "\\:");
    writeln!(file, "*:*:*:*:{escaped}")?;
    file.flush()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_in_the_file_and_nowhere_else() {
        for conninfo in [
            "postgresql://u:s%3Ae%5Cc@h:5433/shop?sslmode=disable",
            "postgresql://u@h:5433/shop?sslmode=disable&password=s%3Ae%5Cc",
        ] {
            let connection = Connection::of(conninfo).unwrap();
            assert_eq!(connection.url, "postgresql://u@h:5433/shop?sslmode=disable");
            let held = std::fs::read_to_string(connection.passfile.unwrap().path()).unwrap();
            assert_eq!(held, "*:*:*:*:s\\:e\\\\c\n");
        }
        assert!(Connection::of("postgresql://u@h/shop").unwrap().passfile.is_none());
    }
}
