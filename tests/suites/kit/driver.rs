//! The driver of the binary, tried on a stand-in that obeys the fault protocol.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use respaldo_tests::Respaldo;

/// Three steps, in the words of the protocol.
const STAND_IN: &str = r##"#!/bin/sh
n=0
for step in one two three; do
    n=$((n + 1))
    [ -z "$RESPALDO_FAULTS_TRACE" ] || echo $step >> "$RESPALDO_FAULTS_TRACE"
    case "$RESPALDO_FAULTS" in
        "$step=kill") kill -KILL $$ ;;
        "$step=fail"|"#$n=fail") echo "failed at $step" >&2; exit 1 ;;
        "$step=wait:"*) while [ ! -e "${RESPALDO_FAULTS#*wait:}" ]; do sleep 0.02; done ;;
    esac
done
[ "$1" != forever ] || exec sleep 1000
echo "{\"args\": \"$*\", \"url\": \"$DATABASE_URL\"}"
"##;

fn stand_in() -> Respaldo {
    let driver = Respaldo::bare().env("DATABASE_URL", "postgresql://x/y");
    let path = driver.folder().join("stand-in");
    fs::write(&path, STAND_IN).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    driver.program(&path)
}

#[test]
fn a_run_gives_code_output_and_json() {
    let outcome = stand_in().ok(&["backup", "--json"]);
    assert_eq!(outcome.json()["args"], "backup --json");
    assert_eq!(outcome.json()["url"], "postgresql://x/y");
}

#[test]
fn steps_are_traced_failed_killed_and_held() {
    let driver = stand_in();
    assert_eq!(driver.trace_steps(&[]), ["one", "two", "three"]);
    driver.kill_at_step("two", &[]);
    assert_eq!(
        driver.fail_nth_step(3, &[]).unwrap().stderr,
        "failed at three\n"
    );
    assert!(driver.fail_nth_step(4, &[]).is_none());
    let mut held = driver.hold_at_step("two", &["x"]);
    assert!(!held.running().has_ended());
    assert_eq!(held.release().code, Some(0));
    assert_eq!(driver.hold_at_step("one", &[]).kill().signal, Some(9));
}

#[test]
#[should_panic(expected = "never fired")]
fn a_planned_kill_that_never_fires_fails_the_test() {
    stand_in().kill_at_step("four", &[]);
}

#[test]
#[should_panic(expected = "still ran after")]
fn a_run_that_takes_too_long_is_killed_and_fails_the_test() {
    stand_in()
        .limit(Duration::from_millis(200))
        .run(&["forever"]);
}
