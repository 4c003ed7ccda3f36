//! What belongs to the database that is replaced and is in no archive: settings, grants,
//! connection limit. What the role may not set is said.

use respaldo_postgres::{ConnInfo, DatabaseProperties, Session, databases, sql};

use super::Restoring;
use super::scratch::Scratch;
use crate::copy::chain;
use crate::error::LegacyError;
use crate::report::LegacyWarningKind;

impl Restoring<'_> {
    pub(super) fn carry_properties(
        &mut self,
        admin: &ConnInfo,
        scratch: &Scratch,
        properties: &DatabaseProperties,
    ) -> Result<(), LegacyError> {
        let mut session =
            Session::connect(admin, &self.session_options()).map_err(LegacyError::Server)?;
        let mut statements = databases::setting_statements(scratch.name(), properties);
        statements.extend(databases::grant_statements(scratch.name(), properties));
        for statement in statements {
            if let Err(error) = session.execute(sql(statement)) {
                self.warn(LegacyWarningKind::DatabaseSettings, chain(&error));
            }
        }
        Ok(())
    }
}
