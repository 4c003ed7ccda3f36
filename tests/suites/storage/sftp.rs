//! The SFTP sink against OpenSSH, which links, and against rclone, which only renames.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use respaldo_engine::ports::{Context, FaultKind, StorageSink};
use respaldo_sinks::conformance;
use respaldo_tests::Proxy;
use respaldo_tests::stores::rclone::{self, Rclone};
use respaldo_tests::stores::sshd::Sshd;
use serde_json::{Value, json};

use super::made::Made;
use super::{fault_of, key, staged, words};

fn sink(options: Value) -> Arc<dyn StorageSink> {
    respaldo_sinks::by_name("sftp", "away", options).unwrap()
}

fn openssh(server: &Sshd, port: u16) -> Value {
    json!({
        "host": "127.0.0.1",
        "port": port,
        "user": Sshd::user(),
        "dir": server.data().join("made/on demand"),
        "private_key_file": server.key_file(),
        "host_key": server.host_key("host"),
    })
}

fn other(server: &Rclone) -> Value {
    json!({
        "host": "127.0.0.1",
        "port": server.port(),
        "user": rclone::USER,
        "dir": "made/on demand",
        "password": rclone::PASSWORD,
        "host_key": server.host_key(),
    })
}

/// Options with some others; `null` takes one away.
fn with(mut options: Value, others: &Value) -> Value {
    for (name, value) in others.as_object().unwrap() {
        options[name] = value.clone();
        if value.is_null() {
            options.as_object_mut().unwrap().remove(name);
        }
    }
    options
}

#[test]
fn with_openssh_every_promise_is_kept() {
    let server = Sshd::start();
    let options = openssh(&server, server.port());
    assert_eq!(conformance::run(&|| sink(options.clone())), []);
    let left = staged(&server.data().join("made/on demand"));
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn with_a_server_that_cannot_link_every_promise_is_kept() {
    let server = Rclone::sftp();
    let options = other(&server);
    assert_eq!(conformance::run(&|| sink(options.clone())), []);
}

#[test]
fn a_large_object_comes_back_from_openssh() {
    let server = Sshd::start();
    super::a_large_object_comes_back(&*sink(openssh(&server, server.port())));
}

#[test]
fn a_put_whose_connection_breaks_leaves_nothing_and_the_next_one_works() {
    let server = Sshd::start();
    let proxy = Proxy::before(server.port());
    let sink = sink(openssh(&server, proxy.port()));
    super::a_put_whose_connection_breaks_leaves_nothing(&*sink, &proxy);
}

#[test]
fn a_connection_that_breaks_as_a_file_gets_its_name_leaves_no_doubt() {
    let server = Sshd::start();
    let proxy = Proxy::before(server.port());
    let cx = Context::quiet();
    for number in 0..10 {
        let sink = sink(openssh(&server, proxy.port()));
        let key = key(&format!("named/{number}"));
        let path = server.data().join("made/on demand").join(key.as_str());
        thread::scope(|scope| {
            let breaking = scope.spawn(|| {
                let start = Instant::now();
                while !path.exists() {
                    assert!(start.elapsed() < Duration::from_secs(30));
                    thread::yield_now();
                }
                proxy.reset();
            });
            let put = sink.put(&key, &mut Made::of(1000), &cx);
            breaking.join().unwrap();
            assert_eq!(put.map_err(|fault| words(&fault)).unwrap().size_bytes, 1000);
        });
    }
}

#[test]
fn a_put_is_cancelled_though_nobody_answers() {
    let server = Sshd::start();
    let proxy = Proxy::before(server.port());
    let sink = sink(openssh(&server, proxy.port()));
    super::a_put_is_cancelled_though_nobody_answers(&*sink, &proxy);
}

#[test]
fn a_put_whose_server_is_killed_leaves_nothing_visible_and_its_remains_are_swept_in_time() {
    let mut server = Sshd::start();
    let sink = sink(openssh(&server, server.port()));
    let cx = Context::quiet();
    let (key, data) = (key("killed/put"), server.data().join("made/on demand"));
    let mut source = Made::of(40_000_000).after(10_000_000, || server.kill());
    let fault = fault_of(sink.put(&key, &mut source, &cx));
    drop(source);
    assert_eq!(fault.kind, FaultKind::Unavailable, "{}", words(&fault));
    server.start_again();
    super::assert_absent(&*sink, &key);
    // We live, and might be writing it.
    assert_eq!((sink.sweep(&cx).unwrap(), staged(&data).len()), (0, 1));
}

#[test]
fn staging_files_of_dead_processes_and_of_yesterday_are_swept_and_no_others() {
    let server = Sshd::start();
    let sink = sink(openssh(&server, server.port()));
    super::a_sweep_is_careful(&*sink, &server.data().join("made/on demand"));
}

#[test]
fn a_key_with_a_passphrase_and_one_in_the_options_log_in() {
    let server = Sshd::start();
    let options = openssh(&server, server.port());
    let text = fs::read_to_string(server.key_file()).unwrap();
    for others in [
        json!({ "private_key_file": server.encrypted_key_file(), "passphrase": "open sesame" }),
        json!({ "private_key_file": null, "private_key": text }),
    ] {
        let limits = sink(with(options.clone(), &others)).probe(&Context::quiet());
        assert!(limits.unwrap().free_bytes.unwrap() > 0);
    }
}

#[test]
fn the_server_is_known_by_key_fingerprint_or_file_of_any_kind() {
    let server = Sshd::start();
    let options = openssh(&server, server.port());
    let known_hosts = server.data().join("known_hosts");
    let line = format!(
        "[127.0.0.1]:{} {}\n",
        server.port(),
        server.host_key("host_ecdsa")
    );
    fs::write(&known_hosts, line).unwrap();
    for others in [
        json!({ "host_key": server.host_key("host_ecdsa") }),
        json!({ "host_key": server.fingerprint() }),
        json!({ "host_key": null, "known_hosts": known_hosts }),
    ] {
        sink(with(options.clone(), &others))
            .probe(&Context::quiet())
            .unwrap();
    }
}

#[test]
fn an_unknown_server_is_refused_with_what_to_put_into_the_configuration() {
    let server = Sshd::start();
    let options = openssh(&server, server.port());
    let empty = server.data().join("known_hosts");
    fs::write(&empty, "").unwrap();
    for others in [
        json!({ "host_key": null }),
        json!({ "host_key": null, "known_hosts": empty }),
    ] {
        let sink = sink(with(options.clone(), &others));
        let fault = fault_of(sink.probe(&Context::quiet()));
        assert_eq!(fault.kind, FaultKind::Denied);
        let advice = format!("host_key = \"{}\"", server.fingerprint());
        assert!(words(&fault).contains(&advice), "{}", words(&fault));
    }
}

#[test]
fn a_changed_host_key_is_refused_loudly() {
    let (server, another) = (Sshd::start(), Sshd::start());
    let options = openssh(&server, server.port());
    for known in [another.host_key("host"), another.fingerprint()] {
        let sink = sink(with(options.clone(), &json!({ "host_key": known })));
        let fault = fault_of(sink.probe(&Context::quiet()));
        assert_eq!(fault.kind, FaultKind::Denied);
        assert!(words(&fault).contains("HOST KEY"), "{}", words(&fault));
    }
}

#[test]
fn wrong_credentials_are_denied_and_not_shown() {
    let (server, another) = (Sshd::start(), Sshd::start());
    let by_key = json!({ "private_key_file": another.key_file() });
    let keyed = sink(with(openssh(&server, server.port()), &by_key));
    let other_server = Rclone::sftp();
    let by_password = json!({ "password": "hunter2" });
    let passworded = sink(with(other(&other_server), &by_password));
    for sink in [keyed, passworded] {
        let fault = fault_of(sink.probe(&Context::quiet()));
        assert_eq!(fault.kind, FaultKind::Denied, "{}", words(&fault));
        assert!(!words(&fault).contains("hunter2"), "{}", words(&fault));
        assert!(!format!("{fault:?}").contains("hunter2"));
    }
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let mut server = Sshd::start();
    let sink = sink(openssh(&server, server.port()));
    sink.probe(&Context::quiet()).unwrap();
    server.kill();
    let fault = fault_of(sink.probe(&Context::quiet()));
    assert_eq!(fault.kind, FaultKind::Unavailable, "{}", words(&fault));
    server.start_again();
    sink.probe(&Context::quiet()).unwrap();
}

#[test]
fn a_missing_folder_is_not_an_empty_repository() {
    let server = Sshd::start();
    let sink = sink(openssh(&server, server.port()));
    let cx = Context::quiet();
    for fault in [
        fault_of(sink.list("", &cx)),
        fault_of(sink.head(&key("a"), &cx)),
    ] {
        assert_eq!(fault.kind, FaultKind::Unavailable, "{}", words(&fault));
    }
}

#[test]
fn foreign_names_and_links_are_passed_over_and_never_followed() {
    let server = Sshd::start();
    let sink = sink(openssh(&server, server.port()));
    let cx = Context::quiet();
    let put = |name: &str| sink.put(&key(name), &mut Cursor::new(b"x".to_vec()), &cx);
    put("a/real").unwrap();
    let root = server.data().join("made/on demand");
    fs::write(root.join("a/not a key"), b"x").unwrap();
    fs::create_dir(server.data().join("elsewhere")).unwrap();
    fs::write(server.data().join("elsewhere/file"), b"x").unwrap();
    link(&server.data().join("elsewhere"), &root.join("b"));
    link(&server.data().join("elsewhere/file"), &root.join("c"));
    let listed = sink.list("", &cx).unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(
        fault_of(sink.head(&key("c"), &cx)).kind,
        FaultKind::NotFound
    );
    assert_eq!(fault_of(put("b/x")).kind, FaultKind::Denied);
    assert_eq!(fault_of(put("c")).kind, FaultKind::Exists);
}

fn link(to: &Path, at: &Path) {
    let status = Command::new("ln").arg("-s").arg(to).arg(at).status();
    assert!(status.unwrap().success());
}

#[test]
fn what_was_put_can_be_read_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let server = Sshd::start();
    let sink = sink(openssh(&server, server.port()));
    let mut source = Cursor::new(b"x".to_vec());
    sink.put(&key("a/b"), &mut source, &Context::quiet())
        .unwrap();
    let root = server.data().join("made/on demand");
    let mode = |path: &str| fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("a"), mode("a/b")), (0o700, 0o600));
}
