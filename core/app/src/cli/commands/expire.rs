//! `expire`.

use respaldo_contract::labels::Label;
use respaldo_contract::messages::{ExitCode, FateWord, Header, Lang, Spoken};
use respaldo_contract::records::ExpireRecord;

use crate::cli::app::App;
use crate::cli::args::ExpireArgs;
use crate::cli::say;
use crate::failure::{Failure, of_catalog};
use crate::output::Table;
use crate::records;

/// Applies retention, or shows what it would do.
pub fn run(args: &ExpireArgs, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations_on_storage()?;
    let (lang, cx) = (app.lang(), app.context());
    let record = if args.dry_run {
        let plan = operations
            .expiry_plan(&cx)
            .map_err(|fault| of_catalog(&fault))?;
        records::rehearsed(&plan, lang)
    } else {
        records::expired(&operations.expire(&cx)?, lang)
    };
    drop(cx);
    app.output.result(&record, |lang| text(&record, lang));
    Ok(match record.exitoso {
        true => ExitCode::Done,
        false => ExitCode::Look,
    })
}

fn text(record: &ExpireRecord, lang: Lang) -> String {
    let headings = [
        Header::Kind,
        Header::Snapshot,
        Header::Archive,
        Header::Reason,
    ];
    let mut table = Table::new(lang, &headings);
    for kept in &record.conservados {
        let needed = kept.necesario_para.as_ref();
        table.row([
            kept.tipo.label().to_owned(),
            say::time(kept.instantanea),
            kept.archivo.to_string(),
            match needed {
                Some(by) => format!("{}: {by}", kept.motivo.spoken(lang)),
                None => kept.motivo.spoken(lang).to_owned(),
            },
        ]);
    }
    for gone in &record.eliminados {
        table.row([
            gone.tipo.label().to_owned(),
            say::time(gone.instantanea),
            gone.archivo.to_string(),
            format!(
                "{} {}",
                FateWord::Expired.spoken(lang),
                say::time(gone.vencido_desde)
            ),
        ]);
    }
    let pending = record.pendientes.iter().map(|line| format!("\n  {line}"));
    format!("{table}\n{}{}", record.mensaje, pending.collect::<String>())
}
