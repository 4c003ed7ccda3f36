//! An installation of a test's own, so that it can bring extensions without touching the system's.
//!
//! PostgreSQL finds its folders from where its program lies. So the server and the program that
//! starts it are copied, everything beside them is linked, and only the folder of extensions is new:
//! it holds links to the installed ones, and whatever a test writes there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{Install, ServerUser, run};

/// Programs that look for others, or for files, beside themselves.
const COPIED: [&str; 2] = ["postgres", "pg_ctl"];

impl Install {
    /// Makes an installation below `root`, which it creates, out of this one.
    #[must_use]
    pub fn private(&self, user: ServerUser, root: &Path) -> Self {
        let bin = fs::canonicalize(&self.bin_dir).unwrap();
        let share = fs::canonicalize(self.share_dir(user)).unwrap();
        let above = bin.ancestors().find(|above| share.starts_with(above));
        let above = above.unwrap().to_owned();
        let place = |path: &Path| root.join(path.strip_prefix(&above).unwrap());

        link_all(&share, &place(&share), &["extension"]);
        let extensions = place(&share).join("extension");
        link_all(&share.join("extension"), &extensions, &[]);
        link_all(&bin, &place(&bin), &COPIED);
        for program in COPIED {
            fs::copy(bin.join(program), place(&bin).join(program)).unwrap();
        }
        link_siblings(&bin, &place(&bin));
        Self {
            bin_dir: place(&bin),
            version: self.version.clone(),
            own_extensions: Some(extensions),
        }
    }

    /// Where this installation's time zones, extensions and samples are, as its `initdb` says.
    fn share_dir(&self, user: ServerUser) -> PathBuf {
        let mut show = user.command(self.bin("initdb"));
        let out = run(show.args(["--show", "--pgdata", "/nowhere"]));
        let said = String::from_utf8_lossy(&out.stderr);
        let path = said
            .lines()
            .find_map(|line| line.strip_prefix("share_path="));
        PathBuf::from(path.unwrap_or_else(|| panic!("initdb --show names no share_path: {said}")))
    }
}

/// Fills the new folder `copy` with links to everything in `folder` but `left_out`.
fn link_all(folder: &Path, copy: &Path, left_out: &[&str]) {
    fs::create_dir_all(copy).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name();
        if !left_out.iter().any(|out| name == *out) {
            symlink(folder.join(&name), copy.join(&name)).unwrap();
        }
    }
}

/// Libraries lie beside the folder of programs.
fn link_siblings(bin: &Path, copy: &Path) {
    let (from, to) = (bin.parent().unwrap(), copy.parent().unwrap());
    for entry in fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        if !to.join(&name).exists() {
            symlink(from.join(&name), to.join(&name)).unwrap();
        }
    }
}
