//! The service as a supervisor holds it, on a real server, as a role that is not a superuser.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::path::Path;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use respaldo_legacy::{
    BuiltIn, External, LegacyConfig, LegacyError, LegacyKind, LegacyService, PruneMode, PruneScope,
    Toolbox, Zone,
};
use respaldo_postgres::ConnInfo;
use respaldo_tests::{Cluster, app_fixture};

const GO_ON: &(dyn Fn() -> bool + Sync) = &|| false;

fn built_in(cluster: &Cluster, dir: &Path) -> BuiltIn {
    let database = ConnInfo::parse(&cluster.url_as("dueno", "tienda")).unwrap();
    let config = LegacyConfig {
        dir: dir.to_owned(),
        zone: Zone::named("America/Argentina/Buenos_Aires").unwrap(),
        limit: Duration::from_mins(2),
        ..LegacyConfig::default()
    };
    let folder = cluster.bin_dir().to_owned();
    BuiltIn::new(database, Toolbox::Search(Some(folder)), config)
}

#[test]
fn what_is_due_is_what_neither_a_file_nor_the_database_tells_of() {
    let cluster = Cluster::start();
    cluster.owned_database("tienda", "dueno");
    app_fixture::load(&cluster, "tienda", "dueno");
    let folder = tempfile::tempdir().unwrap();
    let service: Box<dyn LegacyService> = Box::new(built_in(&cluster, folder.path()));
    assert_eq!(service.due(Utc::now()), LegacyKind::SCHEDULED);
    // The application made one.
    let told = "UPDATE seguridad.backup_config SET ultimo_weekly = now()";
    cluster.psql_as("dueno", "tienda", told);
    assert_eq!(
        service.due(Utc::now()),
        [LegacyKind::Daily, LegacyKind::Monthly]
    );
    let made = service.backup(LegacyKind::Daily, GO_ON).unwrap();
    assert!(made.warnings.is_empty(), "{made:?}");
    assert_eq!(service.due(Utc::now()), [LegacyKind::Monthly]);
    let later = Utc::now() + TimeDelta::days(2);
    assert!(service.due(later).contains(&LegacyKind::Daily));
    let status = service.status(Utc::now());
    let daily = status.iter().find(|of| of.kind == LegacyKind::Daily);
    let daily = daily.unwrap();
    assert!(!daily.is_due && daily.last_run.is_some() && daily.next_run > daily.last_run);
    // Without its file and the database's word the run never was.
    cluster.psql_as(
        "dueno",
        "tienda",
        "UPDATE seguridad.backup_config SET ultimo_daily = NULL",
    );
    std::fs::remove_file(made.file.unwrap().path).unwrap();
    assert!(service.due(Utc::now()).contains(&LegacyKind::Daily));
    cluster.stop();
    assert_eq!(service.due(Utc::now()), LegacyKind::SCHEDULED);
    let pruned = service.prune(PruneScope::Own, PruneMode::Remove).unwrap();
    assert!(pruned.ruled.is_empty());
}

#[test]
fn a_run_of_another_program_is_remembered_where_nothing_else_tells_of_it() {
    let cluster = Cluster::start();
    cluster.owned_database("tienda", "dueno");
    let folder = tempfile::tempdir().unwrap();
    let built_in = built_in(&cluster, folder.path());
    let command = ["/bin/sh", "-c", "exit 0"].map(str::to_owned);
    let service = External::new(built_in.clone(), command.to_vec());
    assert_eq!(service.due(Utc::now()), LegacyKind::SCHEDULED);
    service.backup(LegacyKind::Monthly, GO_ON).unwrap();
    assert_eq!(
        service.due(Utc::now()),
        [LegacyKind::Daily, LegacyKind::Weekly]
    );
    // There is no file of it, so the built-in service knows of none.
    assert_eq!(built_in.due(Utc::now()), LegacyKind::SCHEDULED);
}

#[test]
fn a_call_that_is_stopped_ends_at_once_and_leaves_the_folder_free() {
    let cluster = Cluster::start();
    cluster.owned_database("tienda", "dueno");
    let folder = tempfile::tempdir().unwrap();
    let service = built_in(&cluster, folder.path());
    let stopped = service.backup(LegacyKind::Manual, &|| true).unwrap_err();
    assert!(matches!(stopped, LegacyError::Interrupted), "{stopped}");
    assert!(service.list().unwrap().is_empty());
    assert!(service.backup(LegacyKind::Manual, GO_ON).is_ok());
    assert_eq!(service.list().unwrap().len(), 1);
}
