//! The operating system's user a server may run as: PostgreSQL refuses to run as root.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use respaldo_contract::messages::ErrorCode;

use crate::failure::Failure;

/// User and group to become; `None`: we are fine as we are.
#[derive(Debug, Clone, Copy)]
pub struct Account(
    #[cfg_attr(not(unix), expect(dead_code, reason = "Unix only"))] Option<(u32, u32)>,
);

impl Account {
    /// Ourselves, or user `postgres` when we are root.
    pub fn find() -> Result<Self, Failure> {
        if !is_root() {
            return Ok(Self(None));
        }
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let ids = accounts.lines().find_map(ids_of_postgres);
        ids.map(|ids| Self(Some(ids))).ok_or_else(|| {
            let cause = "running as root, and there is no user postgres to run a server as";
            Failure::new(ErrorCode::ToolsMissing, cause)
        })
    }

    /// A command of this user, outside of our process group so that Ctrl-C reaches us alone, and
    /// without libpq's variables.
    pub fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let libpq =
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG"));
        for (name, _) in libpq {
            command.env_remove(name);
        }
        command.current_dir("/").env("LC_ALL", "C");
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt;
            command.process_group(0);
            if let Some((user, group)) = self.0 {
                command.uid(user).gid(group);
            }
        }
        command
    }

    /// Gives a file or folder to this user, for nobody else to see.
    #[cfg(unix)]
    pub fn own(self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::{PermissionsExt, chown};
        if let Some((user, group)) = self.0 {
            chown(path, Some(user), Some(group))?;
        }
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }

    /// Files of a person are that person's.
    #[cfg(not(unix))]
    pub fn own(self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // Who we are without unsafe code: the owner of what we make.
    let probe = std::env::temp_dir().join(format!("respaldo-demo-{}.probe", uuid::Uuid::new_v4()));
    let owner = fs::write(&probe, "")
        .and_then(|()| fs::metadata(&probe))
        .map(|meta| meta.uid());
    let _ = fs::remove_file(&probe);
    owner.is_ok_and(|uid| uid == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

fn ids_of_postgres(line: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':');
    if fields.next()? != "postgres" {
        return None;
    }
    let mut ids = fields.skip(1);
    Some((ids.next()?.parse().ok()?, ids.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_postgres_are_read_from_its_line() {
        assert_eq!(
            ids_of_postgres("postgres:x:105:112:a:/var/lib:/bin/sh"),
            Some((105, 112))
        );
        assert_eq!(ids_of_postgres("postgresql:x:1:2::/:/bin/sh"), None);
    }
}
