//! Databases as a whole: making one that equals another, what belongs to one and is in no archive, names beside it, and ending
//! the sessions inside. Restores of either service put these together.

use std::thread;
use std::time::Duration;

use chrono::Local;
use respaldo_domain::source::DatabaseProperties;
use respaldo_domain::table::{quote_identifier, quote_literal};

use crate::conninfo::ConnInfo;
use crate::session::{PgError, Session, SessionOptions, sql};

/// Longest name PostgreSQL keeps, in bytes.
const MAX_NAME_BYTES: usize = 63;
/// Parameters that are lists of names, whose values are stored quoted.
const LISTS: [&str; 6] = [
    "search_path",
    "temp_tablespaces",
    "session_preload_libraries",
    "shared_preload_libraries",
    "local_preload_libraries",
    "unix_socket_directories",
];

/// A name made from `base`, cut to what PostgreSQL keeps and told apart by its ending.
pub fn derived_name(base: &str, ending: &str) -> String {
    let mut end = base.len().min(MAX_NAME_BYTES.saturating_sub(ending.len()));
    while !base.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ending}", &base[..end])
}

/// The name under which a database that is replaced stays: `NAME_before_restore_20261124_021746`, local time; with `_2`, `_3` ...
/// where that is taken.
pub fn name_before_restore(session: &mut Session, database: &str) -> Result<String, PgError> {
    let ending = Local::now().format("_before_restore_%Y%m%d_%H%M%S");
    let mut name = derived_name(database, &ending.to_string());
    for number in 2_u32.. {
        let taken = sql("SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1)");
        if !session.value::<bool>(taken.bind(&name))? {
            break;
        }
        name = derived_name(database, &format!("{ending}_{number}"));
    }
    Ok(name)
}

/// What CREATE DATABASE is told to give another database the encoding and locale of this one.
pub fn locale_clause(like: &DatabaseProperties) -> String {
    let mut clause = format!(
        " ENCODING {} LC_COLLATE {} LC_CTYPE {}",
        quote_literal(&like.encoding),
        quote_literal(&like.collate),
        quote_literal(&like.ctype),
    );
    let provider = match like.locale_provider.as_deref() {
        Some("i") => " LOCALE_PROVIDER icu ICU_LOCALE ",
        Some("b") => " LOCALE_PROVIDER builtin BUILTIN_LOCALE ",
        _ => return clause,
    };
    if let Some(locale) = &like.locale {
        clause += provider;
        clause += &quote_literal(locale);
    }
    clause
}

/// Settings and connection limit as statements for a database of another name.
pub fn setting_statements(database: &str, properties: &DatabaseProperties) -> Vec<String> {
    let name = quote_identifier(database);
    let settings = properties.settings.iter();
    let mut statements: Vec<String> = settings
        .filter_map(|(role, setting)| set(&name, role, setting))
        .collect();
    if properties.connection_limit >= 0 {
        let limit = properties.connection_limit;
        statements.push(format!("ALTER DATABASE {name} CONNECTION LIMIT {limit}"));
    }
    statements
}

/// Grants on the database as statements for one of another name; none where they are the default.
pub fn grant_statements(database: &str, properties: &DatabaseProperties) -> Vec<String> {
    let Some(acl) = &properties.acl else {
        return Vec::new();
    };
    let name = quote_identifier(database);
    let revoke = format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC");
    let grants = acl.iter().flat_map(|item| grants(&name, item));
    [revoke].into_iter().chain(grants).collect()
}

fn set(database: &str, role: &str, setting: &str) -> Option<String> {
    let (parameter, value) = setting.split_once('=')?;
    let value = match LISTS.contains(&parameter) && !value.is_empty() {
        true => value.to_owned(),
        false => quote_literal(value),
    };
    let parameter: Vec<String> = parameter.split('.').map(quote_identifier).collect();
    let parameter = parameter.join(".");
    Some(match role {
        "" => format!("ALTER DATABASE {database} SET {parameter} TO {value}"),
        role => {
            let role = quote_identifier(role);
            format!("ALTER ROLE {role} IN DATABASE {database} SET {parameter} TO {value}")
        }
    })
}

/// GRANT statements for one `grantee=privileges/grantor`.
fn grants(database: &str, item: &str) -> Vec<String> {
    let Some((grantee, rest)) = item.rsplit_once('=') else {
        return Vec::new();
    };
    let letters = rest.split('/').next().unwrap_or_default().as_bytes();
    let grantee = match grantee.trim_matches('"') {
        "" => "PUBLIC".to_owned(),
        name => quote_identifier(&name.replace("\"\"", "\"")),
    };
    let grant = |(at, letter): (usize, &u8)| {
        let privilege = match letter {
            b'C' => "CREATE",
            b'c' => "CONNECT",
            b'T' => "TEMPORARY",
            _ => return None,
        };
        let option = match letters.get(at + 1) {
            Some(b'*') => " WITH GRANT OPTION",
            _ => "",
        };
        Some(format!(
            "GRANT {privilege} ON DATABASE {database} TO {grantee}{option}"
        ))
    };
    letters.iter().enumerate().filter_map(grant).collect()
}

/// Ends the sessions of clients inside databases again and again until told to stop, for new ones may come.
pub fn keep_ending_sessions(admin: &ConnInfo, databases: &[&str], stop: impl Fn() -> bool) {
    let Ok(mut session) = Session::connect(admin, &SessionOptions::default()) else {
        return;
    };
    let names: Vec<String> = databases.iter().map(|name| (*name).to_owned()).collect();
    while !stop() {
        let end = sql("SELECT pg_catalog.pg_terminate_backend(pid) \
             FROM pg_catalog.pg_stat_activity \
             WHERE datname = ANY ($1) AND pid <> pg_catalog.pg_backend_pid() \
               AND backend_type = 'client backend'");
        if let Err(error) = session.rows(end.bind(names.clone())) {
            tracing::debug!(%error, "a session could not be ended");
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Ends every session in a database and waits up to five seconds for them to be gone: a pg_restore that was killed may take a
/// moment.
pub fn end_sessions(session: &mut Session, database: &str) -> Result<(), PgError> {
    for _ in 0..50 {
        let end = sql(
            "SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) \
             FROM pg_catalog.pg_stat_activity WHERE datname = $1 \
               AND pid <> pg_catalog.pg_backend_pid()",
        );
        if session.value::<i64>(end.bind(database))? == 0 {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_name_fits_and_stays_text() {
        let name = derived_name(&"ñ".repeat(31), "_respaldo_0123abcd");
        assert!(name.len() <= MAX_NAME_BYTES && name.ends_with("_respaldo_0123abcd"));
        assert_eq!(derived_name("corto", "_x"), "corto_x");
    }

    #[test]
    fn settings_and_grants_become_statements() {
        assert_eq!(
            set("d", "", "search_path=app, public").unwrap(),
            "ALTER DATABASE d SET \"search_path\" TO app, public"
        );
        assert_eq!(
            set("d", "ana", "app.x=it's").unwrap(),
            "ALTER ROLE \"ana\" IN DATABASE d SET \"app\".\"x\" TO 'it''s'"
        );
        assert_eq!(
            grants("d", "=Tc/dueno"),
            [
                "GRANT TEMPORARY ON DATABASE d TO PUBLIC",
                "GRANT CONNECT ON DATABASE d TO PUBLIC"
            ]
        );
        assert_eq!(
            grants("d", "lector=c*/dueno"),
            ["GRANT CONNECT ON DATABASE d TO \"lector\" WITH GRANT OPTION"]
        );
    }
}
