//! libpq's password file: lines of `host:port:database:user:password`, the first that fits counts.

use std::path::{Path, PathBuf};
use std::{env, fs};

use secrecy::SecretString;

/// The password for host, port, database and user: in `file`, else in `PGPASSFILE`, else in `~/.pgpass`.
pub(crate) fn look_up(file: Option<PathBuf>, wanted: [&str; 4]) -> Option<SecretString> {
    let named = || env::var_os("PGPASSFILE").map(PathBuf::from);
    let usual = || env::home_dir().map(|home| home.join(".pgpass"));
    password_in_file(&file.or_else(named).or_else(usual)?, wanted)
}

/// The password that a file has for host, port, database and user. A file that others may read is not
/// used, as by libpq and with it the tools.
pub fn password_in_file(file: &Path, wanted: [&str; 4]) -> Option<SecretString> {
    if !file.is_file() {
        return None;
    }
    if !is_private(file) {
        tracing::warn!(path = %file.display(), "password file ignored: others may read it");
        return None;
    }
    let lines = fs::read_to_string(file).ok()?;
    lines
        .lines()
        .find_map(|line| password(line, wanted))
        .map(Into::into)
}

#[cfg(unix)]
fn is_private(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    let facts = fs::metadata(file);
    facts.is_ok_and(|facts| facts.permissions().mode().trailing_zeros() >= 6)
}

#[cfg(not(unix))]
fn is_private(_file: &Path) -> bool {
    true
}

fn password(line: &str, wanted: [&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let fields = fields(line);
    let [host, rest @ .., password] = &fields[..] else {
        return None;
    };
    // A folder of sockets may be written as `localhost`, as libpq has it for its own.
    let is_host = |host: &str| {
        let [wanted, ..] = wanted;
        host == "*" || host == wanted || (wanted.starts_with('/') && host == "localhost")
    };
    let fits = |(field, wanted): (&String, &&str)| field == "*" || field == wanted;
    let all = rest.len() == 3 && is_host(host) && rest.iter().zip(&wanted[1..]).all(fits);
    all.then(|| password.clone())
}

/// Fields between colons; a backslash takes what follows as it stands.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            ':' if fields.len() < 5 => {
                fields.push(String::new());
                continue;
            }
            '\\' => letters.next().unwrap_or('\\'),
            letter => letter,
        };
        if let Some(field) = fields.last_mut() {
            field.push(letter);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: [&str; 4] = ["db.example", "5432", "negocio", "ana"];

    #[test]
    fn a_line_fits_by_all_its_fields() {
        let fits = |line| password(line, WANTED);
        assert_eq!(fits("db.example:5432:negocio:ana:s"), Some("s".to_owned()));
        assert_eq!(fits(r"*:*:*:*:a\:b\\c"), Some(r"a:b\c".to_owned()));
        for line in ["", "# *:*:*:*:s", "*:*:*:eva:s", "*:*:*:s", "other:*:*:*:s"] {
            assert_eq!(fits(line), None, "{line}");
        }
    }

    #[test]
    fn a_folder_of_sockets_is_localhost_too() {
        let wanted = ["/run/postgresql", "5432", "d", "u"];
        assert!(password("localhost:*:*:*:s", wanted).is_some());
        assert!(password("/run/postgresql:*:*:*:s", wanted).is_some());
        assert!(password("localhost:*:*:*:s", WANTED).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pass");
        fs::write(&path, "*:*:*:*:s\n").unwrap();
        for (mode, is_found) in [(0o600, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(
                look_up(Some(path.clone()), WANTED).is_some(),
                is_found,
                "{mode:o}"
            );
        }
    }
}
