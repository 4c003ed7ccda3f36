//! The mixed database through its life: fulls, six days of incrementals, restores, an export.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use respaldo_tests::{Client, Cluster};
use tempfile::TempDir;

use crate::data;
use crate::meter::{Cost, Failed, Meter};
use crate::options::Options;
use crate::results::{Results, Turn};
use crate::rooms::{OURS, OURS_AT_6, OURS_STOCK, USUAL_LEVEL, quiet, server};
use crate::tools::pgbackrest::PgBackRest;
use crate::tools::postgres::{self, DUMPS, Naive};
use crate::tools::respaldo::{Apart, Ours};
use crate::tools::restic::Restic;
use crate::tools::{remove, run as run_tool, stored_bytes};
use crate::workload;

const DB: &str = "mixed";
const COPY: &str = "restored";
const DAYS: u32 = 6;

/// The servers, the repositories, and what was made so far.
struct Stage {
    source: Cluster,
    target: Cluster,
    url: String,
    meter: Meter,
    folder: TempDir,
    ours: Ours,
    at_6: Ours,
    stock: Ours,
    pgbackrest: Result<PgBackRest, Failed>,
}

/// Measures all of it.
pub fn run(options: &Options, results: &mut Results) {
    let stage = Stage::open(options);
    let repositories = stage.fulls(options, results);
    let naive = stage.days(&repositories, results);
    stage.restores(&naive, options, results);
    stage.exports(options, results);
}

impl Stage {
    fn open(options: &Options) -> Self {
        // pgBackRest needs an archive; until there is one, WAL of the data goes nowhere.
        let source = server()
            .conf("archive_mode", "on")
            .conf("archive_command", "true")
            .start();
        let target = server().start();
        let url = source.new_database(DB);
        eprintln!("filling {} MB ...", options.megabytes);
        data::fill_mixed(&url, options.megabytes);
        let folder = tempfile::tempdir().unwrap();
        // The server's user has a folder of its own in it.
        open_to_all(&folder);
        Self {
            meter: Meter::on(&[&source, &target]),
            ours: Ours::new(&source, DB, "parallel", USUAL_LEVEL),
            at_6: Ours::new(&source, DB, "parallel", 6).without_catalog(),
            stock: Ours::new(&source, DB, "pg-dump", USUAL_LEVEL).without_catalog(),
            pgbackrest: PgBackRest::open(&source, folder.path()),
            source,
            target,
            url,
            folder,
        }
    }

    /// Full dumps. Those of the last round stay, for the days to build on, and restic's of all rounds.
    fn fulls(&self, options: &Options, results: &mut Results) -> Vec<Result<Restic, Failed>> {
        let title = format!("Full dump of the mixed database, {}", sizes(&self.url));
        results.section("full", title, Some("around the dump"));
        let repositories = RefCell::new(Vec::new());
        for round in 1..=options.rounds {
            let mut turns: Vec<Turn<'_>> =
                DUMPS.map(|(tool, flags)| self.dumping(tool, flags)).into();
            turns.push(("pgBackRest full", Box::new(|| self.physical("full"))));
            let first = || {
                let restic = Restic::create(&self.path(&format!("restic{round}")));
                let cost = self.chunks(&restic);
                repositories.borrow_mut().push(restic);
                cost
            };
            turns.push(("restic over pg_dump, first", Box::new(first)));
            turns.extend(self.our_fulls(round == options.rounds));
            results.round(round - 1, &turns);
        }
        repositories.into_inner()
    }

    fn dumping<'a>(&'a self, tool: &'static str, flags: &'a [&'a str]) -> Turn<'a> {
        (
            tool,
            Box::new(|| self.dump(flags, &self.path(&file_of(tool)))),
        )
    }

    fn our_fulls(&self, last_round: bool) -> [Turn<'_>; 3] {
        let ways = [
            (OURS, &self.ours, last_round),
            (OURS_AT_6, &self.at_6, false),
            (OURS_STOCK, &self.stock, last_round),
        ];
        ways.map(|(tool, ours, stays)| -> Turn<'_> {
            let turn = move || {
                quiet(&self.source);
                let cost = ours.backup(&self.meter, "full", Apart::Dump)?;
                if !stays {
                    ours.forget_newest();
                }
                Ok(cost)
            };
            (tool, Box::new(turn))
        })
    }

    /// Six days, each with an incremental of every kind. The days take turns among restic's repositories, each
    /// brought up to the day before: how much of a day one stores depends by a sixth on where it happens to cut.
    fn days(&self, repositories: &[Result<Restic, Failed>], results: &mut Results) -> Naive {
        let title = format!(
            "One day: 2 % of the rows of {} of 40 tables changed",
            data::changing().count()
        );
        results.section("day", title, Some("beyond detection"));
        let mut naive = Naive {
            tables: data::changing().collect(),
            full: self.path(&file_of(DUMPS[0].0)),
            days: Vec::new(),
        };
        for day in 1..=DAYS {
            let restic = &repositories[day as usize % repositories.len()];
            // It was looked at on no day since its last turn. Where it fails, so does what is measured.
            drop(self.chunks(restic));
            workload::day(&self.url, day);
            naive.days.push(self.path(&format!("day{day}")));
            let changed = || {
                quiet(&self.source);
                naive.day(&self.meter, &self.source, &self.url)
            };
            let inc = |ours: &Ours| {
                quiet(&self.source);
                ours.backup(&self.meter, "inc", Apart::Detection)
            };
            let turns: [Turn<'_>; 5] = [
                ("pg_dump -Fc of the changed tables", Box::new(changed)),
                ("pgBackRest incr", Box::new(|| self.physical("incr"))),
                (
                    "restic over pg_dump, again",
                    Box::new(|| self.chunks(restic)),
                ),
                (OURS, Box::new(|| inc(&self.ours))),
                (OURS_STOCK, Box::new(|| inc(&self.stock))),
            ];
            results.round(day as usize, &turns);
        }
        naive
    }

    /// The last day restored, on another server.
    fn restores(&self, naive: &Naive, options: &Options, results: &mut Results) {
        let fresh = self.path("fresh");
        let title = format!("Restore of the mixed database as on day {DAYS}");
        results.section("restore", title, Some("without comparing"));
        if let Err(failed) = self.dump(&["-Fc"], &fresh) {
            results.record("pg_restore -j2 of a fresh full", Err(failed));
            return;
        }
        let expected = content(&self.url);
        let stock = |jobs| {
            self.restored(&expected, |meter, server| {
                postgres::restore(meter, server, COPY, jobs, &fresh)
            })
        };
        let replay = || self.restored(&expected, |meter, server| naive.replay(meter, server, COPY));
        let ours = || {
            self.restored(&expected, |meter, server| {
                self.ours.restore(meter, &server.url("postgres"), COPY)
            })
        };
        let turns: [Turn<'_>; 4] = [
            ("pg_restore of a fresh full", Box::new(|| stock(1))),
            ("pg_restore -j2 of a fresh full", Box::new(|| stock(2))),
            ("naive replay of FULL + 6", Box::new(replay)),
            (OURS, Box::new(ours)),
        ];
        (0..options.rounds).for_each(|round| results.round(round, &turns));
    }

    /// Does a restore, looks whether the right rows came, and drops what was made.
    fn restored(
        &self,
        expected: &[String],
        restore: impl FnOnce(&Meter, &Cluster) -> Result<Cost, Failed>,
    ) -> Result<Cost, Failed> {
        quiet(&self.target);
        let cost = restore(&self.meter, &self.target);
        let same = cost.is_err() || content(&self.target.url(COPY)) == expected;
        self.target.drop_database(COPY);
        match same {
            true => cost,
            false => Err(Failed("it restored other rows".to_owned())),
        }
    }

    /// One archive of the last day, out of the chain.
    fn exports(&self, options: &Options, results: &mut Results) {
        let title = format!("One archive of day {DAYS} out of FULL + {DAYS}");
        results.section("export", title, None);
        let (exported, copied) = (self.path("exported"), self.path("copied"));
        for _ in 0..options.rounds {
            remove(&exported);
            quiet(&self.source);
            results.record(OURS, self.ours.export(&self.meter, &exported));
            remove(&copied);
            quiet(&self.source);
            let copy = self
                .meter
                .measure(|| run_tool(std::process::Command::new("cp").arg(&exported).arg(&copied)));
            let cost = copy.map(|(cost, _)| cost.storing(stored_bytes(&copied)));
            results.record("cp of the same bytes", cost);
        }
    }

    fn dump(&self, flags: &[&str], to: &Path) -> Result<Cost, Failed> {
        quiet(&self.source);
        postgres::dump(&self.meter, &self.source, &self.url, flags, to)
    }

    fn physical(&self, kind: &str) -> Result<Cost, Failed> {
        quiet(&self.source);
        let stanza = self.pgbackrest.as_ref().map_err(Clone::clone)?;
        stanza.backup(&self.meter, kind)
    }

    fn chunks(&self, restic: &Result<Restic, Failed>) -> Result<Cost, Failed> {
        quiet(&self.source);
        let restic = restic.as_ref().map_err(Clone::clone)?;
        restic.backup(&self.meter, &self.source, &self.url)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Name of the file that a tool writes.
fn file_of(tool: &str) -> String {
    tool.replace(' ', "")
}

/// How large a database is, with and without what a dump does not read.
fn sizes(url: &str) -> String {
    let query = "SELECT format('%s of heap, %s with indexes',
                    pg_size_pretty(sum(pg_table_size(oid))), pg_size_pretty(sum(pg_total_relation_size(oid))))
                 FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    Client::connect(url).one(query)
}

/// Per table its name, the number of its rows and a sum over them.
fn content(url: &str) -> Vec<String> {
    let mut client = Client::connect(url);
    let names = client.column("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1");
    let sums = names.iter().map(|name| {
        client.one(&format!(
            "SELECT concat_ws(' ', '{name}', count(*), sum(hashtext(t::text)::bigint)) FROM {name} t"
        ))
    });
    sums.collect()
}

fn open_to_all(folder: &TempDir) {
    use std::os::unix::fs::PermissionsExt;
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), all).unwrap();
}
