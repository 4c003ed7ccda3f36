//! Configurations that cannot be used.

use respaldo_tests::{Cluster, Respaldo};

use super::{PASSWORD, assert_decent, assert_refused};

const LIST: [&str; 1] = ["list"];

fn with(config: &str) -> Respaldo {
    let url = format!("postgresql://me:{PASSWORD}@127.0.0.1:1/db");
    Respaldo::bare().env("DATABASE_URL", &url).config(config)
}

#[test]
fn unknown_keys_are_refused_with_the_one_that_was_meant() {
    for (config, meant) in [
        ("[repository]\ndirr = 'x'", "repository.dir"),
        ("[detector]\nusse = 'xmin'", "detector.use"),
        ("[repositry]\ndir = 'x'", "[repository]"),
        (
            "[[sink]]\nname = 'a'\nuse = 'local'\ndir = 'x'\nrequird = true",
            "required",
        ),
    ] {
        let respaldo = with(config);
        assert_refused(&respaldo, &LIST, 10, "config-invalid");
        let said = respaldo.run(&LIST).stderr;
        assert!(said.contains(meant), "{config}: {said}");
    }
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for config in [
        "[repository]\ndir = 5",
        "[repository]\ndir = ['a']",
        "[detector]\nworkers = 'many'",
        "[catalog]\nenabled = 'perhaps'",
        "[detector]\nuse = 'crystal-ball'",
        "[dumper]\nuse = 'shovel'",
        "[[sink]]\nname = 'a'\nuse = 'teapot'\ndir = 'x'",
        "[[validator]]\nuse = 'oracle'\nwhen = 'after-backup'",
        "repository = 'x'",
        "[sink]\nname = 'a'",
        "[panel]\nlisten = '0.0.0.0:8787'",
        "[panel]\nlisten = 'here'",
        "[catalog]\nurl = { env = 'NO_SUCH_VARIABLE' }",
    ] {
        let respaldo = with(config);
        let outcome = respaldo.run(&["backup", "full", "--json"]);
        assert_decent(&outcome);
        assert_eq!(outcome.code, Some(10), "{config}: {outcome:#?}");
        assert_eq!(outcome.error_code(), "config-invalid", "{config}");
    }
}

#[test]
fn a_secret_that_is_not_where_it_should_be_is_refused() {
    for url in ["{ file = 'no-such-file' }", "{ env = 'NO_SUCH_VARIABLE' }"] {
        let respaldo = Respaldo::bare().config(&format!("[database]\nurl = {url}"));
        assert_refused(&respaldo, &LIST, 10, "config-invalid");
    }
}

#[test]
fn files_that_are_no_configuration_are_refused() {
    for config in [
        "[repository",
        "dir = = 1",
        "\u{0}\u{1}",
        "[a]\nb = 1\nb = 2",
    ] {
        assert_refused(&with(config), &LIST, 10, "config-unreadable");
    }
    let respaldo = with("");
    assert_refused(
        &respaldo,
        &["--config", "nowhere.toml", "list"],
        10,
        "config-unreadable",
    );
    let elsewhere = with("").env("RESPALDO_CONFIG", "nowhere.toml");
    assert_refused(&elsewhere, &LIST, 10, "config-unreadable");
}

#[test]
fn variables_are_checked_as_the_file_is() {
    let unknown = with("").env("RESPALDO_REPOSITORY__DIRR", "x");
    assert_refused(&unknown, &LIST, 10, "config-invalid");
    let wrong = with("").env("RESPALDO_DETECTOR__WORKERS", "many");
    assert_refused(&wrong, &LIST, 10, "config-invalid");
}

#[test]
fn urls_that_are_none_are_refused_without_being_repeated() {
    for url in [
        "not a url",
        "mysql://me:cl4ve-s3creta@host/db",
        "postgresql://me:cl4ve-s3creta@host:port/db",
        "postgresql://me:cl4ve-s3creta@host:99999/db",
        "postgresql://me:cl4ve-s3creta%zz@host/db",
        "postgresql://me:cl4ve-s3creta@host/db?sslmode=perhaps",
    ] {
        let respaldo = Respaldo::bare().env("DATABASE_URL", url);
        assert_refused(&respaldo, &LIST, 10, "config-invalid");
        let target = with("");
        let args = ["restore", "--at", "latest", "--json", "--target-url", url];
        let outcome = target.run(&args);
        assert_decent(&outcome);
        assert_eq!(outcome.code, Some(10), "{url}: {outcome:#?}");
    }
}

#[test]
fn without_a_database_nothing_is_guessed() {
    assert_refused(&Respaldo::bare(), &LIST, 10, "config-invalid");
    assert_refused(&Respaldo::bare(), &["backup", "full"], 10, "config-invalid");
}

#[test]
fn the_configuration_in_force_is_shown_without_secrets() {
    let cluster = Cluster::start();
    cluster.new_database("shown");
    let url = super::with_password(&cluster.url("shown"), "postgres");
    let respaldo = Respaldo::for_url(&cluster, &url).config("[detector]\nuse = 'xmin'");
    for args in [
        &["config", "show"][..],
        &["config", "show", "--json"],
        &["doctor"],
        &["status"],
    ] {
        let outcome = respaldo.run(args);
        assert_decent(&outcome);
        assert!(outcome.is_done(), "{args:?}: {outcome:#?}");
    }
    assert!(respaldo.ok(&["config", "show"]).stdout.contains("xmin"));
    assert_decent(&respaldo.ok(&["backup", "full", "-vv"]));
}
