//! Looks at everything a backup depends on, goes on after each problem, and changes nothing that stays.

mod catalog;
mod checks;
mod encryption;
mod panel;
mod server;
mod slots;
mod storage;
mod tools;

pub use storage::address_of;

use respaldo_contract::messages::{Doctor, Lang};
use respaldo_contract::records::DoctorRecord;
use respaldo_engine::ports::Context;
use respaldo_postgres::{Session, SessionOptions};

use crate::config::Config;
use crate::failure::reason_of;
use checks::Checks;

/// How closely it is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Nothing is written.
    Usual,
    /// Sinks also show that they keep what a sink promises, with objects that are removed again.
    Sinks,
}

/// Examines the surroundings of a configuration.
pub fn examine(config: &Config, look: Look, lang: Lang, cx: &Context) -> DoctorRecord {
    let mut checks = Checks::new(lang);
    configuration(config, &mut checks);
    match Session::connect(&config.source, &SessionOptions::default()) {
        Ok(mut session) => server::examine(config, &mut session, &mut checks),
        Err(error) => {
            let reason = reason_of(&error);
            checks.bad("servidor", Doctor::NotConnected { reason: &reason });
        }
    }
    storage::examine(config, look, &mut checks, cx);
    encryption::examine(config, &mut checks);
    catalog::examine(config, &mut checks);
    panel::examine(config, &mut checks);
    checks.record()
}

/// Every setting that somebody set, and where.
fn configuration(config: &Config, checks: &mut Checks) {
    for shown in config.provenance.all() {
        let (key, value, origin) = (&shown.key, &shown.value, &shown.origin);
        checks.good("configuracion", Doctor::ValueFrom { key, value, origin });
    }
}
