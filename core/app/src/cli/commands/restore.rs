//! `restore`.

use std::io::{BufRead, IsTerminal, Write};

use respaldo_contract::messages::{ErrorCode, ExitCode, Lang};
use respaldo_contract::records::RestoreRecord;
use respaldo_domain::report::RestoreReport;
use respaldo_engine::operations::Selector;
use respaldo_engine::restore::{
    IntoSchema, Placement, RestoreOptions, RestoreRequest, RestoreTarget,
};
use respaldo_postgres::ConnInfo;

use crate::cli::app::App;
use crate::cli::args::RestoreArgs;
use crate::cli::say::{self, Text};
use crate::config::{self, Config};
use crate::failure::Failure;
use crate::messages::confirm;
use crate::wiring;

/// Restores a backup.
pub fn run(args: RestoreArgs, app: &App) -> Result<ExitCode, Failure> {
    let config = app.config()?;
    let target = target(&args, &config, app)?;
    if args.replace && !args.yes {
        confirm_replacing(&target.database, app)?;
    }
    let operations = wiring::operations(&config, target.server.as_ref())?;
    let selector = Selector::from(args.point.clone());
    let request = RestoreRequest {
        selector,
        target,
        options: options(args),
    };
    let cx = app.context();
    let report = operations.restore(&request, &cx)?;
    drop(cx);
    let record = RestoreRecord::of(&report, app.lang());
    app.output
        .result(&record, |lang| text(&report, &record, lang));
    Ok(say::exit_of(&report.warnings))
}

fn target(args: &RestoreArgs, config: &Config, app: &App) -> Result<RestoreTarget, Failure> {
    let url = args.target_url.as_ref().map(|url| url.as_str().into());
    let parse = |url| config::connection_from_url(&url, "--target-url", &app.sources.environment);
    let server: Option<ConnInfo> = url.map(parse).transpose()?;
    let configured = server.as_ref().unwrap_or(&config.source).database();
    let database = args
        .target_db
        .clone()
        .unwrap_or_else(|| configured.to_owned());
    let placement = if args.replace {
        Placement::Replace {
            drop_old: args.drop_old,
        }
    } else {
        Placement::Fresh {
            create: args.create,
        }
    };
    Ok(RestoreTarget {
        server,
        database,
        placement,
    })
}

fn options(args: RestoreArgs) -> RestoreOptions {
    let tables = args.tables;
    RestoreOptions {
        jobs: args.jobs.map(usize::from),
        no_owner: args.no_owner,
        no_privileges: args.no_privileges,
        create_roles: args.create_roles,
        allow_older_tables: args.allow_older_tables,
        into_schema: args.into_schema.map(|schema| IntoSchema { schema, tables }),
    }
}

/// Replacing a database is asked for twice: by the option, and at the terminal or by --yes.
pub fn confirm_replacing(database: &str, app: &App) -> Result<(), Failure> {
    let refused = |cause: String| Err(Failure::new(ErrorCode::ConfirmationNeeded, cause));
    if app.output.json || !std::io::stdin().is_terminal() {
        return refused(format!("--replace {database}"));
    }
    let question = confirm::replace(database, app.lang());
    let mut stderr = std::io::stderr();
    let _ = stderr
        .write_all(question.as_bytes())
        .and_then(|()| stderr.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == database {
        return Ok(());
    }
    refused(format!("{:?}", answer.trim()))
}

fn text(report: &RestoreReport, record: &RestoreRecord, lang: Lang) -> String {
    let mut text = Text::new(&record.mensaje);
    for table in &report.verification.different {
        let (name, expected, found) = (&table.table, table.expected.rows, table.found.rows);
        let excuse = table.excuse.as_deref().unwrap_or_default();
        text.line(format_args!("  {name}: {expected} / {found} {excuse}"));
    }
    text.warnings(&report.warnings, lang);
    text.into_string()
}
