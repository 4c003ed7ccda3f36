//! Roles of the whole server, which no archive of one database carries.

use std::time::Duration;

use crate::conninfo::ConnInfo;
use crate::tools::{StopFlag, ToolError, Tools};

/// A script that makes the server's roles, their settings and memberships, without passwords.
/// Needs no superuser.
pub fn dump_roles(
    tools: &Tools,
    info: &ConnInfo,
    stop: StopFlag<'_>,
    limit: Duration,
) -> Result<String, ToolError> {
    let database = info.database().replace('\\', "\\\\").replace('\'', "\\'");
    let finished = tools
        .pg_dumpall
        .command(info)
        .args(["--roles-only", "--no-role-passwords", "--encoding=UTF8"])
        // It passes over the database of the connection string; the role may have no other.
        .arg(format!("--database=dbname='{database}'"))
        .run(stop, limit)?;
    Ok(without_restriction(&String::from_utf8_lossy(
        &finished.output,
    )))
}

/// The same script without the `\restrict TOKEN` ... `\unrestrict TOKEN` lines around it: the
/// token is random, so equal roles would differ, and psql before 2025-08 does not know them.
fn without_restriction(script: &str) -> String {
    let mut words = script
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("--"));
    let token = words
        .next()
        .and_then(|line| line.strip_prefix("\\restrict "));
    let Some(token) = token else {
        return script.to_owned();
    };
    let marks = [
        format!("\\restrict {token}"),
        format!("\\unrestrict {token}"),
    ];
    let is_mark = |line: &str| marks.iter().any(|mark| line.trim_end() == mark.trim_end());
    script
        .split_inclusive('\n')
        .filter(|line| !is_mark(line))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_with_the_token_go() {
        let script = "--\n\n\\restrict aB1\nCREATE ROLE a;\nCOMMENT ON ROLE a IS 'x\n\\restrict y';\n\\unrestrict aB1\n";
        let kept = "--\n\nCREATE ROLE a;\nCOMMENT ON ROLE a IS 'x\n\\restrict y';\n";
        assert_eq!(without_restriction(script), kept);
        assert_eq!(without_restriction(kept), kept);
    }
}
