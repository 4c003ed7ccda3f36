//! TLS, a prefix behind a proxy, addresses that others reach.

use std::process::Command;

use reqwest::Method;
use respaldo_tests::respaldo::wait_until;

use super::scene::{LONG, PASSWORD, Scene, cookie_of};

fn certificate(scene: &Scene, name: &str) {
    let folder = scene.respaldo.folder();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "2", "-subj", &format!("/CN={name}")])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout"])
        .arg(folder.join("panel.key"))
        .arg("-out")
        .arg(folder.join("panel.crt"))
        .output();
    assert!(made.unwrap().status.success());
}

#[test]
fn it_speaks_tls_with_its_own_certificate_and_cookies_stay_on_it() {
    let mut scene = Scene::prepared("https");
    certificate(&scene, "one");
    scene.configure("tls_cert = 'panel.crt'\ntls_key = 'panel.key'");
    scene.start(&[]);
    scene.admin();
    let answer = scene.nobody().try_login("ana", PASSWORD);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; Secure"), "{cookie}");
    assert!(answer.headers().contains_key("strict-transport-security"));
    let plain = scene.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(!plain.contains("HTTP/1.1 200"), "{plain}");
    assert!(scene.said().contains("https://"), "{}", scene.said());
}

#[test]
fn a_certificate_that_cannot_be_used_keeps_no_service_from_its_work() {
    let scene = Scene::prepared("http");
    std::fs::write(scene.respaldo.folder().join("panel.crt"), "nonsense").unwrap();
    std::fs::write(scene.respaldo.folder().join("panel.key"), "nonsense").unwrap();
    scene.configure("tls_cert = 'panel.crt'\ntls_key = 'panel.key'\n[schedule]\ncatch_up = true");
    let text = std::fs::read_to_string(scene.respaldo.folder().join("respaldo.toml")).unwrap();
    let text = text.replacen("[schedule]\ncatch_up = false\n", "", 1);
    std::fs::write(scene.respaldo.folder().join("respaldo.toml"), text).unwrap();
    let service = scene.respaldo.spawn(&["serve"]);
    let made = || {
        let listed = scene.respaldo.run(&["list", "--json"]);
        listed.stdout.contains("FULL")
    };
    assert!(wait_until(LONG, made));
    let doctor = scene.respaldo.run(&["doctor"]);
    assert!(doctor.stdout.contains("panel.crt"), "{}", doctor.stdout);
    let said = service.kill();
    assert!(
        said.stderr.contains("the panel cannot begin"),
        "{}",
        said.stderr
    );
}

#[test]
fn behind_a_prefix_everything_is_below_it() {
    let scene = Scene::configured(
        "base_path = '/respaldo'\nbehind_proxy = true\ntrusted_proxies = ['127.0.0.1']",
        "http",
    );
    let get = |path: &str| {
        scene.raw(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
    };
    assert!(get("/respaldo/history").contains("<base href=\"/respaldo/\">"));
    assert!(get("/respaldo").contains("location: /respaldo/"));
    assert!(get("/respaldo/app.js").starts_with("HTTP/1.1 200"));
    assert!(get("/respaldo/api/v1/session").contains("configurado"));
    assert!(get("/respaldo/healthz").contains("bases"));
    assert!(
        get("/healthz").contains("bases"),
        "whoever restarts it asks the port"
    );
    assert!(get("/app.js").starts_with("HTTP/1.1 404"));
    assert!(get("/respaldox/app.js").starts_with("HTTP/1.1 404"));
    assert!(get("/api/v1/session").starts_with("HTTP/1.1 404"));
    let token = scene.setup_token();
    let sent =
        serde_json::json!({ "token": token, "usuario": "ana", "clave": PASSWORD }).to_string();
    let answer = scene.raw(
        format!(
            "POST /respaldo/api/v1/setup HTTP/1.1\r\nHost: inner:1\r\nX-Forwarded-Host: panel.example\r\n\
             X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.5\r\nOrigin: https://panel.example\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{sent}",
            sent.len()
        )
        .as_bytes(),
    );
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(
        answer.contains("Path=/respaldo/") && answer.contains("; Secure"),
        "{answer}"
    );
    // Figures name databases: whoever comes through the proxy shows who it is.
    let far = "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.5\r\nConnection: close\r\n\r\n";
    assert!(scene.raw(far.as_bytes()).starts_with("HTTP/1.1 401"));
    assert!(get("/metrics").starts_with("HTTP/1.1 200"));
}

#[test]
fn passwords_go_over_no_network_in_the_clear() {
    let scene = Scene::prepared("http");
    let listens_far = format!("[panel]\nlisten = '0.0.0.0:{}'\n", scene.port);
    std::fs::write(scene.respaldo.folder().join("respaldo.toml"), &listens_far).unwrap();
    let refused = scene.respaldo.run(&["doctor"]);
    refused.expect_code(10);
    assert!(
        refused.stderr.contains("behind_proxy"),
        "{}",
        refused.stderr
    );
    let told = format!("{listens_far}behind_proxy = true\n");
    std::fs::write(scene.respaldo.folder().join("respaldo.toml"), told).unwrap();
    let doctor = scene.respaldo.run(&["doctor"]);
    assert!(doctor.stdout.contains("0.0.0.0"), "{}", doctor.stdout);
}

#[test]
fn a_proxy_that_nobody_named_is_not_believed() {
    let scene = Scene::bare();
    scene.admin();
    // Each claims to be somebody else, and all are one.
    let attempt = |n: u8| {
        let sent = serde_json::json!({ "usuario": "ana", "clave": "not the password" });
        let request = scene.nobody().request(Method::POST, "/session");
        let request = request.header("x-forwarded-for", format!("203.0.113.{n}"));
        request.json(&sent).send().unwrap().status().as_u16()
    };
    let told: Vec<u16> = (0..8).map(attempt).collect();
    assert!(told.contains(&429), "{told:?}");
    let _ = cookie_of;
}
