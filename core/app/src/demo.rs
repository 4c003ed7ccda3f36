//! The rehearsal: a server of its own, a small business, three backups with changes between them,
//! an accident, three restores, and the proof that each equals what the database held then.

mod account;
mod binaries;
mod image;
mod sample;
mod server;

use std::time::Instant;

use respaldo_contract::messages::{Demo, ErrorCode, Lang, Spoken, duration, size};
use respaldo_domain::backup::{BackupKind, Trigger};
use respaldo_domain::report::BackupReport;
use respaldo_domain::validation::ValidationLevel;
use respaldo_engine::backup::BackupRequest;
use respaldo_engine::operations::{Operations, Selector};
use respaldo_engine::ports::Context;
use respaldo_engine::restore::{RestoreRequest, RestoreTarget};
use respaldo_engine::validate::ValidateRequest;
use respaldo_postgres::{ConnInfo, Session, Tools, sql};
use secrecy::SecretString;

use crate::config::{Config, Environment, Layer, Sources};
use crate::failure::Failure;
use crate::messages::demo as words;
use crate::wiring;
use image::Image;
use server::Server;

const DATABASE: &str = "comercio";

/// What the rehearsal came to.
pub struct Rehearsal {
    /// Each restore that was compared.
    pub proofs: Vec<Proof>,
    /// Seconds.
    pub seconds: f64,
}

/// A restore compared with what the database held.
pub struct Proof {
    /// The backup.
    pub archive: String,
    /// Its kind.
    pub kind: BackupKind,
    /// The database restored into.
    pub database: String,
    /// Tables compared.
    pub tables: usize,
    /// Rows compared.
    pub rows: u64,
    /// What differs; empty: nothing.
    pub differences: Vec<String>,
}

/// Tells the story as it goes.
pub struct Narrator<'n> {
    /// Language.
    pub lang: Lang,
    /// Says a line.
    pub say: &'n dyn Fn(&str),
}

impl Narrator<'_> {
    fn tell(&self, line: Demo<'_>) {
        (self.say)(&line.text(self.lang));
    }
}

/// A backup and what the database held when it was made.
struct Point {
    report: BackupReport,
    image: Image,
}

/// What becomes of server and backups when the story is over: otherwise they go.
#[derive(Default)]
pub struct Afterwards<'a> {
    /// They stay.
    pub keep: bool,
    /// Looks at them, before they go, with a configuration that finds them.
    pub look: Option<&'a dyn Fn(Sources) -> Result<(), Failure>>,
}

/// Rehearses everything.
pub fn rehearse(
    narrator: &Narrator<'_>,
    afterwards: &Afterwards<'_>,
    cx: &Context,
) -> Result<Rehearsal, Failure> {
    play(narrator, afterwards, &|_| {}, cx)
}

/// Who plays which part.
type Cast<'c> = &'c dyn Fn(&mut Config);

/// The same with other strategies: `cast` changes the configuration. Nothing stays.
pub fn rehearse_with(
    narrator: &Narrator<'_>,
    cast: Cast<'_>,
    cx: &Context,
) -> Result<Rehearsal, Failure> {
    play(narrator, &Afterwards::default(), cast, cx)
}

fn play(
    narrator: &Narrator<'_>,
    afterwards: &Afterwards<'_>,
    cast: Cast<'_>,
    cx: &Context,
) -> Result<Rehearsal, Failure> {
    let started = Instant::now();
    narrator.tell(Demo::Welcome {});
    let server = open(narrator)?;
    let mut business = move_in(narrator, &server, cx)?;
    let operations = operations(&server, cast)?;
    let scene = Scene {
        narrator,
        server: &server,
        operations: &operations,
        cx,
    };

    let full = scene.backup(BackupKind::Full)?;
    scene.change(
        &mut business,
        sample::FIRST_CHANGES,
        Demo::FirstChanges {
            changes: &words::first_changes(narrator.lang),
        },
    )?;
    let differential = scene.backup(BackupKind::Differential)?;
    scene.change(
        &mut business,
        sample::MORE_CHANGES,
        Demo::MoreChanges {
            changes: &words::more_changes(narrator.lang),
        },
    )?;
    let incremental = scene.backup(BackupKind::Incremental)?;
    scene.validate()?;
    scene.accident(&mut business)?;
    drop(business);
    let points = [full, differential, incremental];
    let proofs = points
        .iter()
        .map(|point| scene.restore(point))
        .collect::<Result<_, _>>()?;
    if afterwards.keep {
        scene.stock_tools(&points[2], scene.operations.parts().tools.get()?);
    }
    let seconds = started.elapsed().as_secs_f64();
    narrator.tell(Demo::Finished {
        time: &duration(seconds, narrator.lang),
    });
    close(narrator, server, afterwards)?;
    Ok(Rehearsal { proofs, seconds })
}

/// Looks at everything where that is asked for; what stays is told of before, as nobody knows how looking ends.
fn close(
    narrator: &Narrator<'_>,
    server: Server,
    afterwards: &Afterwards<'_>,
) -> Result<(), Failure> {
    let Some(look) = afterwards.look else {
        end(narrator, server, afterwards.keep)?;
        narrator.tell(Demo::PanelOffered {});
        return Ok(());
    };
    let found = sources(&server)?;
    narrator.tell(Demo::PanelOpens {});
    if afterwards.keep {
        end(narrator, server, true)?;
        return look(found);
    }
    look(found)?;
    end(narrator, server, false)
}

/// A configuration of its own that finds server and backups: nothing of the person's is read.
fn sources(server: &Server) -> Result<Sources, Failure> {
    use secrecy::ExposeSecret;
    let port = server::free_port().map_err(|error| Failure::of(ErrorCode::Internal, &error))?;
    let url = url(&server.database(DATABASE));
    let below = |name: &str| server.folder().join(name).to_string_lossy().into_owned();
    let environment = Environment::of(
        server.folder(),
        &[
            ("DATABASE_URL", url.expose_secret()),
            ("PG_BIN_PATH", &server.bin_dir().to_string_lossy()),
            ("RESPALDO_REPOSITORY__DIR", &repository(server)),
            ("RESPALDO_LEGACY__DIR", &below("backups")),
            ("RESPALDO_SCHEDULE__CATCH_UP", "false"),
            ("RESPALDO_PANEL__LISTEN", &format!("127.0.0.1:{port}")),
        ],
    );
    Ok(Sources::of(environment))
}

fn open(narrator: &Narrator<'_>) -> Result<Server, Failure> {
    let binaries = binaries::find()?;
    narrator.tell(Demo::StartingServer {
        version: &binaries.version,
    });
    let server = Server::start(binaries)?;
    narrator.tell(Demo::ServerReady {
        port: &server.port(),
    });
    Ok(server)
}

fn move_in(narrator: &Narrator<'_>, server: &Server, cx: &Context) -> Result<Session, Failure> {
    let mut business = server.create_database(DATABASE)?;
    business.batch(sample::SAMPLE)?;
    interruptible(cx)?;
    let tables = "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = 'shop'";
    let tables: i64 = business.value(sql(tables))?;
    let rows = "SELECT (SELECT count(*) FROM shop.customer) + (SELECT count(*) FROM shop.product) \
        + (SELECT count(*) FROM shop.orders) + (SELECT count(*) FROM shop.order_line)";
    let rows: i64 = business.value(sql(rows))?;
    narrator.tell(Demo::LoadingSample {
        tables: &tables,
        rows: &rows,
    });
    Ok(business)
}

/// The engine with a configuration of its own: nothing of the person's is read.
fn operations(server: &Server, cast: Cast<'_>) -> Result<Operations, Failure> {
    let source = server.database(DATABASE);
    let environment = Environment::of(server.folder(), &[]);
    let set = vec![
        Layer::set_secret("database.url", url(&source)),
        Layer::set(
            "database.pg_bin_path",
            server.bin_dir().to_string_lossy().into_owned(),
        ),
        Layer::set("repository.dir", repository(server)),
    ];
    let mut config = Config::load(&Sources::of(environment), set)?;
    cast(&mut config);
    wiring::operations(&config, None)
}

fn repository(server: &Server) -> String {
    server
        .folder()
        .join("repository")
        .to_string_lossy()
        .into_owned()
}

/// The password of the throwaway server is letters and digits: nothing to escape.
fn url(info: &ConnInfo) -> SecretString {
    use secrecy::ExposeSecret;
    let password = info
        .password()
        .map(ExposeSecret::expose_secret)
        .unwrap_or_default();
    let (user, host, port, database) = (info.user(), info.host(), info.port(), info.database());
    format!("postgresql://{user}:{password}@{host}:{port}/{database}").into()
}

/// What every part of the story needs.
struct Scene<'s> {
    narrator: &'s Narrator<'s>,
    server: &'s Server,
    operations: &'s Operations,
    cx: &'s Context,
}

impl Scene<'_> {
    fn backup(&self, kind: BackupKind) -> Result<Point, Failure> {
        self.narrator.tell(match kind {
            BackupKind::Full => Demo::Full {},
            BackupKind::Differential => Demo::Differential {},
            BackupKind::Incremental => Demo::Incremental {},
        });
        let request = BackupRequest {
            kind,
            label: None,
            trigger: Trigger::Operator,
            allow_partial: false,
            due: None,
        };
        let report = self.operations.backup(&request, self.cx)?;
        self.show(&report);
        let tools = self.operations.parts().tools.get()?;
        let image = Image::take(&self.server.database(DATABASE), tools)?;
        Ok(Point { report, image })
    }

    fn show(&self, report: &BackupReport) {
        let (lang, manifest) = (self.narrator.lang, &report.manifest);
        self.narrator.tell(Demo::Dumped {
            dumped: &manifest.dumped().count(),
            total: &manifest
                .tables
                .iter()
                .filter(|table| table.data.is_some())
                .count(),
            size: &size(manifest.stored_bytes(), lang),
        });
        if manifest.kind != BackupKind::Full {
            for table in manifest.dumped() {
                let reason = table.reason.spoken(lang);
                (self.narrator.say)(&format!(
                    "    {}",
                    Demo::WhyDumped {
                        table: &table.name,
                        reason: &reason
                    }
                    .text(lang)
                ));
            }
        }
    }

    fn change(
        &self,
        business: &mut Session,
        statements: &str,
        words: Demo<'_>,
    ) -> Result<(), Failure> {
        self.narrator.tell(words);
        // One by one: a new enum label may not be used in the transaction that adds it.
        for statement in statements
            .split(";\n")
            .filter(|text| !text.trim().is_empty())
        {
            business.batch(statement)?;
        }
        interruptible(self.cx)
    }

    fn validate(&self) -> Result<(), Failure> {
        self.narrator.tell(Demo::Validating {});
        let request = ValidateRequest {
            selectors: None,
            level: ValidationLevel::Chain,
            scratch_server: None,
        };
        let validations = self.operations.validate(&request, self.cx)?;
        match validations
            .iter()
            .flat_map(|validation| &validation.findings)
            .next()
        {
            None => Ok(()),
            Some(finding) => {
                let cause = format!("{}: {}", finding.subject, finding.detail);
                Err(Failure::new(ErrorCode::ObjectCorrupt, cause))
            }
        }
    }

    fn accident(&self, business: &mut Session) -> Result<(), Failure> {
        business.batch(sample::ACCIDENT)?;
        self.narrator.tell(Demo::Accident {
            table: &sample::VICTIM,
        });
        Ok(())
    }

    /// Restores a point into a database of its own and compares.
    fn restore(&self, point: &Point) -> Result<Proof, Failure> {
        let manifest = &point.report.manifest;
        let database = format!("{DATABASE}_{}", manifest.kind.prefix());
        (self.narrator.say)(&words::restoring(
            manifest.kind,
            &database,
            self.narrator.lang,
        ));
        let target = RestoreTarget::new_database(&database);
        let request = RestoreRequest::new(Selector::Name(manifest.archive.clone()), target);
        self.operations.restore(&request, self.cx)?;
        let tools = self.operations.parts().tools.get()?;
        let image = Image::take(&self.server.database(&database), tools)?;
        let differences = point.image.differences(&image);
        let (tables, rows) = (image.tables(), image.row_count());
        match differences.first() {
            None => self.narrator.tell(Demo::Equal {
                tables: &tables,
                rows: &rows,
            }),
            Some(table) => self.narrator.tell(Demo::Different { table }),
        }
        let (archive, kind) = (manifest.archive.to_string(), manifest.kind);
        Ok(Proof {
            archive,
            kind,
            database,
            tables,
            rows,
            differences,
        })
    }

    fn stock_tools(&self, point: &Point, tools: &Tools) {
        let tool = tools.pg_restore.path().display();
        let command = format!("{tool} --list {}", point.report.location);
        self.narrator.tell(Demo::StockTools { command: &command });
    }
}

fn interruptible(cx: &Context) -> Result<(), Failure> {
    cx.check()
        .map_err(|fault| Failure::of(ErrorCode::Interrupted, &fault))
}

fn end(narrator: &Narrator<'_>, server: Server, keep: bool) -> Result<(), Failure> {
    if !keep {
        drop(server);
        narrator.tell(Demo::Removed {});
        return Ok(());
    }
    let folder = server.folder().to_owned();
    let url = server.database(DATABASE).display_url();
    let file = server.keep().map_err(|error| {
        Failure::new(
            ErrorCode::Internal,
            format!("{}: {error}", folder.display()),
        )
    })?;
    narrator.tell(Demo::Kept {
        folder: &folder.display(),
        url: &url,
    });
    (narrator.say)(&format!("    PGPASSFILE={} psql {url}", file.display()));
    Ok(())
}
