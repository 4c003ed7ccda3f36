//! `retention`.

use respaldo_contract::messages::{ExitCode, Header};
use respaldo_domain::retention::PolicyOverrides;

use crate::cli::app::App;
use crate::cli::args::{RetentionArgs, RetentionCommand};
use crate::failure::Failure;
use crate::output::Table;
use crate::records;

/// Shows the policy in force, or stores another first.
pub fn run(command: &RetentionCommand, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations_on_storage()?;
    if let RetentionCommand::Set(args) = command {
        records::change_retention(&operations, &overrides(args))?;
    }
    let record = records::retention(&operations)?;
    app.output.result(&record, |lang| {
        let mut table = Table::new(lang, &[Header::Setting, Header::Value]);
        let rows = [
            ("full_months", record.full_months.to_string()),
            ("dif_weeks", record.dif_weeks.to_string()),
            ("inc_days", record.inc_days.to_string()),
            ("min_chains", record.min_chains.to_string()),
            (
                "purge",
                if record.automatica { "auto" } else { "manual" }.to_owned(),
            ),
        ];
        for (key, value) in rows {
            table.row([key.to_owned(), value]);
        }
        table.to_string()
    });
    Ok(ExitCode::Done)
}

fn overrides(args: &RetentionArgs) -> PolicyOverrides {
    PolicyOverrides {
        full_months: args.full_months,
        dif_weeks: args.dif_weeks,
        inc_days: args.inc_days,
        min_chains: args.min_chains,
    }
}
