//! Ten thousand backups in the catalog: each page is a few statements that read a page's rows, whatever there is.
//!
//! Times are printed, never held against a clock: what is held is what they come from.

use std::thread;
use std::time::Instant;

use reqwest::Method;
use serde_json::Value;

use super::scene::{DB, OWNER, Scene};

const BACKUPS: u32 = 10_000;
const TABLES: u32 = 2_000;

/// Rows as our runs write them: a full, and incrementals upon it, over and over; some were looked at.
const ROWS: &str = "
    INSERT INTO seguridad.backup_manifest
        (tipo_backup, backup_base_id, archivo_nombre, archivo_ruta, fecha_inicio, fecha_fin, tamano_bytes,
         checksum_sha256, estado, metadata, creado_por)
    SELECT CASE WHEN g % 30 = 0 THEN 'FULL' ELSE 'INCREMENTAL' END,
           NULL, 'inc_gen_' || g || '.backup', '/x/inc_gen_' || g || '.backup',
           now() - interval '10 years' + g * interval '8 hours', now() - interval '10 years' + g * interval '8 hours',
           1000000 + g, repeat('a', 64), CASE WHEN g % 97 = 0 THEN 'FALLIDO' ELSE 'COMPLETADO' END,
           '{\"motor\": \"respaldo\", \"tablas_total\": 2000, \"tablas_volcadas\": 7}', 'respaldo'
      FROM generate_series(1, 10000) g;
    UPDATE seguridad.backup_manifest m SET backup_base_id = b.id
      FROM seguridad.backup_manifest b
     WHERE m.archivo_nombre LIKE 'inc_gen_%' AND m.tipo_backup = 'INCREMENTAL'
       AND b.archivo_nombre = 'inc_gen_' || (substring(m.archivo_nombre from '[0-9]+')::int - 1) || '.backup';
    INSERT INTO seguridad.backup_validation (backup_id, tipo_validacion, resultado, detalles)
    SELECT id, 'chain', 'EXITOSO', '{\"hallazgos\": []}' FROM seguridad.backup_manifest WHERE id % 2 = 0;
    INSERT INTO seguridad.backup_event (tipo_evento, detalle)
    SELECT 'backup_made', '{}' FROM generate_series(1, 20000);
    ANALYZE;";

struct Counted {
    statements: i64,
    rows: i64,
}

/// Statements and the rows they gave, of our sessions, since the figures were set back.
fn counted(scene: &Scene) -> Counted {
    let told = scene.cluster.psql(
        DB,
        "SELECT coalesce(sum(calls), 0), coalesce(sum(rows), 0) FROM pg_stat_statements
          WHERE query ~ 'backup_|respaldo_audit' AND query !~ 'pg_stat_statements'",
    );
    let mut numbers = told.trim().split('|').map(|number| number.parse().unwrap());
    Counted {
        statements: numbers.next().unwrap(),
        rows: numbers.next().unwrap(),
    }
}

fn scene() -> Scene {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cluster = respaldo_tests::Cluster::builder()
        .conf("shared_preload_libraries", "pg_stat_statements")
        .start();
    Scene::over(cluster)
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_page_is_a_few_statements_whatever_there_is() {
    let scene = scene();
    scene.is_up();
    let admin = scene.admin();
    let tables: Vec<String> = (0..TABLES)
        .map(|n| format!("CREATE TABLE many_{n} (id int);"))
        .collect();
    let tables = tables.concat();
    scene.cluster.psql_as(OWNER, DB, &tables);
    let id = admin.backup("FULL");
    scene.cluster.psql(DB, ROWS);
    scene
        .cluster
        .psql(DB, "CREATE EXTENSION pg_stat_statements");
    let newest = "SELECT max(id) FROM seguridad.backup_manifest WHERE archivo_nombre LIKE 'inc_gen_%9.backup'";
    let generated = scene.cluster.psql(DB, newest).trim().to_owned();
    let one = format!("/backups/{id}");
    let found = format!("/backups/{id}?tabla=many_1999");
    let (chain, dependents) = (
        format!("/backups/{generated}/chain"),
        format!("/backups/{generated}/dependents"),
    );
    let pages: Vec<(&str, i64, i64)> = vec![
        // Page, statements, rows.
        ("/backups", 2, 51),
        ("/backups?offset=9900&limit=100", 2, 101),
        ("/backups?tipo=FULL&orden=tamano&dir=asc", 2, 51),
        ("/backups?buscar=gen_77", 2, 51),
        (
            "/backups?estado=FALLIDO&desde=2020-01-01&hasta=2030-01-01",
            2,
            51,
        ),
        ("/status", 12, 60),
        ("/overview", 12, 900),
        ("/stats", 12, 60),
        ("/space", 12, 60),
        ("/restore-points?limit=100", 1, 100),
        ("/validations", 2, 51),
        ("/log", 3, 52),
        ("/audit", 3, 60),
        (&one, 4, 10),
        (&found, 4, 10),
        (&chain, 4, 64),
        (&dependents, 4, 64),
        ("/retention", 3, 5),
        ("/schedule", 3, 5),
    ];
    let before = resident_kib(scene.pid());
    let mut wrong = Vec::new();
    for (path, statements, rows) in &pages {
        // The engine behind it is opened, and what it opens with is not counted.
        admin.get("/retention");
        scene.cluster.psql(DB, "SELECT pg_stat_statements_reset()");
        let began = Instant::now();
        let answer = admin.get(path);
        let took = began.elapsed();
        let told = counted(&scene);
        println!(
            "{path}: {took:?}, {} statements, {} rows, {} bytes",
            told.statements,
            told.rows,
            answer.to_string().len()
        );
        if told.statements > *statements || told.rows > *rows {
            wrong.push(format!(
                "{path}: {} statements, {} rows",
                told.statements, told.rows
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let page = admin.get("/backups?limit=10");
    assert_eq!(page["total"].as_u64(), Some(u64::from(BACKUPS) + 1));
    let shown = admin.get(&one);
    assert!(
        shown["tablas_total"].as_u64() >= Some(u64::from(TABLES)),
        "{}",
        shown["tablas_total"]
    );
    assert_eq!(shown["tablas"].as_array().unwrap().len(), 100);
    // Many look at once, and again and again: they share answers, and memory stays.
    let began = Instant::now();
    thread::scope(|threads| {
        for _ in 0..20 {
            threads.spawn(|| {
                for path in ["/overview", "/backups", "/status", "/backups?offset=5000"] {
                    let answer: Value = admin.get(path);
                    assert!(answer.is_object());
                }
            });
        }
    });
    let after = resident_kib(scene.pid());
    println!(
        "20 people, 4 pages each: {:?}; memory {before} KiB, then {after} KiB",
        began.elapsed()
    );
    assert!(after < before + 64 * 1024, "{before} KiB, then {after} KiB");
    let _ = Method::GET;
}

#[test]
fn people_who_look_at_one_page_ask_the_database_once() {
    let scene = scene();
    scene.is_up();
    let admin = scene.admin();
    admin.backup("FULL");
    scene
        .cluster
        .psql(DB, "CREATE EXTENSION pg_stat_statements");
    admin.get("/retention");
    scene.cluster.psql(DB, "SELECT pg_stat_statements_reset()");
    thread::scope(|threads| {
        for _ in 0..50 {
            threads.spawn(|| admin.get("/overview"));
        }
    });
    let told = counted(&scene);
    println!("50 people: {} statements", told.statements);
    // A machine with others at work may take longer than an answer is kept.
    assert!(told.statements <= 3 * 12, "{} statements", told.statements);
}
