//! Whether the definitions of a database are those of an earlier moment, without reading them.
//!
//! pg_dump takes seconds per thousand tables to write the same text again. What it writes depends
//! on the catalogs under its snapshot, on settings of its session, and on who asks. All of it is
//! read here into one text: where two of them, taken in one history of the server, are equal, so
//! are the definitions. Like the fingerprint of rows this rests on a row version never changing
//! after it was written; the few columns that are changed in place are looked at by value.
//!
//! Every catalog that the server has counts unless it is named here with its reason, so that one of
//! a later version is not overlooked. Where one cannot be read and is not known here, nothing is
//! said at all: the definitions are then read.

use respaldo_domain::table::{quote_identifier, quote_literal};
use sqlx::postgres::PgRow;

use crate::conninfo::ConnInfo;
use crate::rows::field;
use crate::session::{PgError, Session, SessionOptions, sql};

/// What definitions depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Print {
    /// Rows of the catalogs, by the transactions that wrote them.
    pub catalogs: String,
    /// Settings, roles and what the role is shown of user mappings, by value.
    pub surroundings: String,
}

impl Print {
    /// Whether these lines of catalogs are among its own.
    pub(crate) fn says(&self, lines: &str) -> bool {
        let own: Vec<_> = self.catalogs.lines().collect();
        lines.lines().all(|line| own.contains(&line))
    }
}

/// Catalogs left out, each with its reason.
const LEFT_OUT: [(&str, &str); 6] = [
    ("pg_statistic", "statistics of the planner"),
    ("pg_statistic_ext_data", "statistics of the planner"),
    ("pg_largeobject", "data"),
    ("pg_largeobject_metadata", "large objects are data"),
    (
        "pg_shdepend",
        "repeats owners and grants of the objects of all databases; pg_dump does not read it",
    ),
    (
        "pg_authid",
        "passwords; names and rights are read from pg_roles, which any role may read",
    ),
];

/// Catalogs that most roles cannot read, or not all of: what they are shown is compared by value.
/// Of subscriptions pg_dump itself dumps none for such a role.
const SHOWN_IN_PART: [&str; 2] = ["pg_user_mapping", "pg_subscription"];

/// Rows that cannot matter: those of other databases, and what is said about large objects.
const ROWS: [(&str, &str); 4] = [
    (
        "pg_database",
        "t.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()",
    ),
    (
        "pg_db_role_setting",
        "t.setdatabase OPERATOR(pg_catalog.=) ANY (SELECT 0::pg_catalog.oid UNION ALL \
         SELECT d.oid FROM pg_catalog.pg_database AS d \
         WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())",
    ),
    ("pg_description", "t.classoid OPERATOR(pg_catalog.<>) 2613"),
    ("pg_seclabel", "t.classoid OPERATOR(pg_catalog.<>) 2613"),
];

/// Columns of definitions that are changed in place, at least by some versions: up to 13, CREATE
/// INDEX CONCURRENTLY makes an index valid so. (What VACUUM writes into `pg_class` in place says
/// nothing of definitions.)
const IN_PLACE: [(&str, [&str; 3]); 1] = [("pg_index", ["indisvalid", "indisready", "indislive"])];

/// Settings that differ from run to run and are in no definition.
const OWN_SETTINGS: &str = "ARRAY['application_name']";

/// Transaction ids may be told apart within half of their range.
const HALF_OF_XIDS: i64 = 1 << 31;

const CATALOGS: &str = "
SELECT c.relname::pg_catalog.text AS name,
       pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
       ARRAY(SELECT a.attname::pg_catalog.text FROM pg_catalog.pg_attribute AS a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
              ORDER BY a.attnum) AS columns
  FROM pg_catalog.pg_class AS c
 WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND c.relkind = 'r'
   AND c.oid < 16384
 ORDER BY c.relname";

/// A catalog of the server.
struct Catalog {
    name: String,
    readable: bool,
    columns: Vec<String>,
}

/// Reads everything under an exported snapshot; no print where that cannot be done soundly. The session it was read
/// on has left the snapshot, and its caches are warm for the same questions about now.
pub(crate) fn print(
    info: &ConnInfo,
    options: &SessionOptions,
    snapshot: &str,
) -> Result<(Option<Print>, Session), PgError> {
    let mut session = Session::connect_as_tools_do(info, &SessionOptions::default())?;
    let settings = settings(&mut session)?;
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let snapshot = quote_literal(snapshot);
    session.batch(&format!("SET TRANSACTION SNAPSHOT {snapshot}"))?;
    let names = names(&mut session)?;
    let catalogs = catalogs(&mut session)?;
    session.batch("COMMIT")?;
    session.become_ours(info, options)?;
    let print = catalogs.map(|catalogs| Print {
        catalogs,
        surroundings: settings + &names,
    });
    Ok((print, session))
}

/// [`Print::surroundings`] as they are now. They have no versions: whoever read definitions
/// meanwhile asks again, lest they changed and changed back.
pub fn surroundings_now(info: &ConnInfo) -> Result<String, PgError> {
    let mut session = Session::connect_as_tools_do(info, &SessionOptions::default())?;
    let settings = settings(&mut session)?;
    let names = names(&mut session)?;
    session.close()?;
    Ok(settings + &names)
}

/// All settings as a tool's session has them; then the session gets those of ours that statements
/// of this module need.
fn settings(session: &mut Session) -> Result<String, PgError> {
    let text = session.value(sql(format!(
        "SELECT pg_catalog.string_agg(pg_catalog.format(E'%s=%s\\n', s.name, s.setting), '' \
         ORDER BY s.name COLLATE pg_catalog.\"C\") FROM pg_catalog.pg_settings AS s \
         WHERE s.name OPERATOR(pg_catalog.<>) ALL ({OWN_SETTINGS})"
    )))?;
    session.batch("SET search_path = ''; SET jit = off; SET row_security = off")?;
    Ok(text)
}

/// Who asks, and what roles and user mappings this role is shown.
fn names(session: &mut Session) -> Result<String, PgError> {
    let sums = [
        sum_of(
            "pg_roles",
            &by_value(&["oid", "rolname", "rolsuper", "rolinherit", "rolbypassrls"]),
            None,
        ),
        sum_of("pg_user_mappings", &by_value(&["*"]), None),
    ];
    let who: String = session.value(sql(
        "SELECT pg_catalog.format(E'%s %s %s %s\\n', CURRENT_USER, SESSION_USER, \
         pg_catalog.current_database(), pg_catalog.version())",
    ))?;
    Ok(who + &all_of(session, &sums)?)
}

/// The catalogs by the versions of their rows; `None` where one cannot be read.
pub(crate) fn catalogs(session: &mut Session) -> Result<Option<String>, PgError> {
    print_of(session, |catalog| !is_left_out(catalog))
}

/// The catalog of relations alone.
pub(crate) fn relations(session: &mut Session) -> Result<Option<String>, PgError> {
    print_of(session, |catalog| catalog.name == "pg_class")
}

fn print_of(
    session: &mut Session,
    is_counted: impl Fn(&Catalog) -> bool,
) -> Result<Option<String>, PgError> {
    let all = session.each_row(sql(CATALOGS), catalog)?;
    let counted = all.iter().filter(|catalog| is_counted(catalog));
    let Some(sums) = counted.map(sum).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    let newest: i64 = session.value(sql(
        "SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())",
    ))?;
    let epoch = format!("epoch {}\n", newest / HALF_OF_XIDS);
    Ok(Some(epoch + &all_of(session, &sums)?))
}

fn catalog(row: &PgRow) -> Result<Catalog, PgError> {
    Ok(Catalog {
        name: field(row, "name")?,
        readable: field(row, "readable")?,
        columns: field(row, "columns")?,
    })
}

fn is_left_out(catalog: &Catalog) -> bool {
    LEFT_OUT.iter().any(|(name, _)| *name == catalog.name)
}

/// The statement that sums a catalog up; `None` where it cannot be read and may not be passed over.
fn sum(catalog: &Catalog) -> Option<String> {
    let name = catalog.name.as_str();
    if catalog.readable {
        let of = |(known, text): &(&'static str, &'static str)| (*known == name).then_some(*text);
        let rows = ROWS.iter().find_map(of);
        return Some(sum_of(name, &by_version(name), rows));
    }
    if !SHOWN_IN_PART.contains(&name) {
        return None;
    }
    let columns: Vec<&str> = catalog.columns.iter().map(String::as_str).collect();
    Some(match columns.as_slice() {
        [] => format!("SELECT {} AS name, 0::int8, ''::text", quote_literal(name)),
        some => sum_of(name, &by_value(some), None),
    })
}

/// A hash of the transaction that wrote the row of `t`, and of what may be changed in place.
fn by_version(catalog: &str) -> String {
    let in_place = IN_PLACE.iter().find(|(name, _)| *name == catalog);
    match in_place {
        None => "pg_catalog.hashint8extended(pg_catalog.int8in(pg_catalog.xidout(t.xmin)), 0)"
            .to_owned(),
        Some((_, columns)) => by_value(&[&["xmin"], columns.as_slice()].concat()),
    }
}

/// A hash of columns of `t`, as their output functions print them.
fn by_value(columns: &[&str]) -> String {
    let column = |name: &&str| match *name {
        "*" => "t.*".to_owned(),
        name => format!("t.{}", quote_identifier(name)),
    };
    let columns: Vec<_> = columns.iter().map(column).collect();
    format!(
        "pg_catalog.hashtextextended(pg_catalog.textin(pg_catalog.record_out(ROW({}))) \
         COLLATE pg_catalog.\"C\", 0)",
        columns.join(", ")
    )
}

fn sum_of(catalog: &str, hash: &str, rows: Option<&str>) -> String {
    let only = rows
        .map(|rows| format!(" WHERE {rows}"))
        .unwrap_or_default();
    format!(
        "SELECT {} AS name, pg_catalog.count(*), \
         pg_catalog.format('%s', pg_catalog.sum({hash})) FROM pg_catalog.{} AS t{only}",
        quote_literal(catalog),
        quote_identifier(catalog)
    )
}

/// One line for each catalog.
fn all_of(session: &mut Session, sums: &[String]) -> Result<String, PgError> {
    let all = sums.join("\nUNION ALL ");
    session.value(sql(format!(
        "SELECT pg_catalog.string_agg(pg_catalog.format(E'%s %s %s\\n', s.name, s.rows, s.sum), '' \
         ORDER BY s.name COLLATE pg_catalog.\"C\") FROM ({all}) AS s (name, rows, sum)"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, readable: bool, columns: &[&str]) -> Catalog {
        Catalog {
            name: name.to_owned(),
            readable,
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn a_catalog_nobody_has_heard_of_counts_where_it_can_be_read_and_ends_it_where_not() {
        let found = sum(&of("pg_of_a_later_version", true, &[]));
        assert!(found.is_some_and(|text| text.contains("xidout(t.xmin)")));
        assert_eq!(sum(&of("pg_of_a_later_version", false, &["oid"])), None);
    }

    #[test]
    fn what_a_role_is_shown_of_a_catalog_counts_by_value() {
        let found = sum(&of("pg_subscription", false, &["oid", "subname"]));
        assert!(found.is_some_and(|text| text.contains("ROW(t.\"oid\", t.\"subname\")")));
        assert!(sum(&of("pg_user_mapping", false, &[])).is_some());
    }

    #[test]
    fn an_index_that_becomes_valid_in_place_is_seen() {
        assert!(by_version("pg_index").contains("t.\"xmin\", t.\"indisvalid\""));
    }
}
