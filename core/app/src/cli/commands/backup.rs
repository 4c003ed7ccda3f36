//! `backup`.

use respaldo_contract::messages::{ErrorCode, ExitCode, Header, Lang, Spoken};
use respaldo_contract::records::BackupRecord;
use respaldo_domain::backup::{BackupKind, Trigger};
use respaldo_domain::report::BackupReport;
use respaldo_engine::backup::BackupRequest;
use respaldo_engine::operations::Operations;

use super::legacy;
use crate::cli::app::App;
use crate::cli::args::{BackupArgs, KindArg};
use crate::cli::say::{self, Text};
use crate::failure::{Failure, reason_of};
use crate::output::Table;

/// Makes one backup.
pub fn run(args: BackupArgs, app: &App) -> Result<ExitCode, Failure> {
    if args.from_chain && args.kind.kind() != BackupKind::Full {
        return Err(Failure::new(ErrorCode::Usage, "--from-chain: full, manual"));
    }
    let operations = match args.fallback {
        false if args.from_chain => app.operations_on_storage()?,
        false => app.operations_to_back_up()?,
        true => match ready(app) {
            Ok(operations) => operations,
            Err(why) => return legacy::backup_instead(args.kind.whole(), &why, app),
        },
    };
    let from_chain = args.from_chain;
    let request = request(args);
    let cx = app.context();
    let report = if from_chain {
        operations.consolidate(request.label, request.trigger, &cx)?
    } else {
        operations.backup(&request, &cx)?
    };
    drop(cx);
    let record = BackupRecord::of(&report, app.lang());
    app.output
        .result(&record, |lang| text(&report, &record, lang));
    Ok(say::exit_of(&report.warnings))
}

/// The engine, if it could make a backup; else why not.
fn ready(app: &App) -> Result<Operations, String> {
    let operations = app.operations().map_err(|failure| failure.in_words())?;
    let ready = operations.ready(&app.context());
    ready.map_err(|error| reason_of(&error))?;
    Ok(operations)
}

fn request(args: BackupArgs) -> BackupRequest {
    let manual = (args.kind == KindArg::Manual).then(|| "manual".to_owned());
    BackupRequest {
        kind: args.kind.kind(),
        label: args.label.or(manual),
        trigger: Trigger::Operator,
        allow_partial: args.allow_partial,
        due: None,
    }
}

fn text(report: &BackupReport, record: &BackupRecord, lang: Lang) -> String {
    let mut text = Text::new(&record.mensaje);
    text.field(Header::Archive, &report.location, lang);
    if let Some(table) = dumped(report, lang) {
        text.line(table);
    }
    text.gaps(&report.manifest.coverage, lang);
    text.warnings(&report.warnings, lang);
    text.into_string()
}

/// The tables dumped, with the reason; of a full that is all of them and needs no list.
fn dumped(report: &BackupReport, lang: Lang) -> Option<Table> {
    let manifest = &report.manifest;
    if manifest.base.is_none() || manifest.dumped().next().is_none() {
        return None;
    }
    let headings = [Header::Table, Header::Rows, Header::Size, Header::Reason];
    let mut table = Table::new(lang, &headings);
    for entry in manifest.dumped() {
        let data = entry.data.as_ref();
        table.row([
            entry.name.to_string(),
            say::or_nothing(data.map(|data| data.fingerprint.rows)),
            say::size_of(data.map(|data| data.plain_bytes), lang),
            entry.reason.spoken(lang).to_owned(),
        ]);
    }
    Some(table)
}
