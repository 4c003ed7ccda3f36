//! `retention`.

use respaldo_contract::messages::{ErrorCode, ExitCode, Header};
use respaldo_contract::records::RetentionRecord;
use respaldo_contract::settings::retention;
use respaldo_domain::retention::PolicyOverrides;

use crate::cli::app::App;
use crate::cli::args::{RetentionArgs, RetentionCommand};
use crate::failure::{Failure, of_catalog};
use crate::output::Table;

/// Shows the policy in force, or stores another first.
pub fn run(command: &RetentionCommand, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations()?;
    if let RetentionCommand::Set(args) = command {
        let policy = operations
            .stored_retention()
            .map_err(|fault| of_catalog(&fault))?;
        let policy = overrides(args).over(policy);
        retention::check(&policy).map_err(|error| Failure::of(ErrorCode::Usage, &error))?;
        operations
            .set_retention(&policy)
            .map_err(|fault| of_catalog(&fault))?;
    }
    let policy = operations.retention().map_err(|fault| of_catalog(&fault))?;
    let automatic = operations.parts().settings.expire_after_backup;
    let record = RetentionRecord::of(&policy, automatic);
    app.output.result(&record, |lang| {
        let mut table = Table::new(lang, &[Header::Setting, Header::Value]);
        let rows = [
            ("full_months", record.full_months.to_string()),
            ("dif_weeks", record.dif_weeks.to_string()),
            ("inc_days", record.inc_days.to_string()),
            ("min_chains", record.min_chains.to_string()),
            (
                "purge",
                if automatic { "auto" } else { "manual" }.to_owned(),
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
