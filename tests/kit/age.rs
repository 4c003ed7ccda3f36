//! Keys of the program age.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file with a secret key, as `age-keygen` makes it.
#[derive(Debug)]
pub struct KeyFile {
    /// The file.
    pub path: PathBuf,
    /// What is encrypted for it.
    pub recipient: String,
}

impl KeyFile {
    /// A new key in a folder.
    pub fn make(folder: &Path, name: &str) -> Self {
        let path = folder.join(name);
        let mut keygen = Command::new("/usr/bin/age-keygen");
        run(keygen.arg("-o").arg(&path));
        let text = fs::read_to_string(&path).unwrap();
        let recipient = text
            .lines()
            .find_map(|line| line.strip_prefix("# public key: "));
        Self {
            recipient: recipient.unwrap().to_owned(),
            path,
        }
    }

    /// Decrypts a file with the program itself.
    pub fn decrypt(&self, from: &Path, to: &Path) {
        let mut age = Command::new("/usr/bin/age");
        age.args(["--decrypt", "--identity"]).arg(&self.path);
        run(age.arg("--output").arg(to).arg(from));
    }
}

fn run(command: &mut Command) -> Output {
    let out = command
        .output()
        .unwrap_or_else(|error| panic!("age is needed by this test: scripts/stores.sh ({error})"));
    assert!(out.status.success(), "{out:?}");
    out
}
