//! Puts the pages of `web` into the program: each file as it is and compressed once, with its hash.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

fn main() -> io::Result<()> {
    let from = Path::new("web");
    println!("cargo::rerun-if-changed=web");
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut files = BTreeMap::new();
    gather(from, "", &mut files)?;
    let mut table = String::from("&[\n");
    for (at, (name, path)) in files.iter().enumerate() {
        println!("cargo::rerun-if-changed={}", path.display());
        let plain = fs::read(path)?;
        let packed = packed(&plain)?;
        let (raw, gz) = (out.join(format!("{at}.raw")), out.join(format!("{at}.gz")));
        fs::write(&raw, &plain)?;
        fs::write(&gz, &packed)?;
        let mut hash = String::new();
        for byte in Sha256::digest(&plain).iter().take(16) {
            let _ = write!(hash, "{byte:02x}");
        }
        let _ = writeln!(
            table,
            "    File {{ name: {name:?}, hash: {hash:?}, plain: include_bytes!({:?}), packed: include_bytes!({:?}) }},",
            raw.display().to_string(),
            gz.display().to_string()
        );
    }
    table.push_str("]\n");
    fs::write(out.join("files.rs"), table)
}

fn packed(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}

/// Every file below a folder by its name in addresses; what begins with a dot is none of the pages.
fn gather(folder: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            println!("cargo::rerun-if-changed={}", entry.path().display());
            gather(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, entry.path());
        }
    }
    Ok(())
}
