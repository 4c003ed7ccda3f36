//! What can be asked of a restore.

use respaldo_domain::table::TableName;
use respaldo_postgres::ConnInfo;

use crate::selector::Selector;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// The restore point.
    pub selector: Selector,
    /// Where to.
    pub target: RestoreTarget,
    /// How.
    pub options: RestoreOptions,
}

impl RestoreRequest {
    /// A whole restore point with default options.
    pub fn new(selector: Selector, target: RestoreTarget) -> Self {
        Self {
            selector,
            target,
            options: RestoreOptions::default(),
        }
    }
}

/// The database a restore fills.
#[derive(Debug, Clone)]
pub struct RestoreTarget {
    /// Another server; `None`: the source's.
    pub server: Option<ConnInfo>,
    /// Name of the database.
    pub database: String,
    /// What may be done about a database that is missing or not empty.
    pub placement: Placement,
}

impl RestoreTarget {
    /// A database that is made when it is missing, on the source's server.
    pub fn new_database(name: &str) -> Self {
        let placement = Placement::Fresh { create: true };
        Self {
            server: None,
            database: name.to_owned(),
            placement,
        }
    }
}

/// What may be done to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// It must be empty; made when it is missing if `create`.
    Fresh {
        /// Make it.
        create: bool,
    },
    /// It is replaced; the old one is kept under another name unless `drop_old`.
    Replace {
        /// Drop the old one after the swap.
        drop_old: bool,
    },
}

/// Choices of a restore.
#[derive(Debug, Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command, by its name"
)]
pub struct RestoreOptions {
    /// Sessions that load at once; `None`: as configured.
    pub jobs: Option<usize>,
    /// Everything belongs to the restoring role.
    pub no_owner: bool,
    /// No GRANTs.
    pub no_privileges: bool,
    /// Roles missing on the target are made, without passwords.
    pub create_roles: bool,
    /// A table that cannot be read comes from its previous verified version.
    pub allow_older_tables: bool,
    /// Only these tables, into this schema of the target.
    pub into_schema: Option<IntoSchema>,
}

/// A selective restore beside the live tables.
#[derive(Debug, Clone)]
pub struct IntoSchema {
    /// Schema of the target; made when it is missing.
    pub schema: String,
    /// Tables, by their names at the restore point.
    pub tables: Vec<TableName>,
}
