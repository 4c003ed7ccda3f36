//! One large file into a server that speaks S3, by our sink and by the clients that people use.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault};
use respaldo_engine::store::{Payload, Store, StoreSink};
use respaldo_tests::stores::seaweedfs::{KEY, SECRET, SeaweedFs};
use serde_json::json;

use crate::data::random::Random;
use crate::meter::{Cost, Failed, Meter};
use crate::options::Options;
use crate::proc::own_cpu;
use crate::results::{Results, Turn};
use crate::rooms::OURS;
use crate::tools::s3_clients;

/// Amazon's own client.
pub const AWS: &str = "aws s3 cp";
/// The client of everything.
pub const RCLONE: &str = "rclone copyto";

const MEGABYTES: u64 = 1000;

/// Measures uploads of a file that cannot be compressed, each into a server of its own.
pub fn run(options: &Options, results: &mut Results) {
    let megabytes = options.scaled(MEGABYTES);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fill(&file, megabytes);
    let meter = Meter::on(&[]);
    let title = format!("Upload of {megabytes} MB to SeaweedFS on the same machine");
    results.section("upload", title, None);
    for round in 0..options.rounds {
        let (meter, file) = (&meter, &file);
        let turns: [Turn<'_>; 3] = [
            (OURS, Box::new(move || ours(meter, file))),
            (
                AWS,
                Box::new(move || by(meter, |port| s3_clients::aws(file, port))),
            ),
            (
                RCLONE,
                Box::new(move || by(meter, |port| s3_clients::rclone(file, port))),
            ),
        ];
        results.round(round, &turns);
    }
}

fn fill(path: &Path, megabytes: u64) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut random = Random::new(1);
    for _ in 0..megabytes * 1_000_000 / 8 {
        file.write_all(&random.next().to_le_bytes()).unwrap();
    }
    file.flush().unwrap();
}

/// As a backup stores its archive: hashed on the way, and its hash is asked for afterwards.
fn ours(meter: &Meter, file: &Path) -> Result<Cost, Failed> {
    let before = own_cpu();
    let cost = by(meter, |port| {
        let options = json!({
            "bucket": "backups",
            "endpoint": format!("http://127.0.0.1:{port}"),
            "access_key_id": KEY,
            "secret_access_key": SECRET,
        });
        let sink = respaldo_sinks::by_name("s3", "cloud", options);
        let sink = sink.map_err(|error| Failed(error.to_string()))?;
        let store = Store::new(vec![StoreSink {
            sink,
            required: true,
        }]);
        put(&store, file).map_err(|fault| Failed(fault.to_string()))
    })?;
    // The work is done in this process, beside a little of the meter's.
    let client_s = own_cpu() - before;
    Ok(Cost { client_s, ..cost })
}

fn put(store: &Store, file: &Path) -> Result<(), Fault> {
    let cx = Context::quiet();
    let key = ObjectKey::parse("full/file").map_err(|error| {
        Fault::new(
            respaldo_engine::ports::FaultKind::Internal,
            "name a file",
            error,
        )
    })?;
    let payload = Payload::file(file)?;
    store.put_everywhere(&key, &payload, &cx)?;
    payload.sha256(&cx).map(drop)
}

/// An upload into a server that has nothing else to do.
fn by(meter: &Meter, upload: impl FnOnce(u16) -> Result<(), Failed>) -> Result<Cost, Failed> {
    let server = SeaweedFs::start();
    let (cost, ()) = meter.measure(|| upload(server.port()))?;
    Ok(cost)
}
