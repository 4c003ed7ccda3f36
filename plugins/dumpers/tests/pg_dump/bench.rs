//! A database, a dump of it, and what is in the archive.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use respaldo_domain::fingerprint::RowFingerprint;
use respaldo_domain::table::{TableFacts, TableName, quote_identifier};
use respaldo_dumpers::DumperOptions;
use respaldo_engine::ports::{Context, DumpReceipt, DumpRequest, DumpTable, Fault, SourceTarget};
use respaldo_postgres::{ConnInfo, PgError, Session, SessionOptions, Snapshot, Tools, server};
use respaldo_tests::Cluster;
use tempfile::TempDir;

/// A cluster with one database of `dueno`, and a folder for archives.
pub struct Bench {
    pub cluster: Cluster,
    pub info: ConnInfo,
    folder: TempDir,
}

/// What a dump made.
pub struct Dumped {
    pub receipt: DumpReceipt,
    pub path: PathBuf,
}

impl Bench {
    pub fn new(script: &str) -> Self {
        let cluster = Cluster::start();
        let info = ConnInfo::parse(&cluster.owned_database("origen", "dueno")).unwrap();
        cluster.psql_as("dueno", "origen", script);
        Self {
            cluster,
            info,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn tools(&self) -> Tools {
        Tools::find(Some(self.cluster.bin_dir()), self.cluster.major() * 10_000).unwrap()
    }

    pub fn session(&self) -> Session {
        Session::connect(&self.info, &SessionOptions::default()).unwrap()
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot::open(&self.info, &SessionOptions::default()).unwrap()
    }

    /// Everything but large objects of the tables that `wanted` names.
    pub fn request(
        &self,
        snapshot: &mut Snapshot,
        wanted: impl Fn(&TableFacts) -> bool,
    ) -> DumpRequest {
        let facts = server::source_facts(&mut self.session()).unwrap();
        let tables = snapshot.tables().unwrap();
        let in_scope = |table: &&Arc<TableFacts>| table.has_data() && wanted(table);
        let scope = tables.iter().filter(in_scope);
        DumpRequest {
            target: SourceTarget {
                conninfo: self.info.clone(),
                facts,
            },
            snapshot: snapshot.id().to_owned(),
            tables: scope
                .map(|t| DumpTable {
                    oid: t.oid,
                    name: t.name.clone(),
                })
                .collect(),
            definition_only: Vec::new(),
            leave_out: Vec::new(),
            large_objects: false,
            exclude_schemas: Vec::new(),
            lock_timeout_ms: 2000,
            contents: None,
        }
    }

    pub fn dump(&self, request: &DumpRequest, options: &DumperOptions) -> Result<Dumped, Fault> {
        self.dump_watched(request, options, &Context::quiet())
    }

    pub fn dump_watched(
        &self,
        request: &DumpRequest,
        options: &DumperOptions,
        cx: &Context,
    ) -> Result<Dumped, Fault> {
        let path = self.folder.path().join("archive");
        let mut file = File::create(&path).unwrap();
        let dumper =
            respaldo_dumpers::with_options("pg-dump", &self.tools().into(), options).unwrap();
        let receipt = dumper.dump(request, &mut file, cx)?;
        Ok(Dumped { receipt, path })
    }

    pub fn stock(&self, tool: &str, arguments: &[&str]) -> String {
        let mut command: Command = self.cluster.tool(tool);
        let out = command.args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{tool} {arguments:?}: {said}");
        String::from_utf8(out.stdout).unwrap()
    }

    /// Restores with stock pg_restore, two jobs, into a database of that name.
    pub fn restore(&self, dumped: &Dumped, name: &str) -> ConnInfo {
        self.cluster.new_database(name);
        let url = self.cluster.url(name);
        self.stock(
            "pg_restore",
            &[
                "-j2",
                "--exit-on-error",
                "-d",
                &url,
                dumped.path.to_str().unwrap(),
            ],
        );
        self.info.with_database(name)
    }

    /// Lines of the archive's listing that hold `word`.
    pub fn listed(&self, dumped: &Dumped, word: &str) -> Vec<String> {
        let listing = self.stock("pg_restore", &["-l", dumped.path.to_str().unwrap()]);
        let found = listing
            .lines()
            .filter(|line| !line.starts_with(';') && line.contains(word));
        found.map(str::to_owned).collect()
    }
}

/// The fingerprint that the server's own COPY gives.
pub fn fingerprint(info: &ConnInfo, table: &TableName, columns: &[String]) -> RowFingerprint {
    let (schema, name) = (
        quote_identifier(&table.schema),
        quote_identifier(&table.name),
    );
    let columns: Vec<String> = columns
        .iter()
        .map(|column| quote_identifier(column))
        .collect();
    let columns = match columns.as_slice() {
        [] => String::new(),
        some => format!("({})", some.join(", ")),
    };
    let mut session = Session::connect(info, &SessionOptions::default()).unwrap();
    let mut text = Vec::new();
    let copy = format!("COPY {schema}.{name} {columns} TO STDOUT");
    session
        .copy_out::<PgError>(&copy, |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })
        .unwrap();
    let mut print = RowFingerprint::default();
    text.split_inclusive(|&b| b == b'\n')
        .for_each(|line| print.add(&line[..line.len() - 1]));
    print
}
