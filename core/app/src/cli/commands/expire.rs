//! `expire`.

use respaldo_contract::labels::Label;
use respaldo_contract::messages::{ExitCode, FateWord, Header, Lang, Spoken};
use respaldo_contract::records::{ExpireRecord, RuledBackup};
use respaldo_engine::expire::Ruled;

use crate::cli::app::App;
use crate::cli::args::ExpireArgs;
use crate::cli::say;
use crate::failure::{Failure, of_catalog};
use crate::output::Table;

/// Applies retention, or shows what it would do.
pub fn run(args: &ExpireArgs, app: &App) -> Result<ExitCode, Failure> {
    let operations = app.operations()?;
    let (lang, cx) = (app.lang(), app.context());
    let record = if args.dry_run {
        let plan = operations
            .expiry_plan(&cx)
            .map_err(|fault| of_catalog(&fault))?;
        ExpireRecord::rehearsed(&ruled(&plan), lang)
    } else {
        let report = operations.expire(&cx)?;
        let failed = report.failed.iter();
        let failed = failed.map(|(name, fault)| format!("{name}: {fault}"));
        ExpireRecord::done(
            &ruled(&report.ruled),
            &report.removed,
            report.freed_bytes,
            failed.collect(),
            lang,
        )
    };
    drop(cx);
    app.output.result(&record, |lang| text(&record, lang));
    Ok(match record.exitoso {
        true => ExitCode::Done,
        false => ExitCode::Look,
    })
}

fn ruled(plan: &[Ruled]) -> Vec<RuledBackup> {
    let backup = |ruled: &Ruled| RuledBackup {
        archive: ruled.header.archive.clone(),
        kind: ruled.header.kind,
        snapshot_at: ruled.header.snapshot_at,
        bytes: ruled.header.stored_bytes(),
        fate: ruled.fate.clone(),
    };
    plan.iter().map(backup).collect()
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
