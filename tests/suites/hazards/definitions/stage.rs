//! A database that is backed up again and again, each archive held against what pg_dump writes of
//! the same state.

use std::path::{Path, PathBuf};
use std::process::Command;

use respaldo_tests::{Cluster, Respaldo};
use serde_json::Value;

/// Takes definitions over in a database of any size.
pub const ALWAYS: (&str, &str) = ("RESPALDO_DUMPER__TAKE_OVER_FROM", "0");

/// A server with a database `live`, and who backs it up. There is no catalog in it: what a run
/// writes there after its dump would be a difference.
pub struct Stage {
    pub cluster: Cluster,
    pub respaldo: Respaldo,
    url: String,
}

/// A backup, by what matters here.
pub struct Made {
    pub archive: PathBuf,
    pub manifest: Value,
}

impl Made {
    /// Whether its definitions are those of an older backup.
    pub fn took_over(&self) -> bool {
        self.manifest["indice"]["tomado_de"].is_string()
    }
}

impl Stage {
    /// The database of `dueno`, backed up as `role`.
    pub fn new(cluster: Cluster, role: &str, script: &str) -> Self {
        cluster.owned_database("live", "dueno");
        cluster.psql("live", script);
        let url = cluster.url_as(role, "live");
        let respaldo = Respaldo::for_url(&cluster, &url)
            .config(crate::NO_CATALOG)
            .env(ALWAYS.0, ALWAYS.1);
        Self {
            cluster,
            respaldo,
            url,
        }
    }

    /// Makes a backup.
    pub fn backup(&self, kind: &str) -> Made {
        let outcome = self.respaldo.run(&["backup", kind, "--json"]);
        assert!(outcome.is_done(), "{outcome:#?}");
        let archive = PathBuf::from(outcome.json()["archivo"].as_str().unwrap());
        let manifest = std::fs::read(format!("{}.manifest.json", archive.display())).unwrap();
        Made {
            archive,
            manifest: serde_json::from_slice(&manifest).unwrap(),
        }
    }

    /// Panics unless the archive restores the definitions, sequence values and refreshes that
    /// pg_dump, asked by the same role, writes now.
    pub fn assert_is_of_now(&self, made: &Made, when: &str) {
        let stock = self.respaldo.folder().join("stock.dump");
        let mut dump = self.cluster.tool("pg_dump");
        dump.args(["-Fc", "-B", "-d", &self.url, "-f"]).arg(&stock);
        succeed(
            dump.env("PGTZ", "UTC")
                .env("PGOPTIONS", "-c bytea_output=hex"),
        );
        let (mut ours, mut theirs) = (self.script(&made.archive), self.script(&stock));
        if self.cluster.major() >= 17 {
            // Our archives put some tables first there, see core/archive/src/order.rs.
            ours.sort();
            theirs.sort();
        }
        for (n, (our, their)) in ours.iter().zip(&theirs).enumerate() {
            let before = ours[n.saturating_sub(8)..n].join("\n");
            assert_eq!(our, their, "{when}: line {n}, after\n{before}");
        }
        assert_eq!(ours.len(), theirs.len(), "{when}");
    }

    /// What an archive restores, without rows, comments of pg_restore and what is random.
    fn script(&self, archive: &Path) -> Vec<String> {
        let mut command = self.cluster.tool("pg_restore");
        let text = succeed(command.args(["-C", "-f", "-"]).arg(archive));
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut in_rows = false;
        let mut kept = Vec::new();
        for line in text.lines() {
            if in_rows {
                in_rows = line != "\\.";
                continue;
            }
            in_rows = line.starts_with("COPY ") && line.ends_with("FROM stdin;");
            let is_noise = ["--", "\\restrict", "\\unrestrict"];
            let is_noise = is_noise.iter().any(|start| line.starts_with(start));
            if !in_rows && !is_noise && !line.is_empty() {
                kept.push(line.to_owned());
            }
        }
        kept
    }
}

fn succeed(command: &mut Command) -> Vec<u8> {
    let out = command.output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{command:?}: {said}");
    out.stdout
}
