//! What the panel asks, changes and begins, over the engine: the ports of `core/panel`, with the records of the command line.
//!
//! Whoever looks gets what the catalog tells, in parts and in a few statements; where it does not answer, what storage
//! tells. Works are made as commands are: each from the configuration as it is then.

mod browse;
mod changes;
mod ledger;
mod point;
mod problem;
mod questions;
mod rooms;
mod works;

use std::net::SocketAddr;
use std::sync::Arc;

use respaldo_contract::messages::{Lang, Outcome};
use respaldo_engine::ports::{Context, Interrupt};
use respaldo_panel::ports::{self, Call, Pages, Ports};
use respaldo_panel::{Panel, Settings};

use crate::cli::App;
use crate::config::PanelSettings;
use crate::failure::Failure;
use crate::serve::Roster;
use rooms::Rooms;

/// Jobs at work at once, over all databases.
const PARALLEL_JOBS: usize = 3;

/// The program as the panel knows it.
pub struct Program {
    rooms: Rooms,
}

impl Program {
    /// What is asked of one database: its engine as it was opened a moment ago.
    fn context(call: &Call) -> Context {
        let interrupt = Interrupt::of(call.stop.flag());
        Context::quiet().with_interrupt(interrupt)
    }
}

/// The language of the contract.
fn lang(lang: ports::Lang) -> Lang {
    match lang {
        ports::Lang::En => Lang::En,
        ports::Lang::Es => Lang::Es,
    }
}

/// Begins to listen, where that is configured. `listening` hears of the address, and of that for people.
pub fn start(
    app: &App,
    roster: Roster,
    pages: Arc<dyn Pages>,
    listening: impl FnOnce(SocketAddr, &str) + Send + 'static,
) -> Result<Option<Panel>, Failure> {
    let configured = PanelSettings::load(&app.sources);
    let Some(listen) = configured.listen else {
        return Ok(None);
    };
    let program = Arc::new(Program {
        rooms: Rooms::new(&app.sources, roster),
    });
    let ports = Ports {
        pages,
        questions: program.clone(),
        changes: program.clone(),
        works: program.clone(),
        ledger: program.clone(),
        phrases: program,
    };
    let scheme = if configured.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let base_path = configured.base_path.clone();
    let settings = Settings {
        listen,
        folder: configured.folder(&app.sources)?,
        base_path: configured.base_path,
        tls: configured.tls,
        trusted_proxies: configured.trusted_proxies,
        behind_proxy: configured.behind_proxy,
        session: configured.session,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        lang: match app.lang() {
            Lang::En => ports::Lang::En,
            Lang::Es => ports::Lang::Es,
        },
        parallel_jobs: PARALLEL_JOBS,
    };
    let (output, lang) = (app.output, app.lang());
    let heard = move |address: SocketAddr, token: Option<&str>| {
        let url = format!("{scheme}://{address}{base_path}");
        if let Some(token) = token {
            // Also where nothing else is said, for without it nobody gets in.
            output.notice(
                &Outcome::PanelSetUp {
                    url: &url,
                    token: &token,
                }
                .text(lang),
            );
        }
        listening(address, &url);
    };
    let started = respaldo_panel::start(settings, ports, heard);
    match started {
        Ok(panel) => Ok(Some(panel)),
        Err(error) => {
            tracing::error!(%error, "the panel cannot begin; backups are made all the same");
            Ok(None)
        }
    }
}
