//! `demo`.

use respaldo_contract::labels::Label;
use respaldo_contract::messages::{ErrorCode, ExitCode};
use respaldo_engine::ports::{Context, Quiet};
use serde_json::{Value, json};

use crate::cli::app::App;
use crate::cli::args::DemoArgs;
use crate::config::Sources;
use crate::demo::{self, Afterwards, Narrator, Proof, Rehearsal};
use crate::failure::Failure;
use crate::serve;

/// Rehearses everything and proves it.
pub fn run(args: &DemoArgs, app: &App) -> Result<ExitCode, Failure> {
    let say = |line: &str| {
        if !app.output.json {
            app.output.text(line);
        }
    };
    let narrator = Narrator {
        lang: app.lang(),
        say: &say,
    };
    let cx = Context::new(app.interrupt.clone(), std::sync::Arc::new(Quiet));
    let serve = |sources: Sources| serve::run(&app.with_sources(sources)).map(|_| ());
    let afterwards = Afterwards {
        keep: args.keep,
        look: args.panel.then_some(&serve),
    };
    let rehearsal = demo::rehearse(&narrator, &afterwards, &cx)?;
    let equal = rehearsal
        .proofs
        .iter()
        .all(|proof| proof.differences.is_empty());
    if app.output.json {
        app.output
            .result(&record(&rehearsal, equal), |_| String::new());
    }
    Ok(if equal {
        ExitCode::Done
    } else {
        ErrorCode::RowsDiffer.exit_code()
    })
}

fn record(rehearsal: &Rehearsal, equal: bool) -> Value {
    let proof = |proof: &Proof| {
        json!({
            "archivo": proof.archive,
            "tipo": proof.kind.label(),
            "base_destino": proof.database,
            "tablas": proof.tables,
            "filas": proof.rows,
            "distintas": proof.differences,
        })
    };
    let proofs: Vec<_> = rehearsal.proofs.iter().map(proof).collect();
    json!({ "exitoso": equal, "restauraciones": proofs, "tiempo_segundos": rehearsal.seconds })
}
