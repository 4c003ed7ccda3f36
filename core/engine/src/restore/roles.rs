//! Roles that the restored objects belong to or are granted to. Databases do not carry them.

use respaldo_domain::object::ObjectRole;
use respaldo_domain::restore_plan::RestorePlan;
use respaldo_postgres::{Session, sql};

use super::preflight::missing;
use super::{Restore, RestoreError};
use crate::ports::{Fault, FaultKind};

/// Largest roles script read, in bytes.
const MAX_ROLES_BYTES: u64 = 64 * 1024 * 1024;

/// Finds missing roles before any work; makes them where that was asked for.
pub(super) fn ensure(
    restore: &mut Restore<'_>,
    plan: &RestorePlan,
    session: &mut Session,
) -> Result<(), RestoreError> {
    let options = &restore.request.options;
    if options.no_owner && options.no_privileges {
        return Ok(());
    }
    let question = "SELECT rolname::text FROM pg_catalog.pg_roles";
    let absent = missing(session, &plan.manifest.roles, question)?;
    if absent.is_empty() {
        return Ok(());
    }
    if !options.create_roles {
        return Err(RestoreError::RolesMissing(absent));
    }
    restore
        .enter("restore.roles")
        .map_err(RestoreError::Server)?;
    let script = script(restore, plan).map_err(RestoreError::Backup)?;
    for statement in statements_for(&script, &absent) {
        session
            .execute(sql(statement))
            .map_err(|e| RestoreError::Server(e.into()))?;
    }
    match missing(session, &absent, question)? {
        still if still.is_empty() => Ok(()),
        still => Err(RestoreError::RolesMissing(still)),
    }
}

/// The roles stored with the full of the chain.
fn script(restore: &Restore<'_>, plan: &RestorePlan) -> Result<String, Fault> {
    let (parts, cx) = (restore.parts, restore.cx);
    let full = parts.store.header(&plan.manifest.full, &*parts.codec, cx)?;
    let object = full.object(ObjectRole::Roles).ok_or_else(|| {
        Fault::bare(
            FaultKind::NotFound,
            format!("{} carries no roles", full.archive),
        )
    })?;
    let bytes = parts.store.read_inside(&object.key, MAX_ROLES_BYTES, cx)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The statements of a roles script that make these roles: in pg_dumpall's, the role's name stands
/// right after the verb, quoted where it must be.
fn statements_for(script: &str, roles: &[String]) -> Vec<String> {
    let names: Vec<String> = roles.iter().flat_map(|role| spellings(role)).collect();
    let concerns = |statement: &str, verb: &str| {
        let rest = statement.strip_prefix(verb).unwrap_or_default();
        names.iter().any(|name| {
            rest.strip_prefix(name.as_str())
                .is_some_and(|after| after.is_empty() || after.starts_with(' '))
        })
    };
    let wanted = |statement: &&str| {
        concerns(statement, "CREATE ROLE ")
            || concerns(statement, "ALTER ROLE ")
            || granted(statement, &names)
    };
    let all = statements(script);
    all.into_iter().filter(wanted).map(str::to_owned).collect()
}

/// The statements of a script, without their semicolons. A name or a text may hold anything, line
/// breaks and semicolons too.
fn statements(script: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), script.trim_start());
    while !rest.is_empty() {
        let end = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            let end = end_of_statement(rest);
            found.push(&rest[..end]);
            end
        };
        rest = rest[end..].trim_start_matches(|c: char| c == ';' || c.is_whitespace());
    }
    found
}

/// Where the first semicolon outside of quotes is.
fn end_of_statement(text: &str) -> usize {
    let mut within = None;
    for (at, letter) in text.char_indices() {
        match (within, letter) {
            (None, ';') => return at,
            (None, '\'' | '"') => within = Some(letter),
            (Some(quote), _) if quote == letter => within = None,
            _ => {}
        }
    }
    text.len()
}

/// `GRANT group TO member ...` where either is one of the names.
fn granted(statement: &str, names: &[String]) -> bool {
    let Some((group, rest)) = statement
        .strip_prefix("GRANT ")
        .and_then(|l| l.split_once(" TO "))
    else {
        return false;
    };
    let member = |name: &String| {
        rest.strip_prefix(name.as_str())
            .is_some_and(|after| after.is_empty() || after.starts_with(' '))
    };
    names.iter().any(|name| group == name || member(name))
}

/// A name as the script may spell it.
fn spellings(role: &str) -> [String; 2] {
    [
        role.to_owned(),
        respaldo_domain::table::quote_identifier(role),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "CREATE ROLE ana;\nALTER ROLE ana WITH NOSUPERUSER LOGIN;\n\
        CREATE ROLE \"Ana B\";\nCREATE ROLE ana2;\nGRANT ana TO \"Ana B\" GRANTED BY postgres;\n\
        GRANT ana2 TO other;\n";

    #[test]
    fn only_statements_about_missing_roles_are_run() {
        let found = statements_for(SCRIPT, &["Ana B".to_owned()]);
        assert_eq!(
            found,
            [
                "CREATE ROLE \"Ana B\"",
                "GRANT ana TO \"Ana B\" GRANTED BY postgres"
            ]
        );
        let found = statements_for(SCRIPT, &["ana".to_owned()]);
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn names_and_texts_may_hold_line_breaks_and_semicolons() {
        let script = "--\n-- Roles\n--\n\nCREATE ROLE \"odd\n;--DROP\";\nCOMMENT ON ROLE \"odd\n;--DROP\" IS 'it''s;\n';\n\
            ALTER ROLE \"odd\n;--DROP\" WITH NOLOGIN;\n\n\n";
        let found = statements_for(script, &["odd\n;--DROP".to_owned()]);
        assert_eq!(
            found,
            [
                "CREATE ROLE \"odd\n;--DROP\"",
                "ALTER ROLE \"odd\n;--DROP\" WITH NOLOGIN"
            ]
        );
    }
}
