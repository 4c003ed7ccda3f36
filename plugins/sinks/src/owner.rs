//! Names of half-written objects, which tell whose they are: machine, process and a random part.

use std::time::Duration;

use uuid::Uuid;

/// The folder of half-written objects, below a sink's own. No key has a part that starts with a dot.
pub(crate) const FOLDER: &str = ".respaldo-staging";
/// After this long without a byte nobody writes any more, on whatever machine.
pub(crate) const FOREIGN_AGE: Duration = Duration::from_hours(24);

const SUFFIX: &str = "part";

/// What is known of the process that writes a half-written object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// A process of this machine that is no more.
    Dead,
    /// A process of this machine that lives, perhaps another one under the same number.
    Alive,
    /// Another machine, or a system that does not tell.
    Unknown,
}

/// A name that nobody else has, for an object that this process writes.
pub(crate) fn staging_name() -> String {
    let random = Uuid::new_v4().simple();
    format!("{}.{}.{random}.{SUFFIX}", machine(), std::process::id())
}

/// Who writes under this name; `None` where it is no staging name.
pub(crate) fn writer_of(name: &str) -> Option<Writer> {
    let (host, pid) = owner_of(name)?;
    if host != machine() {
        return Some(Writer::Unknown);
    }
    Some(match is_alive(pid) {
        Some(true) => Writer::Alive,
        Some(false) => Writer::Dead,
        None => Writer::Unknown,
    })
}

/// Machine and process of a staging name.
fn owner_of(name: &str) -> Option<(&str, u32)> {
    let mut parts = name
        .strip_suffix(SUFFIX)?
        .strip_suffix('.')?
        .rsplitn(3, '.');
    Uuid::try_parse(parts.next()?).ok()?;
    let pid = parts.next()?.parse().ok()?;
    parts.next().map(|host| (host, pid))
}

/// Name of this machine, without what has a meaning in file names. A container counts as a machine
/// of its own even under its host's name: it sees other processes.
pub(crate) fn machine() -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() || c == '-' {
        true => c,
        false => '_',
    };
    let host: String = host().chars().map(plain).collect();
    match container() {
        Some(container) => format!("{host}-{container}"),
        None => host,
    }
}

#[cfg(unix)]
fn host() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// The number of the process namespace where it is not the machine's first one, on Linux.
fn container() -> Option<String> {
    /// PROC_PID_INIT_INO of the kernel.
    const FIRST: &str = "4026531836";
    let link = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let number: String = link
        .to_str()?
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    (!number.is_empty() && number != FIRST).then_some(number)
}

/// Whether a process of this machine lives; `None` where that cannot be told.
#[cfg(unix)]
pub(crate) fn is_alive(pid: u32) -> Option<bool> {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)?;
    match rustix::process::test_kill_process(pid) {
        Err(rustix::io::Errno::SRCH) => Some(false),
        // Another user's process may not be signalled, and lives.
        _ => Some(true),
    }
}

#[cfg(not(unix))]
pub(crate) fn is_alive(_pid: u32) -> Option<bool> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staging_name_tells_its_owner_and_other_names_have_none() {
        let random = Uuid::new_v4().simple();
        assert_eq!(
            owner_of(&format!("db1.example.42.{random}.part")),
            Some(("db1.example", 42))
        );
        for foreign in [
            "notes.part",
            "a.b.part",
            "db1.x.0123.part",
            "publish-lock",
            ".part",
        ] {
            assert_eq!(owner_of(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn the_writer_of_our_own_names_lives_and_others_are_unknown() {
        assert_eq!(writer_of(&staging_name()), Some(Writer::Alive));
        let random = Uuid::new_v4().simple();
        let foreign = format!("another.1.{random}.part");
        assert_eq!(writer_of(&foreign), Some(Writer::Unknown));
        let dead = format!("{}.{}.{random}.part", machine(), i32::MAX);
        assert_eq!(writer_of(&dead), Some(Writer::Dead));
        assert_eq!(writer_of("notes.txt"), None);
    }
}
