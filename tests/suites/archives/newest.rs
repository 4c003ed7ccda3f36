//! Exports are restored by the newest PostgreSQL there is, as what stock tools take there is.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use respaldo_tests::{Cluster, DbImage, diff, journey};

use super::chain::{Dumpers, Ground, make};
use super::stock::{self, Way};

/// The newest version that `scripts/versions.sh` fetches.
const NEWEST: u32 = 18;

/// Makes a chain on the version under test and takes every point to the newest.
pub fn check(dumpers: Dumpers) {
    let old = Cluster::start();
    let new = Cluster::builder().version(NEWEST).start();
    let journey = make(&old, Ground::Everything, dumpers);
    bring_roles(&old, &new);
    let respaldo = journey.respaldo();
    let export = respaldo.folder().join("export.dump");
    let stock_dump = respaldo.folder().join("stock.dump");
    for point in journey.points() {
        let path = export.to_str().unwrap();
        respaldo.ok(&["export", "--id", &point.id, "-o", path, "--force"]);
        stock::pg_restore(&old, "postgres", &export, "old copy", Way::File);
        let by_stock = by_stock_tools(&old, &new, &stock_dump);
        old.drop_database("old copy");
        for way in Way::ALL {
            stock::pg_restore(&new, "postgres", &export, "copy", way);
            let copy = journey::image(&new.url("copy"));
            new.drop_database("copy");
            let found = diff(&by_stock, &copy);
            assert!(found.is_empty(), "{} {way:?}: {found:#?}", point.archive());
        }
    }
}

/// Roles are in no archive. Those that every cluster of ours has are there already.
fn bring_roles(old: &Cluster, new: &Cluster) {
    let mut dump = old.tool("pg_dumpall");
    let script = stock::succeed(dump.args(["--roles-only", "-d", &old.url("postgres")]));
    let mut psql = new.tool("psql");
    let mut psql = psql
        .args(["-X", "-q", "-d", &new.url("postgres")])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    psql.stdin.take().unwrap().write_all(&script).unwrap();
    assert!(psql.wait().unwrap().success());
}

/// The old copy, brought to the newest version by stock tools.
fn by_stock_tools(old: &Cluster, new: &Cluster, file: &Path) -> DbImage {
    let mut dump = old.tool("pg_dump");
    dump.args(["-Fc", "-d", &old.url("old copy"), "-f"])
        .arg(file);
    stock::succeed(&mut dump);
    stock::pg_restore(new, "postgres", file, "reference", Way::File);
    let image = journey::image(&new.url("reference"));
    new.drop_database("reference");
    image
}
