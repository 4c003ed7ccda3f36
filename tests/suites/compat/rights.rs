//! Roles, settings and secrets (defects 42 to 45).

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use respaldo_tests::{Cluster, Respaldo, Snapshot, assert_equal};

use crate::scene::{Made, OWNER, Scene, files_below, in_place, refused_by};

/// Defect 42.
#[test]
fn an_owner_without_superuser_restores_every_link_of_a_chain() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    let full = scene.keep("full");
    scene.sql("INSERT INTO app.documento (id_tipo_documento, id_entidad, numero) SELECT 1, min(id), 'B-1' FROM app.entidad_comercial");
    let dif = scene.keep("dif");
    scene.sql("DELETE FROM app.pago WHERE id = 1; UPDATE app.articulo SET costo = costo + 1");
    let inc = scene.keep("inc");
    for point in [&full, &dif, &inc] {
        scene.proof(point);
        let restored = scene.restore_in_place(point);
        assert_eq!(restored["avisos"], serde_json::json!([]));
    }
}

/// Defect 42.
#[test]
fn an_owner_who_may_not_make_databases_fills_an_empty_one_or_is_told() {
    let cluster = Cluster::start();
    let owner = "dueno_sin_createdb";
    let url = cluster.owned_database("modesta", owner);
    respaldo_tests::app_fixture::load(&cluster, "modesta", owner);
    respaldo_tests::app_fixture::add_activity(&cluster, "modesta", owner);
    let respaldo = Respaldo::for_url(&cluster, &url);
    respaldo.ok(&["backup", "full"]);
    cluster.psql_as(
        owner,
        "modesta",
        "UPDATE app.documento SET estado = 'ANULADO'",
    );
    let inc = Made::of(&respaldo.ok(&["backup", "inc", "--json"]));
    let image = Snapshot::take(&cluster.url("modesta"));

    refused_by(&respaldo, 12, "rights-missing", &in_place(&inc));
    let new = [
        "restore",
        "--json",
        "--id",
        &inc.id,
        "--target-db",
        "nueva",
        "--create",
    ];
    refused_by(&respaldo, 12, "rights-missing", &new);
    assert_equal(&image, &Snapshot::take(&cluster.url("modesta")));
    cluster.owned_database("vacia", owner);
    respaldo.ok(&["restore", "--id", &inc.id, "--target-db", "vacia"]);
    assert_equal(&image, &Snapshot::take(&cluster.url("vacia")));
}

/// Defect 42.
#[test]
fn a_role_that_cannot_read_everything_is_refused_before_it_writes() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    cluster.psql(
        &scene.db,
        "CREATE ROLE invitado LOGIN; GRANT ALL ON SCHEMA public, ref, app, seguridad TO invitado;
         GRANT ALL ON ALL TABLES IN SCHEMA public, ref, app, seguridad TO invitado;
         GRANT ALL ON ALL SEQUENCES IN SCHEMA public, ref, app, seguridad TO invitado",
    );
    let guest = Respaldo::for_url(&cluster, &cluster.url_as("invitado", &scene.db));
    let folder = guest.folder().join("backups_incrementales");
    refused_by(
        &guest,
        12,
        "coverage-incomplete",
        &["backup", "full", "--json"],
    );
    assert_eq!(files_below(&folder), [""; 0], "no partial file is left");

    let partial = guest.run(&["backup", "full", "--json", "--allow-partial"]);
    let json = partial.expect_code(3).json();
    assert_eq!(json["cobertura"]["completa"], false);
    let missing = json["cobertura"]["faltantes"].to_string();
    for table in [
        "app.documento",
        "app.entidad_comercial",
        "app.movimiento_articulo",
    ] {
        assert!(missing.contains(table), "{table} is named: {missing}");
    }
    let told = guest.run(&["doctor"]);
    assert!(
        told.stdout.contains("BYPASSRLS"),
        "the remedy is printed: {told:#?}"
    );
}

/// Defect 43.
#[test]
fn the_maintenance_user_is_known_to_every_statement_of_a_restore() {
    let cluster = Cluster::start();
    let mut scene = Scene::open(&cluster);
    scene.sql(
        "CREATE FUNCTION who() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(current_setting('app.user_id', true), 'nobody') $$;
         CREATE TABLE t (id int, loaded_by text GENERATED ALWAYS AS (public.who()) STORED); INSERT INTO t VALUES (1);
         CREATE MATERIALIZED VIEW refreshed AS SELECT public.who() AS by",
    );
    let full = scene.backup("full");
    scene.respaldo = scene.respaldo.env("DB_MAINTENANCE_USER_ID", "7");
    scene
        .restore_into(&full, "copia", &["--create"])
        .expect_code(0);
    let query = "SELECT loaded_by, by FROM t, refreshed";
    assert_eq!(scene.sql(query), "nobody|nobody");
    assert_eq!(cluster.psql("copia", query), "7|7");
}

/// Defect 44.
#[test]
fn percent_encoded_credentials_and_url_options_are_understood() {
    let cluster = Cluster::start();
    let (role, password) = ("caja@sur/ñ", "p@ss:w/o%rd #é?&=");
    cluster.psql(
        "postgres",
        &format!("CREATE ROLE \"{role}\" LOGIN CREATEDB PASSWORD '{password}'"),
    );
    cluster.owned_database("caja fuerte", role);
    demand_password_of(&cluster, role);
    let url = |password: &str, options: &str| {
        let (role, password) = (percent(role), percent(password));
        format!(
            "postgresql://{role}:{password}@127.0.0.1:{}/caja%20fuerte{options}",
            cluster.port()
        )
    };
    let right = Respaldo::for_url(
        &cluster,
        &url(password, "?sslmode=disable&connect_timeout=10"),
    );
    right.ok(&["backup", "full"]);
    let inc = Made::of(&right.ok(&["backup", "inc", "--json"]));
    right.ok(&[
        "restore",
        "--id",
        &inc.id,
        "--target-db",
        "copia",
        "--create",
    ]);
    right.ok(&in_place(&inc));

    let backup = ["backup", "full", "--json"];
    let wrong = Respaldo::for_url(&cluster, &url("p@ss", ""));
    wrong.run(&backup).expect_code(12);
    // This server has no TLS: an option that was dropped would let this pass.
    let demanding = Respaldo::for_url(&cluster, &url(password, "?sslmode=require"));
    demanding.run(&backup).expect_code(12);
    let in_options = format!(
        "postgresql:///caja%20fuerte?host=127.0.0.1&port={}&user={}&password={}",
        cluster.port(),
        percent(role),
        percent(password)
    );
    Respaldo::for_url(&cluster, &in_options).ok(&backup);
}

/// Defect 45.
#[test]
fn passwords_are_in_no_argument_output_file_or_row() {
    const SECRET: &str = "Secreto-Zq7vXw";
    let cluster = Cluster::start();
    let mut scene = Scene::open(&cluster);
    scene.sql("CREATE TABLE t AS SELECT g, md5(g::text) AS v FROM generate_series(1, 50000) g");
    cluster.psql(
        "postgres",
        &format!("ALTER ROLE {OWNER} PASSWORD '{SECRET}'"),
    );
    demand_password_of(&cluster, OWNER);
    let with = |secret: &str| {
        format!(
            "postgresql://{OWNER}:{secret}@127.0.0.1:{}/tienda",
            cluster.port()
        )
    };
    scene.respaldo = Respaldo::for_url(&cluster, &with(SECRET));

    let done = AtomicBool::new(false);
    let (seen, outputs) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| arguments_until(&done));
        let mut outputs = vec![scene.respaldo.ok(&["-v", "-v", "backup", "full"])];
        let url = with(SECRET);
        outputs.push(scene.respaldo.ok(&[
            "-v",
            "-v",
            "restore",
            "--at",
            "latest",
            "--target-db",
            "copia",
            "--create",
        ]));
        outputs.push(scene.respaldo.ok(&["config", "show"]));
        outputs.push(scene.respaldo.run(&["doctor"]));
        let wrong = Respaldo::for_url(&cluster, &url.replace("/tienda", "/absent"));
        outputs.push(wrong.run(&["-v", "backup", "full", "--json"]));
        done.store(true, Ordering::Relaxed);
        (watcher.join().unwrap(), outputs)
    });
    assert!(
        seen.iter().any(|line| line.contains("pg_dump")),
        "the watcher saw the tools: {seen:#?}"
    );
    assert!(!seen.iter().any(|line| line.contains(SECRET)), "{seen:#?}");
    for output in &outputs {
        assert!(
            !output.stdout.contains(SECRET) && !output.stderr.contains(SECRET),
            "{output:#?}"
        );
    }
    for file in files_below(&scene.repository()) {
        let bytes = fs::read(scene.repository().join(&file)).unwrap();
        let found = bytes
            .windows(SECRET.len())
            .any(|part| part == SECRET.as_bytes());
        assert!(!found, "{file}");
    }
    let rows = "SELECT (SELECT string_agg(m::text, '') FROM seguridad.backup_manifest m),
        (SELECT string_agg(e::text, '') FROM seguridad.backup_event e)";
    let rows = cluster.psql(&scene.db, rows);
    assert!(!rows.is_empty() && !rows.contains(SECRET));
}

/// Every command line of every process seen until `done`.
fn arguments_until(done: &AtomicBool) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    while !done.load(Ordering::Relaxed) {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&arguments).replace('\0', " ");
            if line.contains("respaldo") || line.contains("pg_") || line.contains("psql") {
                seen.insert(line);
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    seen.into_iter().collect()
}

/// Makes the server ask this role for its password.
fn demand_password_of(cluster: &Cluster, role: &str) {
    let path = cluster.data_dir().join("pg_hba.conf");
    let rules = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        format!("host all \"{role}\" 127.0.0.1/32 scram-sha-256\n{rules}"),
    )
    .unwrap();
    cluster.psql("postgres", "SELECT pg_reload_conf()");
    let refused = |()| cluster.try_psql_as(role, "postgres", "SELECT 1").is_err();
    assert!(respaldo_tests::respaldo::wait_until(
        std::time::Duration::from_secs(10),
        || refused(())
    ));
}

/// Percent-encodes every byte that is no letter or digit.
fn percent(text: &str) -> String {
    let encode = |byte: u8| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(encode).collect()
}
