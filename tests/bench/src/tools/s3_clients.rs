//! Clients of S3 as they come, with nothing of this machine's configuration.

use std::path::{Path, PathBuf};
use std::process::Command;

use respaldo_tests::stores::seaweedfs::{KEY, SECRET};

use crate::meter::Failed;
use crate::tools::{first_line, run};

/// `aws s3 cp`.
pub fn aws(file: &Path, port: u16) -> Result<(), Failed> {
    let mut command = Command::new(program("aws/bin/aws"));
    command
        .args(["s3", "cp", "--only-show-errors"])
        .args(["--endpoint-url", &format!("http://127.0.0.1:{port}")])
        .arg(file)
        .arg("s3://backups/full/file")
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    run(&mut command).map(drop)
}

/// `rclone copyto`.
pub fn rclone(file: &Path, port: u16) -> Result<(), Failed> {
    let mut command = Command::new(program("python/bin/rclone"));
    command
        .arg("copyto")
        .arg(file)
        .arg(":s3:backups/full/file")
        .args(["--config", "/dev/null", "--s3-provider", "SeaweedFS"])
        .args(["--s3-endpoint", &format!("http://127.0.0.1:{port}")])
        .args(["--s3-access-key-id", KEY, "--s3-secret-access-key", SECRET])
        .args(["--s3-region", "us-east-1", "--s3-no-check-bucket"]);
    run(&mut command).map(drop)
}

/// The versions of both, where they are there.
pub fn versions() -> Vec<String> {
    let found = [
        ("aws/bin/aws", "--version"),
        ("python/bin/rclone", "version"),
    ];
    let line = |(path, argument): (&str, &str)| first_line(program(path).to_str()?, argument);
    let short = |line: String| line.split(" Python").next().unwrap_or_default().to_owned();
    found.into_iter().filter_map(line).map(short).collect()
}

/// Where `scripts/bench-tools.sh` and `scripts/stores.sh` put it.
fn program(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("target/stores").join(path)
}
