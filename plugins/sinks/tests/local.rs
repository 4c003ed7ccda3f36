//! What the local sink promises beyond the suite: permissions, links, staging, full disks.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, like tests, fail by panicking"
)]

use std::fs::{self, File};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, FaultKind, PutSource, StorageSink};
use respaldo_sinks::local::{LocalSink, Options};
use tempfile::TempDir;

fn sink(dir: &Path) -> LocalSink {
    LocalSink::new(
        "local",
        &Options {
            dir: dir.to_owned(),
        },
    )
}

fn repository() -> (TempDir, LocalSink) {
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&folder.path().join("repository"));
    sink.probe(&Context::quiet()).unwrap();
    (folder, sink)
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).unwrap()
}

fn put(sink: &LocalSink, name: &str, bytes: &[u8]) {
    sink.put(
        &key(name),
        &mut Cursor::new(bytes.to_vec()),
        &Context::quiet(),
    )
    .unwrap();
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A source in a file; reading it as a stream is counted.
struct InFile {
    path: PathBuf,
    size_bytes: u64,
    stream: File,
    was_read: bool,
}

impl InFile {
    fn new(path: PathBuf, bytes: &[u8]) -> Self {
        fs::write(&path, bytes).unwrap();
        let stream = File::open(&path).unwrap();
        Self {
            path,
            size_bytes: bytes.len() as u64,
            stream,
            was_read: false,
        }
    }
}

impl Read for InFile {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.was_read = true;
        self.stream.read(out)
    }
}

impl PutSource for InFile {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn file(&self) -> Option<&Path> {
        Some(&self.path)
    }
}

#[test]
fn folders_and_files_are_private() {
    let (folder, sink) = repository();
    put(&sink, "full/a.backup", b"x");
    let root = folder.path().join("repository");
    assert_eq!([mode(&root), mode(root.join("full"))], [0o700; 2]);
    assert_eq!(mode(root.join(".respaldo-staging")), 0o700);
    assert_eq!(mode(root.join("full/a.backup")), 0o600);
}

#[test]
fn a_file_of_the_same_file_system_is_taken_over_without_a_copy() {
    let (folder, sink) = repository();
    let mut source = InFile::new(folder.path().join("spool"), b"archive");
    fs::set_permissions(&source.path, PermissionsExt::from_mode(0o644)).unwrap();
    sink.put(&key("full/a"), &mut source, &Context::quiet())
        .unwrap();
    let object = folder.path().join("repository/full/a");
    assert!(!source.was_read);
    assert_eq!(
        fs::metadata(&object).unwrap().ino(),
        fs::metadata(&source.path).unwrap().ino()
    );
    assert_eq!(mode(&object), 0o600);
    fs::remove_file(&source.path).unwrap();
    assert_eq!(fs::read(object).unwrap(), b"archive");
}

#[test]
fn a_file_of_another_file_system_is_copied() {
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
        panic!("/dev/shm is not writable")
    };
    let (folder, sink) = repository();
    let mut source = InFile::new(other.path().join("spool"), b"archive");
    let devices = [folder.path(), other.path()].map(|path| fs::metadata(path).unwrap().dev());
    assert_ne!(devices[0], devices[1], "this test needs two file systems");
    sink.put(&key("full/a"), &mut source, &Context::quiet())
        .unwrap();
    assert!(source.was_read);
    assert_eq!(
        fs::read(folder.path().join("repository/full/a")).unwrap(),
        b"archive"
    );
}

#[test]
fn a_file_of_another_size_is_not_taken_over() {
    let (folder, sink) = repository();
    let mut source = InFile::new(folder.path().join("spool"), b"archive");
    source.size_bytes = 6;
    let put = sink.put(&key("full/a"), &mut source, &Context::quiet());
    assert_eq!(put.unwrap_err().kind, FaultKind::Corrupt);
    assert!(sink.list("", &Context::quiet()).unwrap().is_empty());
}

#[test]
fn links_are_neither_followed_nor_listed() {
    let (folder, sink) = repository();
    let (root, cx) = (folder.path().join("repository"), Context::quiet());
    let outside = folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), b"secret").unwrap();
    symlink(&outside, root.join("full")).unwrap();
    symlink(outside.join("secret"), root.join("file")).unwrap();
    let inside = key("full/secret");
    assert!(sink.list("", &cx).unwrap().is_empty());
    for name in ["full/secret", "file"] {
        assert!(
            sink.get(&key(name), None, &mut Vec::new(), &cx).is_err(),
            "{name}"
        );
        assert!(sink.head(&key(name), &cx).is_err(), "{name}");
    }
    assert!(sink.delete(&inside, &cx).is_err());
    assert!(
        sink.put(&key("full/new"), &mut Cursor::new(vec![1]), &cx)
            .is_err()
    );
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[test]
fn foreign_files_are_passed_over() {
    let (folder, sink) = repository();
    let root = folder.path().join("repository");
    put(&sink, "full/a", b"a");
    for name in ["full/.hidden", "full/with space", "full/ñ", ".DS_Store"] {
        fs::write(root.join(name), b"x").unwrap();
    }
    fs::create_dir(root.join("lost+found")).unwrap();
    let listed = sink.list("", &Context::quiet()).unwrap();
    assert_eq!(
        listed
            .iter()
            .map(|object| object.key.as_str())
            .collect::<Vec<_>>(),
        ["full/a"]
    );
}

#[test]
fn a_missing_repository_is_not_an_empty_one() {
    let (folder, sink) = repository();
    fs::remove_dir_all(folder.path().join("repository")).unwrap();
    let cx = Context::quiet();
    assert_eq!(sink.list("", &cx).unwrap_err().kind, FaultKind::Unavailable);
    assert_eq!(
        sink.head(&key("full/a"), &cx).unwrap_err().kind,
        FaultKind::Unavailable
    );
    assert_eq!(
        sink.delete(&key("full/a"), &cx).unwrap_err().kind,
        FaultKind::Unavailable
    );
}

#[test]
fn a_probe_tells_the_room_left_and_leaves_nothing() {
    let (folder, sink) = repository();
    assert!(sink.probe(&Context::quiet()).unwrap().free_bytes.unwrap() > 0);
    let staging = folder.path().join("repository/.respaldo-staging");
    assert_eq!(fs::read_dir(staging).unwrap().count(), 0);
}

fn this_host(staging: &Path, sink: &LocalSink) -> String {
    // The name of a staging file tells the host as the sink spells it; seen while a put runs.
    struct Spy<'a>(&'a Path, String);
    impl Read for Spy<'_> {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            let name = fs::read_dir(self.0)?.next().unwrap()?.file_name();
            let host = name.to_str().unwrap().rsplitn(4, '.').last();
            self.1 = host.map(str::to_owned).unwrap();
            Err(io::Error::other("seen"))
        }
    }
    impl PutSource for Spy<'_> {
        fn size_bytes(&self) -> u64 {
            1
        }
    }
    let mut spy = Spy(staging, String::new());
    assert!(
        sink.put(&key("spied"), &mut spy, &Context::quiet())
            .is_err()
    );
    spy.1
}

#[test]
fn a_sweep_removes_only_what_dead_processes_of_ours_left() {
    let (folder, sink) = repository();
    let staging = folder.path().join("repository/.respaldo-staging");
    let host = this_host(&staging, &sink);
    let mut dead = Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    let (dead, alive) = (dead.id(), std::process::id());
    let random = "00000000000040008000000000000000";
    let old = SystemTime::now() - Duration::from_hours(25);
    let swept = [
        (format!("{host}.{dead}.{random}.part"), None),
        (format!("elsewhere.{alive}.{random}.part"), Some(old)),
    ];
    let kept = [
        (format!("{host}.{alive}.{random}.part"), Some(old)),
        (format!("elsewhere.{dead}.{random}.part"), None),
        (format!("{host}.{dead}.notes.part"), Some(old)),
        ("publish-lock".to_owned(), Some(old)),
        ("README".to_owned(), Some(old)),
    ];
    for (name, modified) in swept.iter().chain(&kept) {
        let file = File::create(staging.join(name)).unwrap();
        file.set_modified(modified.unwrap_or_else(SystemTime::now))
            .unwrap();
    }
    assert_eq!(sink.sweep(&Context::quiet()).unwrap(), swept.len() as u64);
    assert_eq!(sink.sweep(&Context::quiet()).unwrap(), 0);
    for (name, _) in &kept {
        assert!(staging.join(name).exists(), "{name}");
    }
}

/// A limit on the size of files stands for a full disk: the kernel says so at the same place. It
/// is inherited, so the put runs in a process of its own.
#[test]
fn a_full_disk_is_a_full_fault_and_leaves_nothing() {
    const FOLDER: &str = "RESPALDO_TEST_FULL_DISK";
    if let Ok(folder) = std::env::var(FOLDER) {
        let sink = sink(Path::new(&folder));
        let mut source = Cursor::new(vec![7; 1024 * 1024]);
        let put = sink.put(&key("full/a"), &mut source, &Context::quiet());
        assert_eq!(put.unwrap_err().kind, FaultKind::Full);
        return;
    }
    let (folder, sink) = repository();
    let root = folder.path().join("repository");
    let me = std::env::current_exe().unwrap();
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$0\" --exact \
                   a_full_disk_is_a_full_fault_and_leaves_nothing";
    let status = Command::new("sh")
        .args(["-c", limited])
        .arg(me)
        .env(FOLDER, &root)
        .status();
    assert!(status.unwrap().success());
    assert!(sink.list("", &Context::quiet()).unwrap().is_empty());
    assert_eq!(
        fs::read_dir(root.join(".respaldo-staging"))
            .unwrap()
            .count(),
        0
    );
}
