//! No room left: a small file system where this process may mount one, else a limit on the size of
//! files, which the kernel reports in the same place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use respaldo_tests::respaldo::binary;
use respaldo_tests::{Repository, Scene};

/// A place with so little room, and a way to get more.
enum Small {
    /// A tmpfs on this folder.
    Mount(PathBuf),
    /// The program, under a limit on the size of each file.
    Limit(PathBuf),
}

impl Small {
    fn of(scene: &Scene, kibibytes: u64) -> Self {
        let folder = scene.respaldo.folder().join("small");
        fs::create_dir(&folder).unwrap();
        let size = format!("size={kibibytes}k");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(&folder);
        if mount.output().is_ok_and(|out| out.status.success()) {
            Self::Mount(folder)
        } else {
            Self::Limit(limited(&folder, kibibytes))
        }
    }

    fn folder(&self) -> PathBuf {
        match self {
            Self::Mount(folder) => folder.clone(),
            Self::Limit(script) => script.with_extension(""),
        }
    }

    /// The same scene, its driver pointed at this place.
    fn put_under(&self, mut scene: Scene) -> Scene {
        let root = self.folder().join("repository");
        scene.repository = Repository::at(&root);
        scene.respaldo = scene
            .respaldo
            .env("RESPALDO_REPOSITORY__DIR", root.to_str().unwrap());
        if let Self::Limit(script) = self {
            scene.respaldo = scene.respaldo.program(script);
        }
        scene
    }

    fn grow(&self, scene: Scene, kibibytes: u64) -> Scene {
        match self {
            Self::Mount(folder) => {
                let size = format!("remount,size={kibibytes}k");
                let mut mount = Command::new("mount");
                assert!(
                    mount
                        .args(["-o", &size])
                        .arg(folder)
                        .status()
                        .unwrap()
                        .success()
                );
                scene
            }
            Self::Limit(_) => Scene {
                respaldo: scene.respaldo.program(&binary()),
                ..scene
            },
        }
    }
}

/// A script that runs the program under a limit on the size of each file.
fn limited(folder: &Path, kibibytes: u64) -> PathBuf {
    let script = folder.with_extension("sh");
    let binary = binary().display().to_string();
    // Units of `ulimit -f` in dash and POSIX are 512 bytes.
    let blocks = kibibytes * 2;
    let text = format!("#!/bin/sh\ntrap '' XFSZ\nulimit -f {blocks}\nexec {binary} \"$@\"\n");
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}

impl Drop for Small {
    fn drop(&mut self) {
        if let Self::Mount(folder) = self {
            let _ = Command::new("umount").arg("-l").arg(folder).status();
        }
    }
}

/// Rows that compress badly: so many kibibytes of them.
fn fill(scene: &Scene, kibibytes: u32) {
    scene.client().exec(&format!(
        "CREATE TABLE IF NOT EXISTS bank.noise (fill text);
         INSERT INTO bank.noise
           SELECT string_agg(md5(random()::text), '') FROM generate_series(1, {}) g GROUP BY g % 64",
        kibibytes * 32
    ));
}

#[test]
fn a_disk_that_is_full_leaves_the_backups_there_were_and_no_litter() {
    let scene = Scene::open();
    let small = Small::of(&scene, 1500);
    let scene = small.put_under(scene);
    let first = scene.backup_name("full");
    let image = scene.image();
    fill(&scene, 4000);
    for kind in ["full", "inc"] {
        let outcome = scene.respaldo.run(&["backup", kind, "--json"]);
        assert_eq!(outcome.code, Some(13), "{outcome:#?}");
        assert!(["sink-full", "spool-full"].contains(&outcome.error_code().as_str()));
        assert_eq!(
            scene.repository.sealed(),
            std::slice::from_ref(&first),
            "{kind}"
        );
        scene.assert_tidy(kind);
    }
    scene.assert_restores(&first, &image);
    let scene = small.grow(scene, 64_000);
    let next = scene.backup_name("inc");
    scene.assert_restores(&next, &scene.image());
    scene.assert_tidy("there was room again");
}

#[test]
fn a_disk_that_fills_up_at_any_point_of_a_backup_leaves_a_whole_one_or_none() {
    let scene = Scene::open();
    let small = Small::of(&scene, 4000);
    if let Small::Limit(_) = small {
        // The limit is on each file, so the point is chosen by the largest file that fits.
        return with_limits(scene);
    }
    let scene = small.put_under(scene);
    scene.backup("full");
    let ballast = small.folder().join("ballast");
    for free_kibibytes in [0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 256] {
        scene.day(1 + free_kibibytes as u32);
        leave_free(&ballast, free_kibibytes * 1024);
        attempt(&scene, free_kibibytes);
        fs::remove_file(&ballast).unwrap();
        let next = scene.respaldo.run(&["backup", "inc", "--json"]);
        assert!(next.is_done(), "{free_kibibytes} KiB, then: {next:#?}");
        scene.assert_tidy(&format!("{free_kibibytes} KiB were free"));
    }
    let newest = scene.backup_name("inc");
    scene.assert_restores(&newest, &scene.image());
}

fn with_limits(scene: Scene) {
    let folder = scene.respaldo.folder().join("limits");
    fs::create_dir(&folder).unwrap();
    let mut scene = scene;
    scene.backup("full");
    for kibibytes in [1, 4, 8, 16, 32, 64] {
        let script = limited(&folder, kibibytes);
        scene.respaldo = scene.respaldo.program(&script);
        attempt(&scene, kibibytes);
        scene.respaldo = scene.respaldo.program(&binary());
        let next = scene.respaldo.run(&["backup", "inc", "--json"]);
        assert!(next.is_done(), "{kibibytes} KiB, then: {next:#?}");
        scene.assert_tidy(&format!("{kibibytes} KiB were the limit"));
    }
}

fn attempt(scene: &Scene, free_kibibytes: u64) {
    let before = scene.repository.sealed().len();
    let outcome = scene.respaldo.run(&["backup", "full", "--json"]);
    let made = scene.repository.sealed().len() - before;
    assert_eq!(
        made,
        usize::from(outcome.is_done()),
        "{free_kibibytes} KiB: {outcome:#?}"
    );
    if !outcome.is_done() {
        assert_eq!(outcome.code, Some(13), "{free_kibibytes} KiB: {outcome:#?}");
    }
    let valid = scene.respaldo.run(&["validate", "--all", "--json"]);
    assert_eq!(valid.code, Some(0), "{free_kibibytes} KiB: {valid:#?}");
}

/// Fills the file system of `ballast` but for so many bytes.
fn leave_free(ballast: &Path, bytes: u64) {
    let folder = ballast.parent().unwrap();
    let mut df = Command::new("df");
    let out = df
        .args(["--output=avail", "-B1"])
        .arg(folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let free: u64 = text.lines().nth(1).unwrap().trim().parse().unwrap();
    let size = usize::try_from(free.saturating_sub(bytes)).unwrap();
    fs::write(ballast, vec![7_u8; size]).unwrap();
}
