//! Sinks that are folders of a server: SFTP and WebDAV.

#[path = "made.rs"]
mod made;
#[path = "sftp.rs"]
mod sftp;
#[path = "webdav.rs"]
mod webdav;

use std::error::Error as _;
use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Context, Fault, FaultKind, Interrupt, Quiet, StorageSink};
use respaldo_tests::Proxy;

use made::{Checked, Made};

const MIB: u64 = 1024 * 1024;

fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).unwrap()
}

/// All that a fault tells.
fn words(fault: &Fault) -> String {
    let source = fault.source().map(ToString::to_string);
    format!("{fault}: {}", source.unwrap_or_default())
}

/// The fault of what must fail.
fn fault_of<T>(call: Result<T, Fault>) -> Fault {
    call.err().unwrap()
}

/// Puts a large object and gets it whole and in ranges.
fn a_large_object_comes_back(sink: &dyn StorageSink) {
    let cx = Context::quiet();
    let (key, size) = (key("large/object"), 100 * MIB + 12_345);
    let put = sink.put(&key, &mut Made::of(size), &cx).unwrap();
    assert_eq!(put.size_bytes, size);
    for range in [
        0..size,
        0..1,
        7 * MIB - 3..19 * MIB + 5,
        size - 40_000..size,
    ] {
        let mut checked = Checked::from(range.start);
        sink.get(&key, Some(range.clone()), &mut checked, &cx)
            .unwrap();
        assert_eq!(checked.count, range.end - range.start);
    }
    let mut checked = Checked::from(0);
    sink.get(&key, None, &mut checked, &cx).unwrap();
    assert_eq!(checked.count, size);
}

/// Breaks connections aloud in the middle of a put; then a put works, with the same sink.
fn a_put_whose_connection_breaks_leaves_nothing(sink: &dyn StorageSink, proxy: &Proxy) {
    let cx = Context::quiet();
    let key = key("broken/put");
    let mut source = Made::of(40 * MIB).after(10 * MIB, || proxy.reset());
    let fault = fault_of(sink.put(&key, &mut source, &cx));
    assert!(
        fault.kind.is_transient(),
        "{:?}: {}",
        fault.kind,
        words(&fault)
    );
    assert_absent(sink, &key);
    sink.put(&key, &mut Made::of(MIB), &cx).unwrap();
    assert_eq!(sink.head(&key, &cx).unwrap().size_bytes, MIB);
}

/// Cuts connections silently in the middle of a put and, once it waits, tells the run to stop: it
/// does so soon.
fn a_put_is_cancelled_though_nobody_answers(sink: &dyn StorageSink, proxy: &Proxy) {
    let interrupt = Interrupt::default();
    let cx = Context::new(interrupt.clone(), Arc::new(Quiet));
    let told = Mutex::new(None);
    let source = Made::of(400 * MIB);
    let given = source.given();
    thread::scope(|scope| {
        let mut source = source.after(MIB, || {
            proxy.cut();
            scope.spawn(|| {
                wait_until_it_rests(&given);
                *told.lock().unwrap() = Some(Instant::now());
                interrupt.set();
            });
        });
        let fault = fault_of(sink.put(&key("cut/put"), &mut source, &cx));
        assert_eq!(fault.kind, FaultKind::Cancelled, "{}", words(&fault));
    });
    let told = told.lock().unwrap().unwrap();
    assert!(
        told.elapsed() < Duration::from_secs(2),
        "{:?}",
        told.elapsed()
    );
}

/// Until a number was the same for a while.
fn wait_until_it_rests(number: &AtomicU64) {
    let start = Instant::now();
    let (mut last, mut since) = (u64::MAX, Instant::now());
    while since.elapsed() < Duration::from_millis(300) {
        assert!(start.elapsed() < Duration::from_secs(30), "it goes on");
        let now = number.load(Ordering::SeqCst);
        if now != last {
            (last, since) = (now, Instant::now());
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn assert_absent(sink: &dyn StorageSink, key: &ObjectKey) {
    let cx = Context::quiet();
    assert_eq!(fault_of(sink.head(key, &cx)).kind, FaultKind::NotFound);
    assert_eq!(sink.list(key.as_str(), &cx).unwrap(), []);
}

/// What this machine is called in the names of staging files, as the local sink writes them too.
fn own_machine() -> String {
    let folder = tempfile::tempdir().unwrap();
    let options = serde_json::json!({ "dir": folder.path() });
    let sink = respaldo_sinks::by_name("local", "here", options).unwrap();
    let mut name = String::new();
    let mut source = Made::of(1000).after(0, || name = staged(folder.path()).remove(0));
    sink.put(&key("telling"), &mut source, &Context::quiet())
        .unwrap();
    drop(source);
    name.rsplitn(4, '.').last().unwrap().to_owned()
}

/// Leaves files in a staging folder: one of a dead process, an old and a new one of another
/// machine, and a foreign one. Gives the names of those to be kept.
fn leave_half_written(folder: &Path) -> Vec<String> {
    let random = "0123456789abcdef0123456789abcdef";
    let dead = format!("{}.{}.{random}.part", own_machine(), i32::MAX);
    let old = format!("elsewhere.1.{random}.part");
    let young = format!("elsewhere.2.{random}.part");
    for name in [&dead, &old, &young, "notes.txt"] {
        fs::write(folder.join(name), b"half").unwrap();
    }
    let file = File::options().write(true).open(folder.join(&old)).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(25))
        .unwrap();
    vec![young, "notes.txt".to_owned()]
}

/// A sweep takes what nobody writes any more, and nothing else.
fn a_sweep_is_careful(sink: &dyn StorageSink, root: &Path) {
    let cx = Context::quiet();
    sink.put(&key("kept"), &mut Made::of(4), &cx).unwrap();
    let kept = leave_half_written(&root.join(".respaldo-staging"));
    let (start, mut swept) = (Instant::now(), 0);
    // A server that caches its folders needs a moment to see what others put there.
    while swept < 2 && start.elapsed() < Duration::from_secs(10) {
        swept += sink.sweep(&cx).unwrap();
    }
    assert_eq!(swept + sink.sweep(&cx).unwrap(), 2);
    let mut left = staged(root);
    left.sort();
    assert_eq!(left, kept);
    assert_eq!(sink.head(&key("kept"), &cx).unwrap().size_bytes, 4);
}

/// Names of the staging files below a server's folder.
fn staged(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join(".respaldo-staging")).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect()
}
