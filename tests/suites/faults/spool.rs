//! Between the dump and the store an archive lies in a folder of this machine, where others can touch it.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use respaldo_tests::Scene;

#[test]
fn an_archive_that_is_touched_after_it_was_hashed_is_not_stored() {
    let scene = Scene::open();
    for touch in [flip_a_bit, append_a_byte] {
        let full = ["backup", "full", "--json"];
        let held = scene.respaldo.hold_at_step("backup.store", &full);
        touch(&spooled(&scene));
        held.release().expect_error(14, "object-corrupt");
        assert_eq!(scene.repository.sealed(), [""; 0]);
        scene.assert_tidy("after the archive was touched");
    }
    let made = scene.backup_name("full");
    scene.assert_restores(&made, &scene.image());
}

/// The archive of the run that is held.
fn spooled(scene: &Scene) -> PathBuf {
    let mut files = fs::read_dir(scene.repository.path(".respaldo/spool")).unwrap();
    let file = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    file
}

fn flip_a_bit(path: &Path) {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let at = SeekFrom::Start(fs::metadata(path).unwrap().len() / 2);
    let mut byte = [0];
    file.seek(at).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(at).unwrap();
    file.write_all(&[byte[0] ^ 1]).unwrap();
}

fn append_a_byte(path: &Path) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(b"x").unwrap();
}
