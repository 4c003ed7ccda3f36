//! Some tables of a restore point, beside the live ones: made in a schema of their own with their
//! columns and their rows.
//!
//! A copy is for looking and for taking rows back, so it has nothing that would tie it to the
//! live tables: no defaults that draw from their sequences, no keys, no inheritance. All is one
//! transaction: a failure leaves the schema as it was.

use respaldo_domain::manifest::TableEntry;
use respaldo_domain::report::{TableDifference, Verification};
use respaldo_domain::restore_plan::RestorePlan;
use respaldo_domain::table::{TableName, quote_identifier};
use respaldo_postgres::{Session, SessionOptions, sql};

use super::load::{Work, load_into};
use super::{Done, IntoSchema, Restore, RestoreError, preflight, verify};
use crate::ports::Fault;

/// Restores the tables of the plan into `into.schema` of the target database.
pub(super) fn restore(
    restore: &mut Restore<'_>,
    plan: RestorePlan,
    into: &IntoSchema,
) -> Result<Done, RestoreError> {
    let target = restore
        .server()
        .with_database(&restore.request.target.database);
    let site = preflight::Site {
        admin: None,
        target: target.clone(),
        exists: true,
        empty: false,
        properties: None,
        direct: true,
    };
    let plan = preflight::check_objects(restore, plan, &site)?;
    let mut session = Session::connect(&target, &SessionOptions::default())
        .map_err(|e| RestoreError::Server(e.into()))?;
    nothing_in_the_way(&mut session, &plan, into)?;
    restore
        .enter("restore.into_schema")
        .map_err(RestoreError::Definitions)?;
    let verification = fill(restore, &plan, into, &mut session)?;
    Ok(Done {
        plan,
        previous_kept_as: None,
        verification,
    })
}

/// Everything in one transaction, compared before it is committed.
fn fill(
    restore: &mut Restore<'_>,
    plan: &RestorePlan,
    into: &IntoSchema,
    session: &mut Session,
) -> Result<Verification, RestoreError> {
    let definitions = |error: respaldo_postgres::PgError| RestoreError::Definitions(error.into());
    session.batch("BEGIN").map_err(definitions)?;
    let schema = quote_identifier(&into.schema);
    session
        .batch(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))
        .map_err(definitions)?;
    let work = Work {
        parts: restore.parts,
        plan,
    };
    let mut verification = Verification::default();
    for load in &plan.loads {
        let failed = |source| RestoreError::Load {
            table: load.entry.name.clone(),
            source,
        };
        let copy = TableName::new(&into.schema, &load.entry.name.name);
        session
            .batch(&definition(&copy, &load.entry))
            .map_err(|e| failed(e.into()))?;
        load_into(&work, session, load, &copy, restore.cx).map_err(failed)?;
        let columns = &load.entry.columns;
        let found = verify::fingerprint(session, &copy, columns, "", restore.cx).map_err(failed)?;
        verification.tables += 1;
        match found == load.data.fingerprint {
            true => verification.equal += 1,
            false => verification.different.push(TableDifference {
                table: copy,
                expected: load.data.fingerprint,
                found,
                excuse: None,
            }),
        }
    }
    let verification = verify::accept(restore, verification)?;
    restore
        .enter("restore.commit")
        .map_err(RestoreError::Definitions)?;
    session.batch("COMMIT").map_err(definitions)?;
    Ok(verification)
}

fn definition(copy: &TableName, entry: &TableEntry) -> String {
    let column = |column: &respaldo_domain::table::Column| {
        format!("{} {}", quote_identifier(&column.name), column.sql_type)
    };
    let columns: Vec<String> = entry.columns.iter().map(column).collect();
    let name = copy.quoted();
    format!("CREATE TABLE {name} ({})", columns.join(", "))
}

/// No table of the target is touched: names that are taken are refused before anything is made.
fn nothing_in_the_way(
    session: &mut Session,
    plan: &RestorePlan,
    into: &IntoSchema,
) -> Result<(), RestoreError> {
    for (at, load) in plan.loads.iter().enumerate() {
        let name = &load.entry.name.name;
        let twice = plan.loads[..at]
            .iter()
            .any(|other| &other.entry.name.name == name);
        let taken = sql("SELECT EXISTS (SELECT FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = $2)");
        let taken: bool = session
            .value(taken.bind(&into.schema).bind(name))
            .map_err(|e| RestoreError::Server(Fault::from(e)))?;
        if twice || taken {
            return Err(RestoreError::TableExists {
                schema: into.schema.clone(),
                table: name.clone(),
            });
        }
    }
    Ok(())
}
