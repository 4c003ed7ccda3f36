//! Our rows through the life of a backup.

use chrono::{Local, TimeDelta};
use respaldo_domain::backup::{BackupKind, BackupState};
use respaldo_domain::object::Sha256;
use respaldo_engine::ports::{Catalog, CatalogFilter, FaultKind, NewBackup};
use respaldo_postgres::ConnInfo;

use crate::support::{Bench, History, OWNER, at, catalog_at, run_of};

#[test]
fn a_run_is_in_progress_until_it_is_sealed() {
    let bench = Bench::migrated();
    let mut full = History::default().full();
    full.header.label = Some("manual".to_owned());
    let id = bench.catalog.begin(&run_of(&full)).unwrap();
    assert_eq!(bench.catalog.begin(&run_of(&full)).unwrap(), id);
    let running = bench.catalog.get(id).unwrap().unwrap();
    assert_eq!(
        (running.state, running.finished_at),
        (BackupState::Running, at(0))
    );

    assert_eq!(bench.seal(&full), id.0);
    let sealed = bench.catalog.find(&full.archive).unwrap().unwrap();
    assert_eq!(
        (sealed.id, sealed.state, sealed.ours),
        (Some(id), BackupState::Completed, true)
    );
    assert_eq!(
        (sealed.started_at, sealed.finished_at),
        (full.started_at, full.finished_at)
    );
    assert_eq!(sealed.size_bytes, Some(3 * 1024 * 1024));
    assert_eq!(sealed.sha256, Some(Sha256([0xab; 32])));
    assert_eq!(sealed.lsn, (full.lsn_start.clone(), full.lsn_end.clone()));
    assert_eq!(
        (sealed.kind_label.as_str(), sealed.label.as_deref()),
        ("FULL", Some("manual"))
    );
    assert_eq!(sealed.location, format!("/copias/{}", full.archive.key()));
    let spelled = bench.sql(
        "SELECT fecha_inicio AT TIME ZONE 'UTC', checksum_sha256, creado_por, metadata->>'motor'
         FROM seguridad.backup_manifest",
    );
    let hex = "ab".repeat(32);
    assert_eq!(
        spelled,
        format!("2026-11-24 05:17:46|{hex}|respaldo|respaldo")
    );
}

#[test]
fn sealing_twice_is_sealing_once_and_a_deleted_row_comes_back() {
    let bench = Bench::migrated();
    let mut history = History::default();
    let full = history.full();
    let inc = history.add(BackupKind::Incremental, Some(0));
    let id = bench.seal(&full);
    assert_eq!(bench.seal(&full), id);
    bench.seal(&inc);
    bench.sql("DELETE FROM seguridad.backup_manifest");
    bench.seal(&inc);
    let full_id = bench.seal(&full);
    let inc_entry = bench.catalog.find(&inc.archive).unwrap().unwrap();
    assert_eq!(inc_entry.base_id.unwrap().0, full_id);
    let chains = "SELECT full_backup_id, diferencial_id, incremental_ids
                  FROM seguridad.backup_chain";
    assert_eq!(
        bench.sql(chains),
        format!("{full_id}||{{{}}}", inc_entry.id.unwrap())
    );
}

#[test]
fn a_failed_run_says_why_and_a_seal_outlives_a_late_failure() {
    let bench = Bench::migrated();
    let mut history = History::default();
    let (failed, sealed) = (history.full(), history.full());
    bench.catalog.begin(&run_of(&failed)).unwrap();
    bench.catalog.fail(failed.run, "sin espacio").unwrap();
    let entry = bench.catalog.find(&failed.archive).unwrap().unwrap();
    assert_eq!(
        (entry.state, entry.error.as_deref()),
        (BackupState::Failed, Some("sin espacio"))
    );
    assert!(entry.finished_at >= entry.started_at);

    bench.seal(&sealed);
    bench.catalog.fail(sealed.run, "tarde").unwrap();
    let entry = bench.catalog.find(&sealed.archive).unwrap().unwrap();
    assert_eq!((entry.state, entry.error), (BackupState::Completed, None));
    bench.catalog.fail(uuid::Uuid::new_v4(), "nadie").unwrap();
}

#[test]
fn only_abandoned_runs_of_ours_are_marked_failed() {
    let bench = Bench::adopted();
    let mut history = History::default();
    let (dead, alive, sealed) = (history.full(), history.full(), history.full());
    bench.catalog.begin(&run_of(&dead)).unwrap();
    bench.catalog.begin(&run_of(&alive)).unwrap();
    bench.seal(&sealed);
    let theirs = bench.application_backup("FULL", "full_20261101_000000.backup", "2026-11-01");
    bench.sql("UPDATE seguridad.backup_manifest SET estado = 'EN_PROGRESO' WHERE metadata IS NULL");
    assert_eq!(
        bench
            .catalog
            .fail_abandoned(&dead.source, Some(alive.run))
            .unwrap(),
        1
    );
    let state = |id: i64| {
        bench.sql(&format!(
            "SELECT estado FROM seguridad.backup_manifest WHERE id = {id}"
        ))
    };
    assert_eq!(state(theirs), "EN_PROGRESO");
    assert_eq!(
        bench.catalog.find(&dead.archive).unwrap().unwrap().state,
        BackupState::Failed
    );
    assert_eq!(
        bench.catalog.find(&alive.archive).unwrap().unwrap().state,
        BackupState::Running
    );
    assert_eq!(bench.catalog.fail_abandoned(&dead.source, None).unwrap(), 1);
}

#[test]
fn in_a_catalog_of_several_sources_each_marks_its_own_runs() {
    let bench = Bench::migrated();
    bench.cluster.owned_database("otra", OWNER);
    let source = ConnInfo::parse(&bench.cluster.url_as(OWNER, "otra")).unwrap();
    let catalog = catalog_at(&bench.cluster.url_as(OWNER, "app")).of_source(source);
    let mut history = History::default();
    let (own, other, old) = (history.full(), history.full(), history.full());
    let mut elsewhere = other.source.clone();
    elsewhere.database = "tercera".to_owned();
    let run_elsewhere = |manifest| NewBackup {
        source: elsewhere.clone(),
        ..run_of(manifest)
    };
    catalog.begin(&run_of(&own)).unwrap();
    catalog.begin(&run_elsewhere(&other)).unwrap();
    catalog
        .begin(&NewBackup {
            started_at: Local::now().fixed_offset() - TimeDelta::days(8),
            ..run_elsewhere(&old)
        })
        .unwrap();
    bench.sql(&format!(
        "UPDATE seguridad.backup_manifest SET fecha_inicio = now(), fecha_fin = now()
          WHERE archivo_nombre = '{}'",
        other.archive
    ));
    assert_eq!(catalog.fail_abandoned(&own.source, None).unwrap(), 2);
    let running = catalog.find(&other.archive).unwrap().unwrap();
    assert_eq!(running.state, BackupState::Running);
}

#[test]
fn a_name_cannot_be_taken_by_another_run() {
    let bench = Bench::migrated();
    let full = History::default().full();
    bench.catalog.begin(&run_of(&full)).unwrap();
    let mut other = run_of(&full);
    other.run = uuid::Uuid::new_v4();
    assert_eq!(
        bench.catalog.begin(&other).unwrap_err().kind,
        FaultKind::Exists
    );
}

#[test]
fn a_run_that_made_another_kind_leaves_one_row() {
    let bench = Bench::migrated();
    let mut history = History::default();
    let mut begun = run_of(&history.add(BackupKind::Differential, None));
    let full = history.full();
    begun.run = full.run;
    bench.catalog.begin(&begun).unwrap();
    bench.seal(&full);
    let listed = bench.catalog.list(&CatalogFilter::default()).unwrap();
    assert_eq!(
        listed
            .iter()
            .map(|e| e.archive.as_str())
            .collect::<Vec<_>>(),
        [full.archive.as_str()]
    );
}

#[test]
fn a_chain_row_follows_its_backups() {
    let bench = Bench::migrated();
    let mut history = History::default();
    let full = history.full();
    let inc = history.add(BackupKind::Incremental, Some(0));
    let first = history.add(BackupKind::Differential, Some(0));
    let second = history.add(BackupKind::Differential, Some(0));
    let last = history.add(BackupKind::Incremental, Some(3));
    // Any order, as a listing gives them.
    let ids = [&last, &second, &full, &first, &inc].map(|manifest| bench.seal(manifest));
    let [last_id, second_id, full_id, first_id, inc_id] = ids;
    let chain =
        "SELECT full_backup_id, diferencial_id, incremental_ids FROM seguridad.backup_chain";
    assert_eq!(
        bench.sql(chain),
        format!("{full_id}|{second_id}|{{{inc_id},{last_id}}}")
    );
    let base = bench
        .catalog
        .find(&last.archive)
        .unwrap()
        .unwrap()
        .base_id
        .unwrap();
    assert_eq!(base.0, second_id);

    bench.catalog.forget(&last.archive).unwrap();
    bench.catalog.forget(&second.archive).unwrap();
    assert_eq!(
        bench.sql(chain),
        format!("{full_id}|{first_id}|{{{inc_id}}}")
    );
    bench.catalog.forget(&full.archive).unwrap();
    bench.catalog.forget(&full.archive).unwrap();
    assert_eq!(bench.sql(chain), "");
}

#[test]
fn a_catalog_that_was_emptied_is_rebuilt_the_same() {
    let bench = Bench::migrated();
    let mut history = History::default();
    let made = [
        history.full(),
        history.add(BackupKind::Incremental, Some(0)),
        history.add(BackupKind::Differential, Some(0)),
    ];
    for manifest in &made {
        bench.seal(manifest);
    }
    let seen = || {
        let entries = bench.catalog.list(&CatalogFilter::default()).unwrap();
        entries
            .into_iter()
            .map(|e| (e.archive, e.sha256, e.state))
            .collect::<Vec<_>>()
    };
    let before = (
        seen(),
        bench.sql(
            "SELECT full_archivo, diferencial_archivo,
        cantidad_incrementales, inc_inicio FROM seguridad.v_backup_cadenas",
        ),
    );
    for manifest in &made {
        bench.catalog.forget(&manifest.archive).unwrap();
    }
    assert!(seen().is_empty());
    for manifest in made.iter().rev() {
        bench.seal(manifest);
    }
    let after = (
        seen(),
        bench.sql(
            "SELECT full_archivo, diferencial_archivo,
        cantidad_incrementales, inc_inicio FROM seguridad.v_backup_cadenas",
        ),
    );
    assert_eq!(after, before);
}

#[test]
fn a_list_is_filtered_and_newest_first() {
    let bench = Bench::adopted();
    let mut history = History::default();
    let (full, inc) = (
        history.full(),
        history.add(BackupKind::Incremental, Some(0)),
    );
    bench.seal(&full);
    bench.catalog.begin(&run_of(&inc)).unwrap();
    bench.application_backup("MANUAL", "full_20261101_000000.backup", "2026-11-01");
    let names = |filter: CatalogFilter| {
        let entries = bench.catalog.list(&filter).unwrap();
        entries
            .into_iter()
            .map(|entry| entry.archive)
            .collect::<Vec<_>>()
    };
    let theirs = "full_20261101_000000.backup";
    let all = [inc.archive.as_str(), full.archive.as_str(), theirs];
    assert_eq!(names(CatalogFilter::default()), all);
    let filter = CatalogFilter {
        kind: Some(BackupKind::Full),
        ..CatalogFilter::default()
    };
    assert_eq!(names(filter), all[1..]);
    let filter = CatalogFilter {
        state: Some(BackupState::Running),
        ..CatalogFilter::default()
    };
    assert_eq!(names(filter), all[..1]);
    let filter = CatalogFilter {
        ours_only: true,
        limit: Some(1),
        ..CatalogFilter::default()
    };
    assert_eq!(names(filter), all[..1]);
}
