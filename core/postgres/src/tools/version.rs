//! Versions as the tools print them.

use std::fmt;

/// Version of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolVersion {
    /// For example 15.
    pub major: u32,
    /// For example 20; 0 before a release.
    pub minor: u32,
    /// As printed, for example "15.20 (Debian 15.20-0+deb12u1)".
    pub text: String,
}

impl ToolVersion {
    /// Reads what `--version` prints: `pg_dump (PostgreSQL) 15.20 (Debian ...)`.
    pub fn parse(line: &str) -> Option<Self> {
        let (_, text) = line.trim().split_once("(PostgreSQL) ")?;
        let number = text.split_whitespace().next()?;
        let mut parts = number.split('.').map(leading_number);
        let major = parts.next()??;
        let minor = parts.next().flatten().unwrap_or(0);
        Some(Self {
            major,
            minor,
            text: text.to_owned(),
        })
    }

    /// Whether a tool of this version can read that server.
    pub fn can_read(&self, server_version_num: u32) -> bool {
        self.major >= server_version_num / 10_000
    }

    pub(super) fn is_older_minor_than(&self, server_version_num: u32) -> bool {
        self.major == server_version_num / 10_000 && self.minor < server_version_num % 10_000
    }
}

impl fmt::Display for ToolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The digits a text begins with: "17beta1" and "18devel" are versions too.
fn leading_number(text: &str) -> Option<u32> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_every_vendor_prints_them() {
        for (line, major, minor) in [
            (
                "pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n",
                15,
                20,
            ),
            ("psql (PostgreSQL) 13.4", 13, 4),
            ("pg_restore (PostgreSQL) 18devel", 18, 0),
            ("pg_dump (PostgreSQL) 17beta2", 17, 0),
        ] {
            let version = ToolVersion::parse(line).unwrap();
            assert_eq!((version.major, version.minor), (major, minor), "{line}");
        }
        assert_eq!(ToolVersion::parse("command not found"), None);
    }

    #[test]
    fn an_older_major_cannot_read_a_server_and_an_older_minor_is_told_apart() {
        let version = ToolVersion::parse("pg_dump (PostgreSQL) 15.3").unwrap();
        assert!(version.can_read(150_020) && version.can_read(130_001));
        assert!(!version.can_read(160_000));
        assert!(version.is_older_minor_than(150_004));
        assert!(!version.is_older_minor_than(150_003) && !version.is_older_minor_than(140_010));
    }
}
