//! The sinks, the repository folder and their room.

use std::path::Path;

use respaldo_contract::messages::{Doctor, size};
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, SinkLimits, StorageSink};
use respaldo_postgres::{Session, SessionOptions, sql};

use super::Look;
use super::checks::Checks;
use crate::config::Config;
use crate::failure::reason_of;
use crate::records;
use crate::wiring;

/// Examines every sink.
pub fn examine(config: &Config, look: Look, checks: &mut Checks, cx: &Context) {
    let needed = size_of_a_full(config);
    match wiring::store(config) {
        Ok(store) => {
            for entry in store.sinks() {
                let answers = sink(&*entry.sink, needed, checks, cx);
                if answers && look == Look::Sinks {
                    promises(config, entry.sink.name(), checks, cx);
                }
            }
        }
        Err(failure) => {
            let reason = failure.causes.join(": ");
            checks.bad(
                "destinos",
                Doctor::SinkFailed {
                    sink: &"?",
                    reason: &reason,
                },
            );
        }
    }
    repository(&config.repository, checks);
}

/// Whether it answers.
fn sink(sink: &dyn StorageSink, needed: Option<u64>, checks: &mut Checks, cx: &Context) -> bool {
    let name = sink.name();
    match sink.probe(cx) {
        Ok(limits) => {
            let address = address_of(sink);
            checks.good(
                "destinos",
                Doctor::SinkSound {
                    sink: &name,
                    address: &address,
                },
            );
            space(&limits, needed, checks);
            true
        }
        Err(fault) => {
            let reason = reason_of(&fault);
            checks.bad(
                "destinos",
                Doctor::SinkFailed {
                    sink: &name,
                    reason: &reason,
                },
            );
            false
        }
    }
}

/// What `sink check` says.
fn promises(config: &Config, sink: &str, checks: &mut Checks, cx: &Context) {
    let checked = match records::check_sink(config, sink, checks.lang(), cx) {
        Ok(checked) => checked,
        Err(failure) => {
            let reason = failure.causes.join(": ");
            let (sink, reason) = (&sink, &reason);
            return checks.bad("destinos", Doctor::SinkFailed { sink, reason });
        }
    };
    let count = checked.comprobaciones.len();
    let broken = checked.comprobaciones.iter().filter(|check| !check.cumple);
    for check in broken {
        let (promise, why) = (&check.promesa, check.detalle.as_deref().unwrap_or("?"));
        checks.bad(
            "destinos",
            Doctor::SinkBreaks {
                sink: &sink,
                promise,
                why: &why,
            },
        );
    }
    if checked.exitoso {
        let (sink, count) = (&sink, &count);
        checks.good("destinos", Doctor::SinkKeeps { sink, count });
    }
}

/// Where objects are: the place of one, without its name.
pub fn address_of(sink: &dyn StorageSink) -> String {
    let key = ObjectKey::parse("full")
        .map(|key| sink.location(&key))
        .unwrap_or_default();
    key.trim_end_matches("full")
        .trim_end_matches('/')
        .to_owned()
}

fn space(limits: &SinkLimits, needed: Option<u64>, checks: &mut Checks) {
    let (Some(free), Some(needed)) = (limits.free_bytes, needed) else {
        return;
    };
    let lang = checks.lang();
    let (free_text, needed_text) = (size(free, lang), size(needed, lang));
    if free > needed {
        checks.good(
            "espacio",
            Doctor::SpaceEnough {
                free: &free_text,
                needed: &needed_text,
            },
        );
    } else {
        checks.warning(
            "espacio",
            Doctor::SpaceShort {
                free: &free_text,
                needed: &needed_text,
            },
        );
    }
}

/// Archives are compressed, so the database's own size is on the safe side.
fn size_of_a_full(config: &Config) -> Option<u64> {
    let mut session = Session::connect(&config.source, &SessionOptions::default()).ok()?;
    let question = "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())";
    let bytes: i64 = session.value(sql(question)).ok()?;
    u64::try_from(bytes).ok()
}

/// Whether the folder can be written, found out without leaving anything.
fn repository(folder: &Path, checks: &mut Checks) {
    let shown = folder.display();
    match nearest_existing(folder).map(may_write) {
        Some(Ok(())) => checks.good("repositorio", Doctor::RepositoryReady { folder: &shown }),
        Some(Err(reason)) => {
            checks.bad(
                "repositorio",
                Doctor::RepositoryDenied {
                    folder: &shown,
                    reason: &reason,
                },
            );
        }
        None => checks.bad(
            "repositorio",
            Doctor::RepositoryDenied {
                folder: &shown,
                reason: &"?",
            },
        ),
    }
}

fn nearest_existing(folder: &Path) -> Option<&Path> {
    let nameless = |path: &Path| path.as_os_str().is_empty();
    folder
        .ancestors()
        .map(|path| if nameless(path) { Path::new(".") } else { path })
        .find(|path| path.exists())
}

fn may_write(folder: &Path) -> std::io::Result<()> {
    let probe = folder.join(format!(
        ".respaldo-doctor-{}",
        uuid::Uuid::new_v4().simple()
    ));
    std::fs::write(&probe, "")?;
    std::fs::remove_file(&probe)
}
