//! Making the tables: in an empty database, in the existing application's, by several at once.

use std::thread;

use respaldo_domain::backup::BackupKind;
use respaldo_engine::ports::{Catalog, CatalogFilter, FaultKind};

use crate::support::{Bench, History, OWNER, catalog_at};

/// Everything that describes schema seguridad but the text of routines and views.
const SHAPE: &str = "
    SELECT 'col', c.relname, a.attnum::text, a.attname, format_type(a.atttypid, a.atttypmod),
           a.attnotnull::text, a.attidentity::text, pg_get_expr(d.adbin, d.adrelid)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'seguridad'::regnamespace AND c.relkind IN ('r', 'v')
      AND c.relname LIKE ANY (ARRAY['backup%', 'v_backup%', 'config_sistema'])
    UNION ALL
    SELECT 'con', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', '', ''
    FROM pg_constraint WHERE connamespace = 'seguridad'::regnamespace
      AND conrelid::regclass::text ~ 'backup|config_sistema'
    UNION ALL
    SELECT 'idx', indexname, indexdef, '', '', '', '', '' FROM pg_indexes
    WHERE schemaname = 'seguridad' AND tablename ~ 'backup|config_sistema'
    UNION ALL
    SELECT 'fun', proname, pg_get_function_arguments(oid), pg_get_function_result(oid),
           '', '', '', ''
    FROM pg_proc WHERE pronamespace = 'seguridad'::regnamespace
    UNION ALL
    SELECT 'trg', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '', '', '', ''
    FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'acl', nspname, coalesce(nspacl::text, ''), '', '', '', '', ''
    FROM pg_namespace WHERE nspname = 'seguridad'
    ORDER BY 1, 2, 3, 4";

#[test]
fn an_empty_database_gets_what_the_application_has() {
    let (ours, theirs) = (Bench::migrated(), Bench::adopted());
    let our_shape = ours.sql(SHAPE);
    // The same condition, as each of the two spells it in its index.
    let their_shape = theirs
        .sql(SHAPE)
        .replace("(nube_subido = true)", "nube_subido");
    similar(&our_shape, &their_shape);
    let columns = "SELECT count(*) FROM information_schema.columns
                   WHERE table_schema = 'seguridad' AND table_name = 'backup_manifest'";
    assert_eq!(ours.sql(columns), "21");
}

fn similar(left: &str, right: &str) {
    for (left, right) in left.lines().zip(right.lines()) {
        assert_eq!(left, right);
    }
    assert_eq!(left.lines().count(), right.lines().count());
}

#[test]
fn seeds_are_those_of_the_application_and_are_not_sown_twice() {
    let bench = Bench::migrated();
    bench.sql("TRUNCATE seguridad.respaldo_migrations");
    bench.catalog.migrate().unwrap();
    let policy = "SELECT nombre, retencion_full_meses, retencion_diferencial_semanas,
        retencion_incremental_dias, min_cadenas_activas, activa
        FROM seguridad.backup_retention_policy";
    assert_eq!(bench.sql(policy), "ESTANDAR|12|8|7|2|t");
    let config = "SELECT frecuencia, hora, retencion_dias FROM seguridad.backup_config";
    assert_eq!(bench.sql(config), "OFF|03:00:00|30");
    assert_eq!(
        bench.sql("SELECT count(*) FROM seguridad.config_sistema"),
        "0"
    );
}

#[test]
fn adoption_changes_nothing_that_was_there() {
    let bench = Bench::empty();
    bench.load_application();
    bench.application_backup("FULL", "full_20261101_000000.backup", "2026-11-01 00:00-03");
    bench.sql("UPDATE seguridad.backup_config SET frecuencia = 'DIARIA', hora = '05:00'");
    let rows = "SELECT m::text FROM seguridad.backup_manifest m UNION ALL
                SELECT c::text FROM seguridad.backup_config c UNION ALL
                SELECT s::text FROM seguridad.config_sistema s";
    let views = "SELECT pg_get_viewdef('seguridad.v_backup_resumen'::regclass),
                        pg_get_functiondef('seguridad.get_last_full_backup()'::regprocedure)";
    let before = (bench.sql(rows), bench.sql(views));
    bench.catalog.migrate().unwrap();
    assert_eq!((bench.sql(rows), bench.sql(views)), before);
    let listed = bench.catalog.list(&CatalogFilter::default()).unwrap();
    assert!(!listed[0].ours && listed[0].archive == "full_20261101_000000.backup");
}

#[test]
fn the_application_loads_its_schema_over_ours_and_our_rows_stay() {
    for bench in [Bench::migrated(), Bench::adopted()] {
        let mut history = History::default();
        let full = history.full();
        let id = bench.seal(&full);
        bench.load_application();
        bench.load_application();
        let kept = bench.catalog.find(&full.archive).unwrap().unwrap();
        assert_eq!(kept.id.unwrap().0, id);
        bench.catalog.migrate().unwrap();
        bench.seal(&history.add(BackupKind::Incremental, Some(0)));
        let summary = "SELECT count(*) FROM seguridad.v_backup_resumen WHERE estado = 'COMPLETADO'";
        assert_eq!(bench.sql(summary), "2");
    }
}

#[test]
fn several_migrators_at_once_and_the_application_all_succeed() {
    let bench = Bench::empty();
    let url = bench.cluster.url_as(OWNER, "app");
    thread::scope(|scope| {
        let ours: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| catalog_at(&url).migrate()))
            .collect();
        bench.load_application();
        for migrator in ours {
            migrator.join().unwrap().unwrap();
        }
    });
    let applied = "SELECT count(*) FROM seguridad.respaldo_migrations WHERE success";
    assert_eq!(bench.sql(applied), "4");
}

#[test]
fn a_role_that_owns_only_the_schema_is_enough() {
    let bench = Bench::empty();
    bench
        .cluster
        .psql("app", "CREATE SCHEMA seguridad AUTHORIZATION dueno");
    let as_dueno = catalog_at(&bench.cluster.url_as("dueno", "app"));
    as_dueno.migrate().unwrap();
    as_dueno.migrate().unwrap();
    assert!(as_dueno.list(&CatalogFilter::default()).unwrap().is_empty());
}

#[test]
fn a_migrated_catalog_serves_a_role_that_may_create_nothing() {
    let bench = Bench::migrated();
    bench.sql(
        "GRANT USAGE ON SCHEMA seguridad TO dueno;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA seguridad TO dueno",
    );
    let writer = catalog_at(&bench.cluster.url_as("dueno", "app"));
    writer.migrate().unwrap();
    let full = History::default().full();
    let location = "/copias";
    writer
        .seal(&respaldo_engine::ports::SealedBackup {
            header: &full,
            location,
        })
        .unwrap();
    writer.forget(&full.archive).unwrap();
}

#[test]
fn tables_lost_behind_the_bookkeeping_are_made_again() {
    let bench = Bench::adopted();
    bench
        .sql("DROP TABLE seguridad.backup_manifest CASCADE; DROP TABLE seguridad.respaldo_witness");
    bench.load_application();
    bench.catalog.migrate().unwrap();
    let full = History::default().full();
    bench.seal(&full);
    bench.sql("DELETE FROM seguridad.backup_manifest");
}

#[test]
fn a_newer_catalog_and_a_changed_migration_are_refused() {
    let bench = Bench::migrated();
    bench.sql("INSERT INTO seguridad.respaldo_migrations VALUES (999, 'x', now(), true, 'x', 0)");
    assert_eq!(
        bench.catalog.migrate().unwrap_err().kind,
        FaultKind::Invalid
    );
    bench.sql(
        "DELETE FROM seguridad.respaldo_migrations WHERE version = 999;
               UPDATE seguridad.respaldo_migrations SET checksum = 'x' WHERE version = 1",
    );
    assert_eq!(
        bench.catalog.migrate().unwrap_err().kind,
        FaultKind::Invalid
    );
}

#[test]
fn our_tables_are_not_for_everyone() {
    let bench = Bench::migrated();
    let refused = bench
        .cluster
        .try_psql_as("dueno", "app", "TABLE seguridad.backup_manifest");
    assert!(
        refused
            .unwrap_err()
            .contains("permission denied for schema")
    );
}
