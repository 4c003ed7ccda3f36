//! First start, logins, lockout, passwords.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use reqwest::Method;
use serde_json::json;

use super::scene::{PASSWORD, Scene};

#[test]
fn the_first_user_is_made_once_with_the_token_that_was_printed() {
    let mut scene = Scene::bare();
    let nobody = scene.nobody();
    assert_eq!(nobody.get("/session")["configurado"], false);
    let with = |token: &str| json!({ "token": token, "usuario": "ana", "clave": PASSWORD });
    let refused = nobody.refused(Method::POST, "/setup", &with("wrong"));
    assert_eq!(refused, (403, "setup-token-wrong".to_owned()));
    let token = scene.setup_token();
    let short = json!({ "token": token, "usuario": "ana", "clave": "corta" });
    assert_eq!(nobody.refused(Method::POST, "/setup", &short).0, 422);
    let admin = scene.admin();
    assert_eq!(admin.get("/session")["rol"], "ADMIN");
    let refused = nobody.refused(Method::POST, "/setup", &with(&token));
    assert_eq!(refused, (409, "already-set-up".to_owned()));
    // The next start knows the user, and prints no token.
    scene.kill();
    scene.start(&[]);
    assert_eq!(scene.nobody().get("/session")["configurado"], true);
    scene.login("ana", PASSWORD);
    assert!(!scene.said().contains("token"), "{}", scene.said());
}

#[test]
fn who_fails_too_often_waits_and_nothing_tells_who_exists() {
    let scene = Scene::bare();
    scene.admin();
    let nobody = scene.nobody();
    let attempt = |user: &str, password: &str| {
        let answer = nobody.try_login(user, password);
        let wait = answer.headers().get("retry-after").cloned();
        let status = answer.status().as_u16();
        (status, answer.text().unwrap(), wait)
    };
    let (status, of_ana, _) = attempt("ana", "wrong password");
    assert_eq!(status, 401);
    assert_eq!(
        attempt("nobody", "wrong password").1,
        of_ana,
        "the same words"
    );
    let answers: Vec<u16> = (0..4).map(|_| attempt("ana", "wrong password").0).collect();
    assert!(answers.contains(&429), "{answers:?}");
    let (status, _, wait) = attempt("ana", PASSWORD);
    // Right, and too early.
    assert!(status == 429 || status == 200, "{status}");
    if status == 429 {
        assert!(wait.unwrap().to_str().unwrap().parse::<u64>().unwrap() >= 1);
    }
    let opens = respaldo_tests::respaldo::wait_until(super::scene::LONG, || {
        attempt("ana", PASSWORD).0 == 200
    });
    assert!(opens, "it is not for ever");
}

#[test]
fn a_password_is_changed_by_who_knows_it_and_ends_the_other_sessions() {
    let scene = Scene::bare();
    let admin = scene.admin();
    let other = scene.login("ana", PASSWORD);
    let wrong = json!({ "actual": "x", "nueva": "otra clave larga" });
    assert_eq!(
        admin.refused(Method::PUT, "/session/password", &wrong).0,
        403
    );
    let right = json!({ "actual": PASSWORD, "nueva": "otra clave larga" });
    assert_eq!(
        admin.ask(Method::PUT, "/session/password", Some(&right)).0,
        204
    );
    assert_eq!(other.ask(Method::GET, "/status", None).0, 401);
    assert_eq!(scene.nobody().try_login("ana", PASSWORD).status(), 401);
    scene.login("ana", "otra clave larga");
}

#[test]
fn the_last_administrator_stays_and_files_are_for_their_owner_alone() {
    let scene = Scene::bare();
    let admin = scene.admin();
    let refused = admin.ask(Method::DELETE, "/users/ana", None);
    assert_eq!(
        (refused.0, refused.1["codigo"].as_str()),
        (409, Some("last-admin"))
    );
    let blocked = admin.refused(Method::PATCH, "/users/ana", &json!({ "bloqueado": true }));
    assert_eq!(blocked.0, 409);
    let twice = json!({ "usuario": "ana", "clave": PASSWORD, "rol": "VIEWER" });
    assert_eq!(
        admin.refused(Method::POST, "/users", &twice).1,
        "user-exists"
    );
    let mut seen = 0;
    for file in fs::read_dir(scene.state()).unwrap().flatten() {
        let facts = file.metadata().unwrap();
        let mode = facts.permissions().mode() & 0o777;
        let wanted = if facts.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{:?}", file.path());
        let text = fs::read_to_string(file.path()).unwrap_or_default();
        assert!(!text.contains(PASSWORD), "{:?}", file.path());
        seen += 1;
    }
    assert!(seen >= 2);
}
