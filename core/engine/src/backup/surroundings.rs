//! What a manifest tells beside its tables: schemas, roles, WAL positions; and what the tools are
//! known to leave out.

use respaldo_domain::report::WarningCode;
use respaldo_postgres::{Snapshot, omissions, server, sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::Run;
use crate::parts::Parts;
use crate::ports::{Fault, FaultKind};

/// Says what old tools leave out of this database, and how to have it.
pub(super) fn warn_of_omissions(
    parts: &Parts,
    run: &mut Run,
    snapshot: &mut Snapshot,
) -> Result<(), Fault> {
    let version = parts.tools.get()?.pg_dump.version();
    let left_out = omissions::of_pg_dump(version.major, snapshot.session())?;
    if !left_out.is_empty() {
        let subject = format!("pg_dump {}: {}", version.text, left_out.join(", "));
        run.warn(WarningCode::LeftOut, subject);
    }
    Ok(())
}

/// Roles that objects of the database depend on.
pub(super) fn roles(snapshot: &mut Snapshot) -> Result<Vec<String>, Fault> {
    names(
        snapshot,
        "SELECT DISTINCT r.rolname::text FROM pg_catalog.pg_shdepend d \
         JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid \
         WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass \
           AND d.dbid = (SELECT oid FROM pg_catalog.pg_database \
                         WHERE datname = pg_catalog.current_database()) \
           AND r.rolname::text !~ '^pg_' ORDER BY 1",
    )
}

/// Schemas outside the system's.
pub(super) fn schemas(snapshot: &mut Snapshot) -> Result<Vec<String>, Fault> {
    names(
        snapshot,
        "SELECT nspname::text FROM pg_catalog.pg_namespace \
         WHERE nspname::text !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1",
    )
}

fn names(snapshot: &mut Snapshot, question: &str) -> Result<Vec<String>, Fault> {
    let rows = snapshot.session().rows(sql(question))?;
    let name = |row: &PgRow| row.try_get::<String, _>(0);
    rows.iter()
        .map(name)
        .collect::<Result<_, _>>()
        .map_err(|e| Fault::new(FaultKind::Internal, "reading names from the catalog", e))
}

/// The WAL position now, where the server tells it: a snapshot does not hold it back.
pub(super) fn lsn_now(snapshot: &mut Snapshot) -> Result<Option<String>, Fault> {
    Ok(server::lsn(snapshot.session())?)
}
