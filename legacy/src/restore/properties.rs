//! What belongs to the database that is replaced and is in no archive: settings, grants,
//! connection limit. What the role may not set is said.

use respaldo_postgres::{
    ConnInfo, DatabaseProperties, Session, quote_identifier, quote_literal, sql,
};

use super::Restoring;
use super::scratch::Scratch;
use crate::copy::chain;
use crate::error::LegacyError;
use crate::report::LegacyWarningKind;

/// Parameters that are lists of names, whose values are stored quoted.
const LISTS: [&str; 6] = [
    "search_path",
    "temp_tablespaces",
    "session_preload_libraries",
    "shared_preload_libraries",
    "local_preload_libraries",
    "unix_socket_directories",
];

impl Restoring<'_> {
    pub(super) fn carry_properties(
        &mut self,
        admin: &ConnInfo,
        scratch: &Scratch,
        properties: &DatabaseProperties,
    ) -> Result<(), LegacyError> {
        let mut session =
            Session::connect(admin, &self.session_options()).map_err(LegacyError::Server)?;
        for statement in statements(scratch.name(), properties) {
            if let Err(error) = session.execute(sql(statement)) {
                self.warn(LegacyWarningKind::DatabaseSettings, chain(&error));
            }
        }
        Ok(())
    }
}

fn statements(database: &str, properties: &DatabaseProperties) -> Vec<String> {
    let name = quote_identifier(database);
    let settings = properties.settings.iter();
    let mut statements: Vec<String> = settings
        .filter_map(|(role, setting)| set(&name, role, setting))
        .collect();
    if properties.connection_limit >= 0 {
        let limit = properties.connection_limit;
        statements.push(format!("ALTER DATABASE {name} CONNECTION LIMIT {limit}"));
    }
    if let Some(acl) = &properties.acl {
        statements.push(format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC"));
        statements.extend(acl.iter().flat_map(|item| grants(&name, item)));
    }
    statements
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

#[cfg(test)]
mod tests {
    use super::*;

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
