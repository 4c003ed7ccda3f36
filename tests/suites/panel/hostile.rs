//! Requests that mean harm, or none at all.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use super::scene::{Auth, DB, HOSTILE, OWNER, Scene};

fn status(answer: &str) -> u16 {
    let word = answer.split(' ').nth(1).unwrap_or_default();
    word.parse().unwrap_or(0)
}

#[test]
fn no_path_leads_out_of_the_pages() {
    let scene = Scene::bare();
    for path in [
        "/../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/messages/../../Cargo.toml",
        "/messages/%2e%2e/index.html",
        "//etc/passwd",
        "/icons/..\\..\\x.toml",
        "/.respaldo/panel/panel-users.json",
        "/respaldo.toml",
        "/index.html%00.js",
    ] {
        let answer = scene
            .raw(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
        let told = status(&answer);
        // A path without an extension is a page, which finds its own way.
        let is_page = told == 200 && answer.contains("<!doctype html>");
        assert!(is_page || told == 404 || told == 400, "{path}: {answer}");
        assert!(
            !answer.contains("root:") && !answer.contains("[panel]"),
            "{path}"
        );
    }
    let admin = scene.admin();
    for id in [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "%00",
        "full_20000101_000000.backup%2f..",
        "%ff",
    ] {
        let (status, _) = admin.ask(Method::GET, &format!("/backups/{id}"), None);
        assert_eq!(status, 404, "{id}");
        assert_eq!(
            admin.ask(Method::GET, &format!("/exports/{id}"), None).0,
            404
        );
    }
}

#[test]
fn every_answer_says_what_pages_may_do() {
    let scene = Scene::bare();
    for path in [
        "/",
        "/history",
        "/app.js",
        "/api/v1/session",
        "/api/v1/nothing",
        "/nothing.js",
        "/healthz",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = scene.raw(request.as_bytes()).to_lowercase();
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
        ] {
            assert!(answer.contains(header), "{path}: {header}: {answer}");
        }
        assert!(!answer.contains("unsafe-inline"), "{path}");
    }
    let page = scene.raw(b"GET /history HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(
        page.contains("text/html; charset=utf-8") && page.contains("<base href=\"/\">"),
        "{page}"
    );
    let script = scene.raw(
        b"GET /app.js HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
    );
    assert!(
        script.contains("text/javascript") && script.contains("content-encoding: gzip"),
        "{script}"
    );
    let tag = script
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap();
    let again = format!(
        "GET /app.js HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(status(&scene.raw(again.as_bytes())), 304);
}

#[test]
fn heads_and_bodies_that_are_too_large_are_refused() {
    let scene = Scene::bare();
    let admin = scene.admin();
    let long = format!(
        "GET /api/v1/session HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "x".repeat(64 * 1024)
    );
    assert_eq!(status(&scene.raw(long.as_bytes())), 431);
    let many: Vec<String> = (0..300).map(|n| format!("X-{n}: x\r\n")).collect();
    let many = many.concat();
    let many = format!("GET /api/v1/session HTTP/1.1\r\nHost: x\r\n{many}\r\n");
    assert_eq!(status(&scene.raw(many.as_bytes())), 431);
    let large = vec![b' '; 1024 * 1024 + 1];
    let request = admin
        .request(Method::POST, "/users")
        .header("content-type", "application/json");
    let answer = request.body(large).send().unwrap();
    assert_eq!(answer.status(), 413);
    // Of a length that is not told, as much is read and no more.
    let Auth::Session { cookie, csrf } = &admin.auth else {
        panic!("no session");
    };
    let mut chunked = format!(
        "POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nCookie: {cookie}\r\n\
         X-CSRF-Token: {csrf}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    for _ in 0..40 {
        chunked += "8000\r\n";
        chunked += &" ".repeat(0x8000);
        chunked += "\r\n";
    }
    chunked.push_str("0\r\n\r\n");
    assert_eq!(status(&scene.raw(chunked.as_bytes())), 413);
    assert_eq!(admin.get("/session")["usuario"], "ana");
}

#[test]
fn clients_that_say_nothing_or_say_it_slowly_hinder_nobody() {
    let scene = Scene::bare();
    let admin = scene.admin();
    let connect = || TcpStream::connect(("127.0.0.1", scene.port)).unwrap();
    // Some say nothing, some a part of a head, some a part of a body.
    let silent: Vec<TcpStream> = (0..20).map(|_| connect()).collect();
    let mut head = connect();
    head.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").unwrap();
    let Auth::Session { cookie, csrf } = &admin.auth else {
        panic!("no session");
    };
    let mut body = connect();
    let begun = format!(
        "POST /api/v1/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nCookie: {cookie}\r\n\
         X-CSRF-Token: {csrf}\r\nContent-Length: 1000\r\n\r\n{{"
    );
    body.write_all(begun.as_bytes()).unwrap();
    let start = Instant::now();
    let drip = thread::spawn(move || {
        let mut answer = Vec::new();
        body.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let _ = body.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    for _ in 0..10 {
        assert_eq!(admin.get("/session")["usuario"], "ana");
    }
    let answer = drip.join().unwrap();
    assert_eq!(status(&answer), 408, "{answer}");
    // One that dripped letters would have been at it for hours.
    let mut left = [0; 1];
    head.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut bytes = 0;
    while let Ok(1) = head.read(&mut left) {
        bytes += 1;
    }
    println!(
        "ended after {:?}, having said {bytes} bytes",
        start.elapsed()
    );
    for mut stream in silent {
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        assert_eq!(
            stream.read(&mut left).unwrap_or(0),
            0,
            "the connection is ended"
        );
    }
}

#[test]
fn one_address_does_not_take_all_connections() {
    let scene = Scene::bare();
    let mut held = Vec::new();
    let mut refused = 0;
    for _ in 0..100 {
        let mut stream = TcpStream::connect(("127.0.0.1", scene.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let mut byte = [0; 1];
        match stream.read(&mut byte) {
            Ok(0) => refused += 1,
            _ => held.push(stream),
        }
    }
    assert!(
        (1..=64).contains(&held.len()),
        "{} held, {refused} refused",
        held.len()
    );
    drop(held);
    let free = respaldo_tests::respaldo::wait_until(super::scene::LONG, || {
        scene
            .nobody()
            .request(Method::GET, "/session")
            .send()
            .is_ok()
    });
    assert!(free);
}

#[test]
fn names_that_are_markup_go_through_as_names() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    let job = admin.job("/backups", &json!({ "tipo": "FULL", "etiqueta": HOSTILE }));
    assert_eq!(job["estado"], "COMPLETADO", "{job}");
    let id = &job["resultado"]["id"];
    let shown = admin.get(&format!("/backups/{id}?tabla=onerror"));
    let name = format!("public.\"{HOSTILE}\"");
    assert_eq!(shown["tablas"][0]["tabla"], name.as_str(), "{shown}");
    assert_eq!(shown["tablas_encontradas"], 1);
    let listed = admin.get("/backups?buscar=%3Cimg");
    assert_eq!(listed["elementos"][0]["etiqueta"], HOSTILE, "{listed}");
    let answer = admin
        .request(Method::GET, &format!("/backups/{id}"))
        .send()
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    scene.cluster.psql_as(OWNER, DB, "SELECT 1");
}

#[test]
fn nonsense_is_told_of_and_is_no_failure() {
    let scene = Scene::bare();
    scene.is_up();
    let admin = scene.admin();
    for (path, wanted) in [
        ("/backups?limit=0", 400),
        ("/backups?limit=99999999999999999999", 400),
        ("/backups?limit=-1", 400),
        ("/backups?nonsense=1", 400),
        ("/backups?limit=1&limit=2", 400),
        ("/backups?tipo=DAILY", 400),
        ("/backups?desde=yesterday", 422),
        ("/backups?base=nobody", 404),
        ("/preview", 400),
        ("/preview?at=latest&id=1", 400),
        ("/preview?at=latest", 404),
        ("/backups/99999999999999999999", 404),
        ("/backups/-1", 404),
        ("/jobs/x", 404),
        ("/nothing", 404),
    ] {
        let (status, document) = admin.ask(Method::GET, path, None);
        assert_eq!(status, wanted, "{path}: {document}");
        for key in ["type", "title", "status", "detail", "codigo", "sugerencia"] {
            assert!(!document[key].is_null(), "{path}: {key}: {document}");
        }
    }
    let answer = admin.request(Method::PUT, "/status").send().unwrap();
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["allow"].to_str().unwrap()
        ),
        (405, "GET")
    );
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{\"tipo\": 1}",
        "{\"tipo\": \"FULL\", \"more\": 1}",
        "{\"tipo\":\"\\u0000\"}",
    ] {
        let request = admin
            .request(Method::POST, "/backups")
            .header("content-type", "application/json");
        let status = request.body(body).send().unwrap().status().as_u16();
        assert!(status == 400 || status == 422, "{body}: {status}");
    }
}
