//! libpq's password file: `host:port:database:user:password`, `*` matching all, `\` escaping.

use std::path::PathBuf;

use respaldo_postgres::ConnInfo;
use secrecy::SecretString;

use super::environment::Environment;

/// The password for a connection, where the file has one. As with libpq, a file that others may
/// read is not used.
pub fn lookup(info: &ConnInfo, environment: &Environment) -> Option<SecretString> {
    let path = path(environment)?;
    if open_to_others(&path) {
        tracing::warn!(path = %path.display(), "password file ignored: others may read it");
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    find(&text, info)
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

#[cfg(unix)]
fn open_to_others(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_path: &std::path::Path) -> bool {
    false
}

fn find(text: &str, info: &ConnInfo) -> Option<SecretString> {
    let host = if info.host().starts_with('/') {
        "localhost"
    } else {
        info.host()
    };
    let wanted = [host, &info.port().to_string(), info.database(), info.user()];
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let fields = split(line);
            let fits = fields.len() == 5
                && fields
                    .iter()
                    .zip(wanted)
                    .all(|(field, wanted)| field == "*" || field == wanted);
            fits.then(|| fields[4].as_str().into())
        })
}

/// At most five fields; a colon in the last one needs no escape.
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let at = fields.len() - 1;
        match letter {
            ':' if at < 4 => fields.push(String::new()),
            '\\' => fields[at].extend(letters.next()),
            _ => fields[at].push(letter),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_first_line_that_fits_gives_the_password() {
        let info = ConnInfo::from_parts("db", 5432, "ventas", "ana", None);
        let text = "# file\ndb:5432:otra:ana:no\ndb:*:ventas:ana:s\\:i\\\\\n*:*:*:*:tarde";
        assert_eq!(find(text, &info).unwrap().expose_secret(), "s:i\\");
    }
}
