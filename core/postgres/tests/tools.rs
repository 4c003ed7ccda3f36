//! The stock tools against a real server, as a role that is not a superuser.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use respaldo_postgres::{ConnInfo, ToolError, Tools, roles};
use respaldo_tests::{Client, Cluster};

const LIMIT: Duration = Duration::from_mins(1);
const GO_ON: &(dyn Fn() -> bool + Sync) = &|| false;

fn tools(cluster: &Cluster) -> Tools {
    Tools::find(Some(cluster.bin_dir()), cluster.major() * 10_000).unwrap()
}

fn said(error: &ToolError) -> String {
    match error {
        ToolError::Failed { said, .. } => said.clone(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_tool_runs_with_our_settings_and_without_our_environment() {
    let cluster = Cluster::start();
    let url = cluster.owned_database("con espacio", "dueno");
    cluster.psql("postgres", "ALTER ROLE dueno SET bytea_output = 'escape'");
    cluster.psql("postgres", "ALTER ROLE dueno SET DateStyle = 'SQL, DMY'");
    let info = ConnInfo::parse(&format!("{url}?options=-c%20app.own%3D1")).unwrap();
    let show = "SELECT current_setting('bytea_output'), current_setting('DateStyle'), \
        current_setting('TimeZone'), current_setting('app.own'), current_setting('app.user'), \
        current_setting('application_name')";
    let done = tools(&cluster)
        .psql
        .command(&info)
        .setting("app.user", r"a b\c")
        .application_name("it's me")
        .args(["-X", "-A", "-t", "-c", show, "-c", r"\! env"])
        .run(GO_ON, LIMIT)
        .unwrap();
    let text = String::from_utf8(done.output).unwrap();
    let (row, environment) = text.split_once('\n').unwrap();
    assert_eq!(row, r"hex|ISO, MDY|UTC|1|a b\c|it's me");
    assert!(!environment.contains("CARGO"), "{environment}");
}

#[test]
fn what_a_failing_tool_says_is_kept_and_a_password_in_it_is_not() {
    let cluster = Cluster::start();
    let url = cluster
        .owned_database("d", "dueno")
        .replace("dueno@", "dueno:geheim@");
    let psql = tools(&cluster)
        .psql
        .command(&ConnInfo::parse(&url).unwrap());
    let error = psql
        .args(["-X", "-c", "SELECT geheim"])
        .run(GO_ON, LIMIT)
        .unwrap_err();
    assert!(said(&error).contains("***"), "{error}");
    assert!(!error.to_string().contains("geheim"), "{error}");
}

#[test]
fn a_tool_reads_the_stream_it_is_given() {
    let cluster = Cluster::start();
    let info = ConnInfo::parse(&cluster.owned_database("d", "dueno")).unwrap();
    let psql = tools(&cluster)
        .psql
        .command(&info)
        .args(["-X", "-A", "-t", "-f", "-"]);
    let done = psql.input(&b"SELECT 6 * 7;"[..]).run(GO_ON, LIMIT).unwrap();
    assert_eq!(done.output, b"42\n");
}

#[test]
fn a_waiting_tool_ends_when_it_is_told_to_when_its_time_is_up_and_when_it_is_dropped() {
    let cluster = Cluster::start();
    let info = ConnInfo::parse(&cluster.owned_database("d", "dueno")).unwrap();
    let tools = tools(&cluster);
    let sleep = || {
        tools
            .psql
            .command(&info)
            .application_name("sleeper")
            .args(["-c", "SELECT pg_sleep(300)"])
    };
    let start = Instant::now();

    let error = sleep().run(GO_ON, Duration::from_millis(300)).unwrap_err();
    assert!(matches!(error, ToolError::TooSlow { .. }), "{error}");

    let stop = AtomicBool::new(false);
    let asked = || stop.swap(true, Ordering::SeqCst);
    let error = sleep().run(&asked, LIMIT).unwrap_err();
    assert!(matches!(error, ToolError::Stopped { .. }), "{error}");

    drop(sleep().spawn_reading(GO_ON).unwrap());
    assert!(start.elapsed() < Duration::from_secs(20));
}

/// The guardian ends the tool through its group, also when this process dies without a word.
#[test]
fn a_tool_does_not_outlive_us() {
    if std::env::var_os("RESPALDO_TEST_VICTIM").is_some() {
        return wait_for_ever();
    }
    let cluster = Cluster::start();
    let url = cluster.owned_database("d", "dueno");
    let mut client = Client::connect(&cluster.url("d"));
    client.exec("CREATE TABLE t (); ALTER TABLE t OWNER TO dueno");
    let mut holder = Client::connect(&cluster.url("d"));
    holder.exec("BEGIN; LOCK TABLE t");
    let mut victim = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["a_tool_does_not_outlive_us", "--exact", "--nocapture"])
        .env("RESPALDO_TEST_VICTIM", url)
        .env("RESPALDO_TEST_BIN", cluster.bin_dir())
        .spawn()
        .unwrap();
    let mut waiting = |wanted: &str| {
        let count = "SELECT count(*) FROM pg_stat_activity \
            WHERE application_name = 'waiting' AND wait_event_type = 'Lock'";
        let deadline = Instant::now() + LIMIT;
        while client.one(count) != wanted {
            assert!(Instant::now() < deadline, "never saw {wanted} waiting");
        }
    };
    waiting("1");
    victim.kill().unwrap();
    victim.wait().unwrap();
    waiting("0");
}

fn wait_for_ever() {
    let info = ConnInfo::parse(&std::env::var("RESPALDO_TEST_VICTIM").unwrap()).unwrap();
    let folder = std::env::var_os("RESPALDO_TEST_BIN").unwrap();
    let tools = Tools::find(Some(folder.as_ref()), 120_000).unwrap();
    let pg_dump = tools.pg_dump.command(&info).application_name("waiting");
    pg_dump.run(GO_ON, Duration::from_mins(10)).unwrap();
}

#[test]
fn output_is_read_as_a_stream_and_the_exit_status_counts() {
    let cluster = Cluster::start();
    let info = ConnInfo::parse(&cluster.owned_database("d", "dueno")).unwrap();
    let tools = tools(&cluster);
    let count = |script: &str| {
        let psql = tools
            .psql
            .command(&info)
            .args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        let mut running = psql.args(["-c", script]).spawn_reading(GO_ON).unwrap();
        let mut text = Vec::new();
        running.read_to_end(&mut text).unwrap();
        (text.len(), running.finish(LIMIT).is_ok())
    };
    assert_eq!(
        count("COPY (SELECT generate_series(100000, 999999)) TO STDOUT"),
        (6_300_000, true)
    );
    assert!(!count("COPY (SELECT 1 / (3 - i) FROM generate_series(1, 3) i) TO STDOUT").1);
}

#[test]
fn roles_are_dumped_without_superuser_and_restore_elsewhere() {
    let cluster = Cluster::start();
    let info = ConnInfo::parse(&cluster.owned_database("it's = \"mine\"", "dueno")).unwrap();
    cluster.psql(
        "postgres",
        "CREATE ROLE nuevo LOGIN PASSWORD 'secreto' VALID UNTIL '2030-01-01'; GRANT lector TO nuevo;
         ALTER ROLE nuevo SET work_mem = '5MB'; COMMENT ON ROLE nuevo IS 'di ''hola''';",
    );
    let script = roles::dump_roles(&tools(&cluster), &info, GO_ON, LIMIT).unwrap();
    assert!(
        !script.contains("restrict ") && !script.contains("PASSWORD '"),
        "{script}"
    );
    assert!(!script.contains("SCRAM"), "{script}");
    cluster.psql("postgres", "DROP ROLE nuevo");
    let wanted = |line: &&str| line.contains("nuevo") && !line.starts_with("--");
    let again: Vec<&str> = script.lines().filter(wanted).collect();
    cluster.psql("postgres", &again.join("\n"));
    let member = "SELECT pg_has_role('nuevo', 'lector', 'member'), shobj_description(oid, 'pg_authid') \
        FROM pg_authid WHERE rolname = 'nuevo'";
    assert_eq!(cluster.psql("postgres", member), "t|di 'hola'");
}
