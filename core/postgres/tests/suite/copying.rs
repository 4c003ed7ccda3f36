//! The connection that copies: it reaches a server exactly where the driver does, and says the same.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use respaldo_postgres::{
    ConnInfo, CopyOut, CopySession, PgError, PgErrorKind, Session, SessionOptions,
};
use respaldo_tests::Cluster;

const PASSWORD: &str = "cl:av/e é%";
const ENCODED: &str = "cl%3Aav%2Fe%20%C3%A9%25";

/// Rows of all sizes around those of buffers, and one that no buffer holds.
const ROWS: &str = "
    CREATE TABLE public.t (n int, v text);
    INSERT INTO public.t SELECT g, repeat(md5(g::text), g % 300) FROM generate_series(1, 2000) g;
    INSERT INTO public.t SELECT g, repeat('x', 131072 - 40 + g) FROM generate_series(1, 60) g;
    INSERT INTO public.t VALUES (0, NULL), (0, ''), (0, '\\.'), (0, E'a\\nb\\tc');
    INSERT INTO public.t SELECT 0, repeat(md5('y'), 200000);
    CREATE TABLE public.nothing ();
    INSERT INTO public.nothing DEFAULT VALUES;
";

fn options() -> SessionOptions {
    SessionOptions::default()
}

fn copied(session: &mut impl CopyOut, statement: &str) -> (Vec<u8>, usize) {
    let (mut all, mut largest) = (Vec::new(), 0);
    let copied = session.copy_out::<PgError>(statement, |piece| {
        all.extend_from_slice(piece);
        largest = largest.max(piece.len());
        Ok(())
    });
    copied.unwrap();
    (all, largest)
}

#[test]
fn rows_are_those_that_the_driver_reads_and_no_piece_is_large() {
    let cluster = Cluster::start();
    let info = ConnInfo::parse(&cluster.new_database("rows")).unwrap();
    cluster.psql("rows", ROWS);
    let mut driver = Session::connect(&info, &options()).unwrap();
    let mut ours = CopySession::connect(&info, &options()).unwrap();
    ours.batch("BEGIN ISOLATION LEVEL REPEATABLE READ").unwrap();
    for relation in [
        "public.t",
        "public.nothing",
        "(SELECT 1 WHERE false)",
        "(SELECT n FROM public.t)",
    ] {
        let statement = format!("COPY {relation} TO STDOUT");
        let (text, largest) = copied(&mut ours, &statement);
        assert!(text == copied(&mut driver, &statement).0, "{relation}");
        assert!(largest <= 256 * 1024, "{relation}: {largest}");
    }
    for question in [
        "SELECT 'ñ'",
        "SELECT NULL::int",
        "SELECT count(*) FROM public.t",
        "SHOW extra_float_digits",
    ] {
        let said = ours.text(question).unwrap();
        if !question.starts_with("SHOW") {
            assert_eq!(said, driver.text(question).unwrap(), "{question}");
        }
    }
    drop(ours);
}

#[test]
fn what_the_server_refuses_is_told_by_its_kind_and_the_session_goes_on() {
    let cluster = Cluster::start();
    let info = ConnInfo::parse(&cluster.new_database("refused")).unwrap();
    let mut session = CopySession::connect(&info, &options()).unwrap();
    let mut fails = |statement: &str| {
        let copied = session.copy_out::<PgError>(statement, |_| Ok(()));
        copied.unwrap_err()
    };
    assert_eq!(
        fails("COPY public.missing TO STDOUT").kind,
        PgErrorKind::NotFound
    );
    let late = fails("COPY (SELECT 1 / (50000 - g) FROM generate_series(1, 60000) g) TO STDOUT");
    assert_eq!(late.sqlstate.as_deref(), Some("22012"));
    let cancelled =
        fails("COPY (SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)) TO STDOUT");
    assert_eq!(cancelled.kind, PgErrorKind::Cancelled);
    assert_eq!(
        session
            .batch("SELECT 1 / 0")
            .unwrap_err()
            .sqlstate
            .as_deref(),
        Some("22012")
    );
    assert_eq!(session.text("SELECT 7").unwrap(), "7");
    let killed = session
        .batch("SELECT pg_terminate_backend(pg_backend_pid())")
        .unwrap_err();
    assert_eq!(killed.kind, PgErrorKind::Connection);
}

#[test]
fn a_copy_that_waits_can_be_stopped_and_an_answer_has_its_limit() {
    let cluster = Cluster::start();
    let info = ConnInfo::parse(&cluster.new_database("waits")).unwrap();
    let mut session = CopySession::connect(&info, &options()).unwrap();
    let stop = || PgError::new("stopped", sqlx::Error::WorkerCrashed);
    let stopped = session.copy_out("COPY (SELECT pg_sleep(600)) TO STDOUT", |_| Err(stop()));
    assert_eq!(stopped.unwrap_err().doing, "stopped");
    let limited = SessionOptions {
        answer_timeout: Duration::from_millis(700),
        ..options()
    };
    let mut session = CopySession::connect(&info, &limited).unwrap();
    let late = session.batch("SELECT pg_sleep(600)").unwrap_err();
    assert_eq!(late.kind, PgErrorKind::Connection);
}

#[test]
fn a_server_is_reached_where_and_as_the_driver_reaches_it() {
    let cluster = Cluster::start();
    cluster.new_database("live");
    set_up_roles(&cluster);
    set_up_tls(&cluster);
    set_up_rules(&cluster);
    let data = cluster.data_dir();
    let file = |name: &str| data.join(name).to_str().unwrap().to_owned();
    let authority = format!("sslrootcert={}", file("ca.crt"));
    let certificate = format!(
        "sslcert={}&sslkey={}",
        file("client.crt"),
        file("client.key")
    );
    let sockets = data.parent().unwrap().to_str().unwrap();
    let (port, socket) = (cluster.port(), sockets.replace('/', "%2F"));
    let passfile = file("passfile");
    fs::write(
        &passfile,
        format!(
            "127.0.0.1:{port}:live:scram:{}\n",
            PASSWORD.replace(':', "\\:")
        ),
    )
    .unwrap();
    fs::set_permissions(&passfile, fs::Permissions::from_mode(0o600)).unwrap();
    let at = |who: &str, host: &str, query: &str| {
        format!("postgresql://{who}@{host}:{port}/live?{query}")
    };
    let here = |who: &str, query: &str| at(who, "127.0.0.1", query);
    let cases = [
        (here("tls", "sslmode=disable"), None),
        (here("tls", "sslmode=prefer"), Some("true")),
        (here("tls", "sslmode=require"), Some("true")),
        (here("tls", "sslmode=verify-ca"), None),
        (
            here("tls", &format!("sslmode=verify-ca&{authority}")),
            Some("true"),
        ),
        (
            here("tls", &format!("sslmode=verify-full&{authority}")),
            Some("true"),
        ),
        (here("tls", "sslmode=verify-full"), None),
        (
            at(
                "tls",
                "localhost",
                &format!("sslmode=verify-ca&{authority}"),
            ),
            Some("true"),
        ),
        (
            at(
                "tls",
                "localhost",
                &format!("sslmode=verify-full&{authority}"),
            ),
            None,
        ),
        (here("certified", "sslmode=require"), None),
        (
            here("certified", &format!("sslmode=require&{certificate}")),
            Some("true"),
        ),
        (
            here(
                "certified",
                &format!("sslmode=verify-full&{authority}&{certificate}"),
            ),
            Some("true"),
        ),
        (here("dueno", "sslmode=disable"), Some("false")),
        (at("dueno", &socket, ""), Some("false")),
        (at("dueno", &socket, "sslmode=require"), None),
        (
            format!("postgresql://dueno@127.0.0.1:1,127.0.0.1:{port}/live?sslmode=disable"),
            Some("false"),
        ),
        (here("scram", &format!("passfile={passfile}")), Some("true")),
        (here("md5", &format!("passfile={passfile}")), None),
    ];
    for (url, expected) in cases {
        both(&url, expected);
    }
    for role in ["scram", "md5", "clear"] {
        for mode in ["disable", "prefer"] {
            let expected = Some(if mode == "disable" { "false" } else { "true" });
            both(
                &here(&format!("{role}:{ENCODED}"), &format!("sslmode={mode}")),
                expected,
            );
        }
        for wrong in [role.to_owned(), format!("{role}:falsch")] {
            let refused = both(&here(&wrong, "passfile=/nowhere"), None).unwrap();
            assert_eq!(refused.kind, PgErrorKind::Denied, "{wrong}");
            assert!(!format!("{refused:?}").contains("falsch"), "{refused:?}");
        }
    }
}

/// Connects both ways; `expected` says whether encrypted, or that it fails.
fn both(url: &str, expected: Option<&str>) -> Option<PgError> {
    const IS_ENCRYPTED: &str =
        "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()";
    let info = ConnInfo::parse(url).unwrap();
    let driver = Session::connect(&info, &options());
    let theirs = driver
        .ok()
        .map(|mut driver| driver.text(IS_ENCRYPTED).unwrap());
    assert_eq!(theirs.as_deref(), expected, "the driver: {url}");
    match CopySession::connect(&info, &options()) {
        Err(error) => {
            assert_eq!(expected, None, "{url}: {error:?}");
            Some(error)
        }
        Ok(mut session) => {
            let question = format!("SELECT (SELECT ssl::text FROM ({IS_ENCRYPTED}) s)");
            assert_eq!(
                Some(session.text(&question).unwrap().as_str()),
                expected,
                "{url}"
            );
            None
        }
    }
}

fn set_up_roles(cluster: &Cluster) {
    let password = PASSWORD.replace('\'', "''");
    cluster.psql(
        "postgres",
        &format!(
            "CREATE ROLE tls LOGIN; CREATE ROLE certified LOGIN;
             SET password_encryption = 'scram-sha-256';
             CREATE ROLE scram LOGIN PASSWORD '{password}'; CREATE ROLE clear LOGIN PASSWORD '{password}';
             SET password_encryption = 'md5'; CREATE ROLE md5 LOGIN PASSWORD '{password}';"
        ),
    );
}

/// An authority, the server's certificate for its address alone, and one of a client. Made by the server's own
/// user, to whom they must belong.
fn set_up_tls(cluster: &Cluster) {
    let new = "openssl req -batch -newkey rsa:2048 -nodes";
    let sign = "openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 9";
    let commands = [
        format!("{new} -x509 -days 9 -keyout ca.key -out ca.crt -subj /CN=ca"),
        "printf \"basicConstraints=CA:FALSE\\nsubjectAltName=IP:127.0.0.1\\n\" > extensions"
            .to_owned(),
        format!("{new} -keyout server.key -out server.csr -subj /CN=server"),
        format!("{sign} -in server.csr -out server.crt -extfile extensions"),
        format!("{new} -keyout client.key -out client.csr -subj /CN=certified"),
        format!("{sign} -in client.csr -out client.crt -extfile extensions"),
    ];
    for command in commands {
        let quiet = format!("cat > rest; {command} 2> rest");
        cluster.psql("postgres", &format!("COPY (SELECT 1) TO PROGRAM '{quiet}'"));
    }
    for setting in ["ssl_ca_file = 'ca.crt'", "ssl = on"] {
        cluster.psql("postgres", &format!("ALTER SYSTEM SET {setting}"));
    }
}

fn set_up_rules(cluster: &Cluster) {
    let path = cluster.data_dir().join("pg_hba.conf");
    let rules = fs::read_to_string(&path).unwrap();
    let address = "127.0.0.1/32";
    let ours = format!(
        "hostnossl all tls {address} reject\nhostssl all tls {address} trust\n\
         hostssl all certified {address} cert\nhostnossl all certified {address} reject\n\
         host all scram {address} scram-sha-256\nhost all md5 {address} md5\nhost all clear {address} password\n"
    );
    fs::write(&path, ours + &rules).unwrap();
    cluster.restart();
}
