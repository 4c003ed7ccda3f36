//! A dumper that runs the stock pg_dump. Linux.
//!
//! The password goes through a file that only we may read, never through an argument, where every user of the machine
//! would see it. What pg_dump says when it fails becomes the error.
#![forbid(unsafe_code)]

mod connection;
mod run;

use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::process::Command;

use respaldo_sdk::records::{DumpRequest, DumperFacts, Name, Target};
use respaldo_sdk::{Context, Dumper, Error, Plugin, Result, Status, copy};

use connection::Connection;

/// The options are all there is.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PgDump {
    /// Folder of pg_dump; as the server needs it when left out.
    #[serde(default)]
    bin: Option<PathBuf>,
}

impl Plugin for PgDump {
    const ID: &'static str = "example.pgdump";
    const NAME: &'static str = "Stock pg_dump";
    const VERSION: &'static str = "1.0.0";
    type Options = Self;

    fn create(options: Self) -> Result<Self> {
        Ok(options)
    }
}

impl PgDump {
    fn command(&self, target: &Target) -> Command {
        let bin = self.bin.clone().or_else(|| target.pg_bin_path.clone().map(PathBuf::from));
        Command::new(bin.unwrap_or_else(|| PathBuf::from("/usr/bin")).join("pg_dump"))
    }
}

/// A name as an exact pattern of pg_dump.
fn pattern(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn table(name: &Name) -> String {
    format!("{}.{}", pattern(&name.schema), pattern(&name.name))
}

fn arguments(request: &DumpRequest) -> Vec<String> {
    let mut all = vec![
        "--format=custom".to_owned(),
        "--compress=0".to_owned(),
        "--no-password".to_owned(),
        format!("--snapshot={}", request.snapshot),
        format!("--lock-wait-timeout={}", request.lock_timeout_ms),
    ];
    all.push(if request.large_objects { "--blobs" } else { "--no-blobs" }.to_owned());
    let names = |option: &str, names: &[Name]| {
        let words = names.iter().map(|name| format!("--{option}={}", table(name)));
        words.collect::<Vec<_>>()
    };
    all.extend(names("exclude-table-data", &request.definition_only));
    all.extend(names("exclude-table", &request.leave_out));
    let schemas = request.exclude_schemas.iter();
    all.extend(schemas.map(|schema| format!("--exclude-schema={}", pattern(schema))));
    all
}

impl Dumper for PgDump {
    fn probe(&self, target: &Target, _: &dyn Context) -> Result<DumperFacts> {
        let said = run::output(self.command(target).arg("--version"))?;
        // "pg_dump (PostgreSQL) 15.18 (Debian 15.18-1)"
        let version = said.split_whitespace().nth(2).unwrap_or_default();
        if !version.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Error::new(Status::Unsupported, format!("this is no pg_dump: {said}")));
        }
        Ok(DumperFacts {
            pg_dump: version.to_owned(),
        })
    }

    fn dump(&self, request: &DumpRequest, into: &mut dyn Write, cx: &dyn Context) -> Result<()> {
        let connection = Connection::of(&request.target.conninfo)?;
        let mut command = self.command(&request.target);
        command.args(arguments(request));
        connection.apply(&mut command);
        let mut running = run::Running::start(&mut command)?;
        let mut archive = BufReader::with_capacity(1 << 18, running.output()?);
        let copied = copy(&mut archive, into, cx);
        // A dump that is not wanted any more ends when nobody reads it.
        drop(archive);
        running.ended(copied.map(|_| ()))
    }
}

respaldo_sdk::export_plugins!(dumper: PgDump);
