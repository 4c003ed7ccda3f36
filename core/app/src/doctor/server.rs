//! The server: who it is, what the role may do, its clock.

use chrono::{DateTime, Utc};
use respaldo_contract::messages::{Doctor, Spoken};
use respaldo_domain::source::SourceFacts;
use respaldo_domain::table::quote_identifier;
use respaldo_postgres::{PgError, Session, SessionOptions, Snapshot, coverage, server, sql};

use super::checks::Checks;
use super::{slots, tools};
use crate::config::Config;
use crate::failure::reason_of;

/// A difference of the clocks that mixes up restore points.
const CLOCK_LIMIT_SECONDS: i64 = 5;

/// Examines what a session tells.
pub fn examine(config: &Config, session: &mut Session, checks: &mut Checks) {
    match server::source_facts(session) {
        Ok(facts) => {
            identity(&facts, checks);
            tools::examine(config, facts.server_version_num, checks);
            noting(checks, |checks| rights(config, checks));
            activity(&facts, checks);
            noting(checks, |checks| counters(session, checks));
            noting(checks, |checks| databases(session, &facts, checks));
            noting(checks, |checks| {
                slots::examine(config, session, &facts, checks)
            });
        }
        Err(error) => not_known(checks, &error),
    }
    noting(checks, |checks| clock(session, checks));
}

/// A question that could not be asked is a finding, and the next one is asked.
fn noting(checks: &mut Checks, ask: impl FnOnce(&mut Checks) -> Result<(), PgError>) {
    if let Err(error) = ask(checks) {
        not_known(checks, &error);
    }
}

fn not_known(checks: &mut Checks, error: &PgError) {
    let reason = reason_of(error);
    checks.bad("servidor", Doctor::NotConnected { reason: &reason });
}

fn identity(facts: &SourceFacts, checks: &mut Checks) {
    let server = version_text(facts.server_version_num);
    let (database, role) = (&facts.database, &facts.role);
    checks.good(
        "servidor",
        Doctor::Connected {
            database,
            server: &server,
            role,
        },
    );
    if facts.in_recovery {
        checks.warning("servidor", Doctor::Standby {});
    }
}

/// "15.20" of 150020.
pub fn version_text(version_num: u32) -> String {
    format!("{}.{}", version_num / 10_000, version_num % 10_000)
}

/// Every object the role cannot read exactly, with the statement that mends it.
fn rights(config: &Config, checks: &mut Checks) -> Result<(), PgError> {
    let mut snapshot = Snapshot::open(&config.source, &SessionOptions::default())?;
    let tables = snapshot.tables()?;
    let found = coverage::find_gaps(&mut snapshot, &tables)?;
    if found.is_complete() {
        let tables = tables.iter().filter(|table| table.has_data()).count();
        checks.good("permisos", Doctor::AllReadable { tables: &tables });
    }
    for gap in found.gaps {
        let cause = gap.kind.spoken(checks.lang());
        let seen = Doctor::NotReadable {
            object: &gap.object,
            cause: &cause,
        };
        let remedy = Doctor::Remedy {
            statement: &gap.remedy,
        }
        .text(checks.lang());
        checks.bad_with("permisos", seen, remedy);
    }
    Ok(())
}

fn activity(facts: &SourceFacts, checks: &mut Checks) {
    if facts.reads_all_stats {
        checks.good("actividad", Doctor::SeesActivity {});
    } else {
        let role = quote_identifier(&facts.role);
        checks.warning("actividad", Doctor::BlindToActivity { role: &role });
    }
}

fn counters(session: &mut Session, checks: &mut Checks) -> Result<(), PgError> {
    let on: String = session.value(sql("SELECT pg_catalog.current_setting('track_counts')"))?;
    if on != "on" {
        checks.warning("contadores", Doctor::CountersOff {});
    }
    Ok(())
}

fn databases(
    session: &mut Session,
    facts: &SourceFacts,
    checks: &mut Checks,
) -> Result<(), PgError> {
    let may: bool = session.value(sql(
        "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER",
    ))?;
    if may {
        checks.good("bases", Doctor::MayCreateDatabases {});
    } else {
        let role = quote_identifier(&facts.role);
        checks.warning("bases", Doctor::MayNotCreateDatabases { role: &role });
    }
    Ok(())
}

/// The server's clock against the middle of the question's round trip.
fn clock(session: &mut Session, checks: &mut Checks) -> Result<(), PgError> {
    let before = Utc::now();
    let theirs: DateTime<Utc> = session.value(sql("SELECT pg_catalog.clock_timestamp()"))?;
    let ours = before + (Utc::now() - before) / 2;
    let seconds = (theirs - ours).num_seconds().abs();
    if seconds < CLOCK_LIMIT_SECONDS {
        checks.good("reloj", Doctor::ClockAgrees {});
    } else {
        checks.warning("reloj", Doctor::ClockDiffers { seconds: &seconds });
    }
    Ok(())
}
