//! The engine's values as the documents of the boundary.

use respaldo_domain::table::{Readability, TableFacts, TableName};
use respaldo_engine::ports::{Fault, SourceTarget};
use respaldo_postgres::LazyTools;
use respaldo_sdk::records::{Name, Table, Target};
use secrecy::ExposeSecret;

/// The source, with its secret, and where the tools are.
pub(super) fn target(target: &SourceTarget, tools: &LazyTools) -> Result<Target, Fault> {
    let facts = &target.facts;
    let pg_bin_path = tools.get()?.pg_dump.path().parent();
    Ok(Target {
        conninfo: target.conninfo.secret_url().expose_secret().to_owned(),
        database: facts.database.clone(),
        server_version_num: facts.server_version_num,
        in_recovery: facts.in_recovery,
        role: facts.role.clone(),
        pg_bin_path: pg_bin_path.map(|path| path.to_string_lossy().into_owned()),
    })
}

/// A table by name.
pub(super) fn name(name: &TableName) -> Name {
    Name {
        schema: name.schema.clone(),
        name: name.name.clone(),
    }
}

/// A table as the catalog describes it.
pub(super) fn table(facts: &TableFacts) -> Table {
    Table {
        oid: facts.oid.0,
        name: name(&facts.name),
        relfilenode: facts.relfilenode,
        columns: facts
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        columns_hash: facts.columns_hash.clone(),
        types_hash: facts.types_hash.clone(),
        readable: facts.readable == Readability::All,
    }
}
