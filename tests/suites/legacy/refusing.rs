//! Files that are not restored, with the database as it was.

use std::fs;

use chrono::{NaiveDate, NaiveDateTime};

use crate::scene::{DB, Scene};

fn at(hour: u32) -> NaiveDateTime {
    let date = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
    date.and_hms_opt(hour, 0, 0).unwrap()
}

const IN_PLACE: [&str; 3] = ["--replace", "--drop-old", "--yes"];

fn refuses(scene: &Scene, code: &str, file: &std::path::Path) {
    let mut args = vec!["restore", file.to_str().unwrap()];
    args.extend(IN_PLACE);
    scene.refused(14, code, &args);
}

/// Defect 51.
#[test]
fn a_file_is_read_from_end_to_end_before_the_database_is_given_up() {
    let scene = Scene::open();
    scene.sql("INSERT INTO t SELECT g, md5(g::text) FROM generate_series(4, 5000) g");
    let good = fs::read(scene.backup("manual")).unwrap();
    let file = scene.respaldo.folder().join("file.sql");
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    let cut = &good[..good.len() - 40];
    let no_archives: [&[u8]; 5] = [b"junk", b"", b"-- SQL\nSELECT 1;\n", cut, &flipped];
    for (number, bytes) in no_archives.into_iter().enumerate() {
        fs::write(&file, bytes).unwrap();
        println!("no archive {number}");
        refuses(&scene, "archive-damaged", &file);
    }
    // One of ours that was touched since, though it can be read.
    let own = scene.backup("manual");
    let mut longer = good;
    longer.extend_from_slice(b"more");
    fs::write(&own, longer).unwrap();
    refuses(&scene, "archive-damaged", &own);
}

/// Defect 49: applied to an incremental, the existing restore duplicates rows.
#[test]
fn a_part_of_a_database_is_not_taken_for_a_whole_one() {
    let scene = Scene::with_application();
    scene.sql("CREATE TABLE app.por_mes (mes date) PARTITION BY RANGE (mes)");
    scene.sql("CREATE TABLE app.por_mes_1 PARTITION OF app.por_mes FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')");
    let mut app = scene.app();
    app.full_backup(at(0));
    app.incremental_backup(at(1), &["app.documento"]);
    app.incremental_backup(at(2), &[]);
    drop(app);
    let folder = scene.respaldo.folder().join("backups_incrementales");
    for name in ["inc_20261124_010000.backup", "inc_20261124_020000.backup"] {
        refuses(
            &scene,
            "archive-partial",
            &folder.join("incremental").join(name),
        );
    }
    // Ours hold all definitions and the rows of some tables.
    scene.respaldo.run(&["backup", "full", "--json"]);
    scene.sql("UPDATE app.documento SET estado = 'ANULADO'");
    let inc = scene.respaldo.run(&["backup", "inc", "--json"]).json();
    let inc = std::path::PathBuf::from(inc["archivo"].as_str().unwrap());
    refuses(&scene, "archive-partial", &inc);
    let alone = scene.respaldo.folder().join("renamed.sql");
    fs::copy(&inc, &alone).unwrap();
    refuses(&scene, "archive-partial", &alone);
    // A whole one of somebody else, with a partitioned table.
    let foreign = scene.app().legacy_backup("daily", at(3));
    scene.assert_restores(&foreign, &scene.image());
}

#[test]
fn a_target_is_neither_made_nor_filled_nor_replaced_unasked() {
    let scene = Scene::open();
    let file = scene.backup("manual");
    let file = file.to_str().unwrap();
    scene.refused(2, "target-not-empty", &["restore", file]);
    scene.refused(
        2,
        "target-missing",
        &["restore", file, "--target-db", "nueva"],
    );
    scene.refused(2, "confirmation-needed", &["restore", file, "--replace"]);
    scene.refused(
        15,
        "file-missing",
        &["restore", "backup_daily_20200101_000000.sql"],
    );
}

#[test]
fn a_load_that_fails_leaves_the_database_in_its_place_and_nothing_beside_it() {
    let scene = Scene::open();
    scene
        .cluster
        .psql(DB, "CREATE ROLE pasante; GRANT SELECT ON t TO pasante");
    let file = scene.backup("manual");
    scene
        .cluster
        .psql(DB, "REVOKE SELECT ON t FROM pasante; DROP ROLE pasante");
    scene.sql("DELETE FROM t WHERE id = 1");
    let file = file.to_str().unwrap();
    scene.refused(
        12,
        "restore-failed",
        &["restore", file, "--replace", "--yes"],
    );
    let args = ["restore", file, "--replace", "--yes", "--no-privileges"];
    scene.run(&args).expect_code(0);
    assert_eq!(scene.sql("SELECT count(*) FROM t"), "3");
}
