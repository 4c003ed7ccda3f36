//! What people get wrong, and what is merely unusual: a clear error with its exit code, or simply
//! the right thing.
#![expect(clippy::unwrap_used, reason = "test code")]

#[path = "badinput/configuration.rs"]
mod configuration;
#[path = "badinput/many_tables.rs"]
mod many_tables;
#[path = "badinput/names.rs"]
mod names;
#[path = "badinput/surroundings.rs"]
mod surroundings;
#[path = "badinput/usage.rs"]
mod usage;

use respaldo_tests::Outcome;

/// The password in every URL of this suite; no output may ever hold it.
const PASSWORD: &str = "cl4ve-s3creta";

/// A URL with the password in it.
fn with_password(url: &str, role: &str) -> String {
    url.replace(&format!("//{role}@"), &format!("//{role}:{PASSWORD}@"))
}

/// Panics when an output tells a secret or looks like a crash.
fn assert_decent(outcome: &Outcome) {
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(
        !said.contains(PASSWORD),
        "the password was told: {outcome:#?}"
    );
    for crash in ["panicked", "backtrace", "stack trace", "RUST_BACKTRACE"] {
        assert!(!said.contains(crash), "{outcome:#?}");
    }
}

/// The error as JSON and as text: the exit code, the stable code, and decency.
fn assert_refused(respaldo: &respaldo_tests::Respaldo, args: &[&str], exit: i32, code: &str) {
    let json = respaldo.run(&[args, &["--json"]].concat());
    assert_decent(&json);
    json.expect_error(exit, code);
    let text = respaldo.run(args);
    assert_decent(&text);
    assert_eq!(text.code, Some(exit), "{args:?}: {text:#?}");
    assert!(text.stdout.is_empty(), "errors go to stderr: {text:#?}");
    assert!(
        text.stderr.lines().count() >= 2,
        "a sentence and a hint: {text:#?}"
    );
}
