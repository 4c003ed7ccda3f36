//! A detector that reads every row: a table is unchanged when COPY prints the same lines as for the base, in any
//! order. Needs no history of the server and trusts nothing but the rows.
#![forbid(unsafe_code)]

mod print;

use postgres::{Client, Config, IsolationLevel, NoTls, Transaction};
use respaldo_sdk::records::{Base, DetectionRequest, Name, Summary, Table, TableVerdict, Target, Word};
use respaldo_sdk::{
    ChangeDetector, Context, Each, Error, Level, NoOptions, Plugin, Result, Status,
};
use serde_json::Value;

use print::Print;

/// As pg_dump reads: the same rows must print the same whatever the settings of role and database are.
const AS_PG_DUMP: &str = "SET row_security = off; SET extra_float_digits = 3; SET datestyle = ISO; \
    SET intervalstyle = postgres; SET search_path = pg_catalog; SET timezone = UTC; SET bytea_output = hex; \
    SET xmlbinary = base64; SET client_encoding = UTF8; SET statement_timeout = 0; \
    SET lock_timeout = '30s'";

/// Without state.
pub struct ContentHash;

impl Plugin for ContentHash {
    const ID: &'static str = "example.content-hash";
    const NAME: &'static str = "Hash of the content";
    const VERSION: &'static str = "1.0.0";
    const DESCRIPTION: &'static str = "Reads every row and compares with the last backup.";
    type Options = NoOptions;

    fn create(_: NoOptions) -> Result<Self> {
        Ok(Self)
    }
}

impl ChangeDetector for ContentHash {
    fn baseline(&self, _: &Target, _: &dyn Context) -> Result<Option<Value>> {
        Ok(None)
    }

    fn verdicts(
        &self,
        request: &DetectionRequest,
        each: Each<'_, TableVerdict>,
        cx: &dyn Context,
    ) -> Result<Summary> {
        let mut client = connected(&request.target)?;
        let mut transaction = under(&mut client, &request.snapshot)?;
        let mut lines = 0;
        for table in &request.tables {
            let print = printed(&mut transaction, table, &mut lines, cx)?;
            each(verdict(table, print, request.base.as_ref()))?;
        }
        // Of large objects nothing is said, so they count as unknown and are dumped.
        Ok(Summary::default())
    }
}

/// Errors of the server without the connection, which holds the password.
fn failed(doing: &str) -> impl Fn(postgres::Error) -> Error {
    move |error| {
        let reason = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
        Error::new(Status::Unavailable, format!("{doing}: {reason}"))
    }
}

fn connected(target: &Target) -> Result<Client> {
    let config: std::result::Result<Config, _> = target.conninfo.parse();
    let config = config.map_err(|_| Error::new(Status::Invalid, "this connection is not understood"))?;
    let mut client = config.connect(NoTls).map_err(failed("connect"))?;
    client.batch_execute(AS_PG_DUMP).map_err(failed("prepare the session"))?;
    Ok(client)
}

fn under<'a>(client: &'a mut Client, snapshot: &str) -> Result<Transaction<'a>> {
    let begin = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    let mut transaction = begin.read_only(true).start().map_err(failed("begin"))?;
    let snapshot = snapshot.replace('\'', "''");
    let set = format!("SET TRANSACTION SNAPSHOT '{snapshot}'");
    transaction.batch_execute(&set).map_err(failed("take the snapshot"))?;
    Ok(transaction)
}

/// What the rows of a table are, `None` where they cannot be read.
fn printed(
    transaction: &mut Transaction<'_>,
    table: &Table,
    lines: &mut u64,
    cx: &dyn Context,
) -> Result<Option<Print>> {
    if !table.readable {
        return Ok(None);
    }
    // A savepoint: what fails here must not end the transaction. A connection that is gone fails at the next.
    let mut savepoint = transaction.transaction().map_err(failed("set a savepoint"))?;
    let rows = savepoint.copy_out(&copy_of(table)).map_err(failed("COPY"));
    match rows.and_then(|rows| Print::of(rows, lines, cx)) {
        Ok(print) => Ok(Some(print)),
        Err(error) if error.status == Status::Cancelled => Err(error),
        Err(error) => {
            let Name { schema, name } = &table.name;
            cx.log(Level::Warn, &format!("{schema}.{name} cannot be read: {error}"));
            Ok(None)
        }
    }
}

fn copy_of(table: &Table) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns: Vec<String> = table.columns.iter().map(|name| quoted(name)).collect();
    let (schema, name) = (quoted(&table.name.schema), quoted(&table.name.name));
    format!("COPY (SELECT {} FROM ONLY {schema}.{name}) TO STDOUT", columns.join(", "))
}

/// What can be compared is compared; the print of now is the evidence of next time.
fn verdict(table: &Table, print: Option<Print>, base: Option<&Base>) -> TableVerdict {
    let now = print.map(|print| Value::String(print.to_string()));
    let (verdict, reason) = match (&now, base) {
        (None, _) => (Word::Unknown, "unreadable"),
        (Some(_), None) => (Word::Changed, "no-base"),
        (Some(now), Some(base)) => compared(table, now, base),
    };
    TableVerdict {
        oid: table.oid,
        verdict,
        reason: reason.to_owned(),
        evidence: now,
    }
}

fn compared(table: &Table, now: &Value, base: &Base) -> (Word, &'static str) {
    let Some(then) = base.tables.get(&table.oid) else {
        return (Word::Changed, "new");
    };
    let of_form = |table: &Table| {
        let hashes = (table.columns_hash.clone(), table.types_hash.clone());
        (table.name.clone(), table.columns.clone(), hashes)
    };
    match &then.evidence {
        _ if of_form(table) != of_form(&then.table) => (Word::Changed, "definition"),
        None => (Word::Unknown, "no-evidence"),
        Some(then) if then == now => (Word::Unchanged, "same-content"),
        Some(_) => (Word::Changed, "content"),
    }
}

respaldo_sdk::export_plugins!(detector: ContentHash);
