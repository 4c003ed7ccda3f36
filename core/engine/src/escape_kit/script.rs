//! The script of a kit.

use std::fmt::Write;

use respaldo_domain::manifest::Manifest;

use super::archive_path;
use super::plan::{DEFINITIONS, Plan, RENAMED};
use crate::parts::Parts;

/// Its file name.
pub(super) const NAME: &str = "restore.sh";
/// Hashes of all other files.
pub(super) const SUMS: &str = "SHA256SUMS";
/// Statements that make roles.
pub(super) const ROLES: &str = "roles.sql";

const KEY_USAGE: &str = "\
# The files are encrypted: AGE_IDENTITY names the file with the secret key that the program age opens
# them with. They are opened in a folder of TMPDIR that is removed at the end.
#
";
const OPENING: &str = include_str!("opening.sh");
const TEMPLATE: &str = include_str!("restore.sh");

/// The script for one restore point. Every name in it is one of ours: letters, digits, `_./-`.
pub(super) fn script(
    parts: &Parts,
    manifest: &Manifest,
    plan: &Plan,
    has_roles: bool,
    is_encrypted: bool,
) -> String {
    let (usage, opening) = match is_encrypted {
        true => (KEY_USAGE, OPENING),
        false => ("", ""),
    };
    let definitions = archive_path(manifest.definitions_in());
    TEMPLATE
        .replace("@KEY_USAGE@\n", usage)
        .replace("@OPENING@\n", opening)
        .replace("@POINT@", &manifest.snapshot_at.to_rfc3339())
        .replace("@BACKUP@", manifest.archive.as_str())
        .replace("@ROLES@", if has_roles { ROLES } else { "" })
        .replace("@SESSION@", &session(parts))
        .replace("@STRICT@", strictness(manifest))
        .replace("@PUBLIC@", public(manifest))
        .replace("@LIST@", DEFINITIONS)
        .replace("@DEFINITIONS@", &definitions)
        .replace("@LOADS@", loads(plan).trim_end())
        .replace("@REST@", rest(plan))
}

/// Archives of others, and of earlier versions of ours, do not say what must not be made side by
/// side.
fn rest(plan: &Plan) -> &'static str {
    match plan.rest_in_parallel {
        true => "--section=post-data",
        false => "--jobs=1 --section=post-data",
    }
}

fn loads(plan: &Plan) -> String {
    let mut text = String::new();
    for (list, archive) in &plan.loads {
        let _ = writeln!(text, "restore --use-list={list} {archive}");
    }
    if plan.renamed.toc.is_some() {
        let _ = writeln!(text, "restore {RENAMED}");
    }
    text
}

/// The user that policies and triggers of the application ask for.
fn session(parts: &Parts) -> String {
    match parts.settings.maintenance_user_id {
        Some(id) => format!("PGOPTIONS=\"${{PGOPTIONS:-}} -c app.user_id={id}\"; export PGOPTIONS"),
        None => String::new(),
    }
}

/// What a partial backup lacks, its definitions may refer to: then complaints do not end it.
fn strictness(manifest: &Manifest) -> &'static str {
    if manifest.coverage.is_complete() {
        "--exit-on-error"
    } else {
        ""
    }
}

/// A database without schema public had it dropped; every new one has it.
fn public(manifest: &Manifest) -> &'static str {
    if manifest.schemas.iter().any(|schema| schema == "public") {
        "yes"
    } else {
        "no"
    }
}
