//! The WebDAV sink against rclone's server, and against a puppet where no honest server would do.

use std::fs;
use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use respaldo_engine::ports::{Context, Fault, FaultKind, ObjectInfo, StorageSink};
use respaldo_sinks::conformance;
use respaldo_tests::Proxy;
use respaldo_tests::stores::puppet::{Asked, Puppet, answer};
use respaldo_tests::stores::rclone::{self, Rclone};
use serde_json::{Value, json};

use super::made::Made;
use super::{fault_of, key, words};

fn sink(options: Value) -> Arc<dyn StorageSink> {
    respaldo_sinks::by_name("webdav", "away", options).unwrap()
}

fn at(port: u16) -> Value {
    json!({
        "url": format!("http://127.0.0.1:{port}/"),
        "dir": "made/on demand",
        "user": rclone::USER,
        "password": rclone::PASSWORD,
    })
}

#[test]
fn with_rclone_every_promise_is_kept() {
    let server = Rclone::webdav();
    assert_eq!(conformance::run(&|| sink(at(server.port()))), []);
}

#[test]
fn a_large_object_comes_back() {
    let server = Rclone::webdav();
    super::a_large_object_comes_back(&*sink(at(server.port())));
}

#[test]
fn a_put_whose_connection_breaks_leaves_nothing_and_the_next_one_works() {
    let server = Rclone::webdav();
    let proxy = Proxy::before(server.port());
    super::a_put_whose_connection_breaks_leaves_nothing(&*sink(at(proxy.port())), &proxy);
}

#[test]
fn a_put_is_cancelled_though_nobody_answers() {
    let server = Rclone::webdav();
    let proxy = Proxy::before(server.port());
    super::a_put_is_cancelled_though_nobody_answers(&*sink(at(proxy.port())), &proxy);
}

#[test]
fn a_put_whose_server_is_killed_leaves_nothing_visible() {
    let mut server = Rclone::webdav();
    let sink = sink(at(server.port()));
    let key = key("killed/put");
    let mut source = Made::of(40_000_000).after(10_000_000, || server.kill());
    let fault = fault_of(sink.put(&key, &mut source, &Context::quiet()));
    drop(source);
    assert_eq!(fault.kind, FaultKind::Unavailable, "{}", words(&fault));
    server.start_again();
    super::assert_absent(&*sink, &key);
}

#[test]
fn over_tls_the_server_is_known_by_its_authority_and_nobody_else_is() {
    let server = Rclone::webdav_over_tls();
    let mut options = at(server.port());
    options["url"] = json!(format!("https://127.0.0.1:{}/", server.port()));
    let fault = fault_of(sink(options.clone()).probe(&Context::quiet()));
    assert_eq!(fault.kind, FaultKind::Unavailable);
    options["ca_file"] = json!(server.certificate());
    sink(options).probe(&Context::quiet()).unwrap();
}

#[test]
fn wrong_credentials_are_denied_and_not_shown() {
    let server = Rclone::webdav();
    let mut options = at(server.port());
    options["password"] = json!("hunter2");
    let by_token = json!({ "url": options["url"], "token": "hunter2" });
    for options in [options, by_token] {
        let fault = fault_of(sink(options).probe(&Context::quiet()));
        assert_eq!(fault.kind, FaultKind::Denied, "{}", words(&fault));
        assert!(!words(&fault).contains("hunter2"), "{}", words(&fault));
        assert!(!format!("{fault:?}").contains("hunter2"));
    }
}

#[test]
fn a_missing_folder_is_not_an_empty_repository() {
    let server = Rclone::webdav();
    let sink = sink(at(server.port()));
    let cx = Context::quiet();
    for fault in [
        fault_of(sink.list("", &cx)),
        fault_of(sink.head(&key("a"), &cx)),
    ] {
        assert_eq!(fault.kind, FaultKind::Unavailable, "{}", words(&fault));
    }
}

#[test]
fn folders_that_somebody_removed_are_made_again() {
    let server = Rclone::webdav();
    let sink = sink(at(server.port()));
    let cx = Context::quiet();
    sink.put(&key("a/b/one"), &mut Cursor::new(b"x".to_vec()), &cx)
        .unwrap();
    fs::remove_dir_all(server.data().join("made/on demand/a")).unwrap();
    sink.put(&key("a/b/two"), &mut Cursor::new(b"x".to_vec()), &cx)
        .unwrap();
    // A server that caches its folders needs a moment to see what others removed.
    let is_alone = || sink.list("", &cx).unwrap().len() == 1;
    let limit = std::time::Duration::from_secs(10);
    assert!(respaldo_tests::respaldo::wait_until(limit, is_alone));
}

#[test]
fn staging_files_of_dead_processes_and_of_yesterday_are_swept_and_no_others() {
    let server = Rclone::webdav();
    let sink = sink(at(server.port()));
    super::a_sweep_is_careful(&*sink, &server.data().join("made/on demand"));
}

/// An object of ten bytes at `/a`.
fn properties(asked: &Asked) -> Vec<u8> {
    let path = asked.path();
    let kind = match path.ends_with('/') {
        true => "<collection/>",
        false => "",
    };
    let body = format!(
        "<multistatus xmlns=\"DAV:\"><response><href>{path}</href><propstat><prop>\
         <resourcetype>{kind}</resourcetype><getcontentlength>10</getcontentlength></prop>\
         <status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
    );
    answer("207 Multi-Status", &[], &body)
}

/// What a get of bytes 2 to 6 gives from a server that answers so.
fn get_from(said: Vec<u8>) -> Result<Vec<u8>, FaultKind> {
    let server = Puppet::saying(move |asked| match asked.is("GET") {
        true => said.clone(),
        false => properties(asked),
    });
    let sink = sink(json!({ "url": format!("http://127.0.0.1:{}/", server.port()) }));
    let mut got = Vec::new();
    let call = sink.get(&key("a"), Some(2..6), &mut got, &Context::quiet());
    call.map(|()| got).map_err(|fault| fault.kind)
}

#[test]
fn a_range_is_what_was_asked_for_or_a_fault() {
    let partial = |range: &str, body: &str| {
        answer(
            "206 Partial Content",
            &[&format!("Content-Range: {range}")],
            body,
        )
    };
    assert_eq!(
        get_from(partial("bytes 2-5/10", "2345")),
        Ok(b"2345".to_vec())
    );
    // The whole file, from a server that knows no ranges.
    assert_eq!(
        get_from(answer("200 OK", &[], "0123456789")),
        Ok(b"2345".to_vec())
    );
    for damaged in [
        partial("bytes 3-6/10", "3456"),
        partial("bytes 2-5/10", "234"),
        answer("206 Partial Content", &[], "2345"),
        answer("200 OK", &[], "01234"),
    ] {
        assert_eq!(get_from(damaged), Err(FaultKind::Corrupt));
    }
    // Cut on the way: it promised more than it sent, so another try may do.
    let mut cut = partial("bytes 2-5/10", "2345");
    cut.truncate(cut.len() - 2);
    assert_eq!(get_from(cut), Err(FaultKind::Unavailable));
}

#[test]
fn no_redirect_is_followed_with_a_secret() {
    let thief = Puppet::saying(properties);
    let address = format!("Location: http://127.0.0.1:{}/", thief.port());
    let server = Puppet::saying(move |_| answer("302 Found", &[&address], ""));
    let sink = sink(at(server.port()));
    let fault = fault_of(sink.probe(&Context::quiet()));
    assert_eq!(fault.kind, FaultKind::Invalid, "{}", words(&fault));
    assert!(thief.asked().is_empty());
}

/// A server on which nothing is, that answers a method so.
fn empty_but(method: &'static str, status: &'static str) -> Puppet {
    Puppet::saying(move |asked| match asked.line.split(' ').next() {
        Some(asked) if asked == method => answer(status, &[], ""),
        Some("PROPFIND") if asked.path().contains("respaldo-staging/") => properties(asked),
        Some("PROPFIND") => answer("404 Not Found", &[], ""),
        Some("DELETE") => answer("204 No Content", &[], ""),
        _ => answer("201 Created", &[], ""),
    })
}

fn put_to(server: &Puppet) -> FaultKind {
    fault_of(try_to_put(server)).kind
}

fn try_to_put(server: &Puppet) -> Result<ObjectInfo, Fault> {
    let sink = sink(json!({ "url": format!("http://127.0.0.1:{}/", server.port()) }));
    let mut source = Cursor::new(b"0123456789".to_vec());
    sink.put(&key("a"), &mut source, &Context::quiet())
}

/// A server that is cut off as it gets a move, after which its files are where they are said to be.
fn cut_off_at_a_move(staged: bool, named: bool) -> Puppet {
    let moved = AtomicBool::new(false);
    Puppet::saying(move |asked| match asked.line.split(' ').next() {
        Some("MOVE") => {
            moved.store(true, Ordering::SeqCst);
            Vec::new()
        }
        Some("DELETE") if !staged => answer("404 Not Found", &[], ""),
        Some("DELETE") => answer("204 No Content", &[], ""),
        Some("PROPFIND") if asked.path().contains("respaldo-staging/") => properties(asked),
        Some("PROPFIND") if named && moved.load(Ordering::SeqCst) => properties(asked),
        Some("PROPFIND") => answer("404 Not Found", &[], ""),
        _ => answer("201 Created", &[], ""),
    })
}

#[test]
fn how_a_move_ended_whose_answer_was_lost_is_found_out() {
    let done = try_to_put(&cut_off_at_a_move(false, true));
    assert_eq!(done.unwrap().size_bytes, 10);
    for (staged, named, kind) in [
        (true, false, FaultKind::Unavailable),
        (true, true, FaultKind::Exists),
        (false, false, FaultKind::Unavailable),
    ] {
        assert_eq!(put_to(&cut_off_at_a_move(staged, named)), kind);
    }
}

#[test]
fn what_a_server_says_of_a_put_is_told_as_what_it_means() {
    for (method, status, kind) in [
        ("PUT", "507 Insufficient Storage", FaultKind::Full),
        ("PUT", "403 Forbidden", FaultKind::Denied),
        ("PUT", "423 Locked", FaultKind::Unavailable),
        ("PUT", "500 Internal Server Error", FaultKind::Unavailable),
        ("MOVE", "412 Precondition Failed", FaultKind::Exists),
        ("MOVE", "423 Locked", FaultKind::Unavailable),
        ("MOVE", "502 Bad Gateway", FaultKind::Unavailable),
    ] {
        let server = empty_but(method, status);
        assert_eq!(put_to(&server), kind, "{method} {status}");
        let removed = server.asked().iter().any(|asked| asked.is("DELETE"));
        assert!(removed, "{method} {status} leaves a staging file");
    }
}

#[test]
fn a_move_never_lets_anything_be_overwritten() {
    let server = empty_but("MOVE", "412 Precondition Failed");
    put_to(&server);
    let asked = server.asked();
    let moved = asked.iter().find(|asked| asked.is("MOVE")).unwrap();
    assert!(
        moved.headers.contains(&"overwrite: f".to_owned()),
        "{moved:?}"
    );
    let put = asked.iter().find(|asked| asked.is("PUT")).unwrap();
    assert!(
        put.headers.contains(&"content-length: 10".to_owned()),
        "{put:?}"
    );
    assert_eq!(put.body, b"0123456789");
}

#[test]
fn a_server_that_keeps_fewer_bytes_than_were_sent_is_found_out() {
    let server = empty_but("NOTHING", "");
    let sink = sink(json!({ "url": format!("http://127.0.0.1:{}/", server.port()) }));
    let mut source = Cursor::new(b"eleven byte".to_vec());
    let fault = fault_of(sink.put(&key("a"), &mut source, &Context::quiet()));
    assert_eq!(fault.kind, FaultKind::Corrupt);
    assert!(!server.asked().iter().any(|asked| asked.is("MOVE")));
}

#[test]
fn a_server_that_overwrites_all_the_same_is_refused_by_the_probe() {
    let server = Puppet::saying(|asked| match asked.is("PROPFIND") {
        true => properties(asked),
        false => answer("201 Created", &[], ""),
    });
    let sink = sink(json!({ "url": format!("http://127.0.0.1:{}/", server.port()) }));
    let fault = fault_of(sink.probe(&Context::quiet()));
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert!(words(&fault).contains("Overwrite"), "{}", words(&fault));
}
