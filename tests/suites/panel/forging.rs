//! What another site, another's cookie or a chosen session id get: nothing.

use reqwest::Method;
use serde_json::json;

use super::scene::{Auth, PASSWORD, Scene, cookie_of};

#[test]
fn a_change_needs_the_token_of_its_session_and_pages_of_our_own() {
    let scene = Scene::bare();
    let admin = scene.admin();
    let Auth::Session { cookie, csrf } = &admin.auth else {
        panic!("no session");
    };
    let body = json!({ "nombre": "x", "alcance": "VIEWER" });
    let send = |headers: &[(&str, &str)]| {
        let request = scene
            .nobody()
            .request(Method::POST, "/tokens")
            .header("cookie", cookie);
        let pair = |request: reqwest::blocking::RequestBuilder, (name, value): &(&str, &str)| {
            request.header(*name, *value)
        };
        let request = headers.iter().fold(request, pair);
        request.json(&body).send().unwrap().status().as_u16()
    };
    let own = format!("http://127.0.0.1:{}", scene.port);
    assert_eq!(send(&[]), 403, "a cookie alone");
    assert_eq!(send(&[("x-csrf-token", "x")]), 403);
    assert_eq!(
        send(&[("x-csrf-token", csrf), ("origin", "http://evil.example")]),
        403
    );
    assert_eq!(send(&[("x-csrf-token", csrf), ("origin", "null")]), 403);
    assert_eq!(
        send(&[("x-csrf-token", csrf), ("sec-fetch-site", "cross-site")]),
        403
    );
    assert_eq!(
        send(&[("x-csrf-token", csrf), ("sec-fetch-site", "same-site")]),
        403
    );
    assert_eq!(send(&[("x-csrf-token", csrf), ("origin", &own)]), 201);
    assert_eq!(
        send(&[("x-csrf-token", csrf), ("sec-fetch-site", "same-origin")]),
        201
    );
    let other = scene.person(&admin, "ADMIN");
    let Auth::Session { csrf: another, .. } = &other.auth else {
        panic!("no session");
    };
    assert_eq!(
        send(&[("x-csrf-token", another)]),
        403,
        "that of another session"
    );
}

#[test]
fn a_login_cannot_be_forged_and_is_no_form() {
    let scene = Scene::bare();
    scene.admin();
    let login = |kind: &str, origin: Option<&str>| {
        let mut request = scene
            .nobody()
            .request(Method::POST, "/session")
            .header("content-type", kind);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let sent = json!({ "usuario": "ana", "clave": PASSWORD }).to_string();
        request.body(sent).send().unwrap().status().as_u16()
    };
    assert_eq!(login("text/plain", None), 415);
    assert_eq!(login("application/x-www-form-urlencoded", None), 415);
    assert_eq!(login("application/json", Some("http://evil.example")), 403);
    assert_eq!(login("application/json", None), 200);
}

#[test]
fn a_session_is_new_at_each_login_and_none_is_what_somebody_chose() {
    let scene = Scene::bare();
    let admin = scene.admin();
    let chosen = "respaldo_session=chosen-by-somebody-else-0123456789abcdefgh";
    let login = |cookie: &str| {
        let sent = json!({ "usuario": "ana", "clave": PASSWORD });
        let request = scene
            .nobody()
            .request(Method::POST, "/session")
            .header("cookie", cookie);
        request.json(&sent).send().unwrap()
    };
    let answer = login(chosen);
    let header = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(header.contains(part), "{header}");
    }
    let first = cookie_of(&answer);
    assert_ne!(first, chosen);
    let is_known = |cookie: &str| {
        let request = scene
            .nobody()
            .request(Method::GET, "/status")
            .header("cookie", cookie);
        request.send().unwrap().status() != 401
    };
    assert!(!is_known(chosen) && is_known(&first));
    let second = cookie_of(&login(&first));
    assert!(!is_known(&first), "the session of before ended");
    assert!(is_known(&second));
    // Logging out ends it on the server, not in the browser alone.
    let Auth::Session { cookie, .. } = &admin.auth else {
        panic!("no session");
    };
    assert!(is_known(cookie));
    admin.ask(Method::DELETE, "/session", None);
    assert!(!is_known(cookie));
}
