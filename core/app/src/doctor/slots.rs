//! Replication slots: the one of this configuration, and those that nobody may miss any more.

use respaldo_contract::messages::{Doctor, size};
use respaldo_detectors::DetectorOptions;
use respaldo_detectors::slots::{self, ServerLimit, Slot, Survey};
use respaldo_domain::source::SourceFacts;
use respaldo_postgres::{PgError, Session};

use super::checks::Checks;
use crate::config::Config;
use crate::wiring;

const NAME: &str = "slot";

/// Examines the slots with names of ours, whichever detector is configured: one that is left
/// behind holds WAL for ever.
pub fn examine(
    config: &Config,
    session: &mut Session,
    facts: &SourceFacts,
    checks: &mut Checks,
) -> Result<(), PgError> {
    let Ok(options) = wiring::detector_options(config) else {
        // The run says what is wrong with them.
        return Ok(());
    };
    let survey = slots::survey(session)?;
    let database = facts.lineage.database_oid;
    let prefix = slots::prefix(&options.slot_owner, database);
    let in_use = config.detector.name == slots::DETECTOR;
    if in_use {
        surroundings(&survey, facts, &options, checks);
        let mut own = survey.slots.iter().filter(|s| s.name.starts_with(&prefix));
        match own.next() {
            Some(slot) => held(slot, &options, checks),
            None => checks.good(NAME, Doctor::SlotAbsent {}),
        }
    }
    for slot in &survey.slots {
        if slot.database != database {
            elsewhere(slot, &options, checks);
        } else if !in_use || !slot.name.starts_with(&prefix) {
            orphan(slot, checks);
        }
    }
    Ok(())
}

/// Whether a slot can be used, and what bounds it when respaldo is not run any more.
fn surroundings(
    survey: &Survey,
    facts: &SourceFacts,
    options: &DetectorOptions,
    checks: &mut Checks,
) {
    if let Some(reason) = survey.obstacle(facts) {
        checks.warning(NAME, Doctor::SlotObstacle { reason: &reason });
    }
    match survey.limit {
        ServerLimit::Bytes(bytes) => {
            let size = size(bytes, checks.lang());
            checks.good(NAME, Doctor::SlotLimited { size: &size });
        }
        ServerLimit::Unlimited => {
            let statement = slots::limit_statement(options.slot_max_bytes);
            checks.warning_with(NAME, Doctor::SlotUnlimited {}, remedy(&statement, checks));
        }
        ServerLimit::Missing => checks.warning(NAME, Doctor::SlotLimitMissing {}),
    }
}

fn held(slot: &Slot, options: &DetectorOptions, checks: &mut Checks) {
    let lang = checks.lang();
    let (retained, limit) = (retained(slot, checks), size(options.slot_max_bytes, lang));
    let (status, name) = (slot.status.as_deref().unwrap_or("-"), &slot.name);
    if slot.is_lost() {
        let seen = Doctor::SlotLost {
            slot: name,
            status: &status,
        };
        checks.warning(NAME, seen);
    } else if slot.retained_bytes.unwrap_or(0) > options.slot_max_bytes {
        let seen = Doctor::SlotTooLarge {
            slot: name,
            retained: &retained,
            limit: &limit,
        };
        checks.warning(NAME, seen);
    } else if slot.active {
        let seen = Doctor::SlotInUse {
            slot: name,
            status: &status,
            retained: &retained,
            limit: &limit,
        };
        checks.good(NAME, seen);
    } else {
        let seen = Doctor::SlotHeld {
            slot: name,
            status: &status,
            retained: &retained,
            limit: &limit,
        };
        checks.good(NAME, seen);
    }
}

fn orphan(slot: &Slot, checks: &mut Checks) {
    let retained = retained(slot, checks);
    let seen = Doctor::SlotOrphan {
        slot: &slot.name,
        retained: &retained,
    };
    let advice = remedy(&slot.drop_statement(), checks);
    checks.warning_with(NAME, seen, advice);
}

/// Of another database of this server: a configuration that is alive keeps its slot within the
/// limit, so only one beyond it, or one of no use, is a problem.
fn elsewhere(slot: &Slot, options: &DetectorOptions, checks: &mut Checks) {
    let left_alone = slot.is_lost() || slot.retained_bytes.unwrap_or(0) > options.slot_max_bytes;
    let retained = retained(slot, checks);
    let seen = Doctor::SlotElsewhere {
        slot: &slot.name,
        database: &slot.database_name,
        retained: &retained,
    };
    if left_alone {
        let advice = remedy(&slot.drop_statement(), checks);
        checks.warning_with(NAME, seen, advice);
    } else {
        checks.good(NAME, seen);
    }
}

fn retained(slot: &Slot, checks: &Checks) -> String {
    size(slot.retained_bytes.unwrap_or(0), checks.lang())
}

fn remedy(statement: &str, checks: &Checks) -> String {
    Doctor::Remedy {
        statement: &statement,
    }
    .text(checks.lang())
}
