//! What cannot be restored exactly is a failure that touches nothing (defects 24, 26, 27, 34).

use std::fs;
use std::path::Path;
use std::process::Command;

use respaldo_tests::{Cluster, Respaldo};

use crate::scene::{Kept, Made, OWNER, Scene, in_place, refused_by};

/// A full of 2,000 rows, an incremental of 3,000, and one more row today.
fn chain(scene: &Scene<'_>) -> (Kept, Kept) {
    scene.sql("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE base (id int PRIMARY KEY, v text);
        INSERT INTO t SELECT g, md5(g::text) FROM generate_series(1, 2000) g; INSERT INTO base TABLE t");
    let full = scene.keep("full");
    scene.sql("INSERT INTO t SELECT g, md5(g::text) FROM generate_series(2001, 3000) g");
    let inc = scene.keep("inc");
    scene.sql("INSERT INTO t VALUES (0, 'today')");
    (full, inc)
}

/// Damages an archive, sees that everything notices, and mends it.
fn noticed(
    scene: &Scene<'_>,
    damaged: &Path,
    restored: &Made,
    code: &str,
    damage: impl Fn(&mut Vec<u8>),
) {
    let good = fs::read(damaged).unwrap();
    let mut bad = good.clone();
    damage(&mut bad);
    fs::write(damaged, bad).unwrap();
    assert!(!scene.is_valid(restored), "validation sees it");
    scene.refuses_in_place(restored, 14, code);
    let new = [
        "restore",
        "--json",
        "--id",
        &restored.id,
        "--target-db",
        "copia",
        "--create",
    ];
    scene.refused(14, code, &new);
    assert_eq!(
        scene.databases(),
        ["tienda", "postgres"],
        "no half copy is left"
    );
    fs::write(damaged, good).unwrap();
    assert!(scene.is_valid(restored));
}

fn cut_in_half(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() / 2);
}

/// Defect 24.
#[test]
fn an_archive_cut_short_is_refused_before_touching_anything() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    let (full, inc) = chain(&scene);
    noticed(
        &scene,
        &full.made.archive(),
        &full.made,
        "object-corrupt",
        cut_in_half,
    );
    noticed(
        &scene,
        &inc.made.archive(),
        &inc.made,
        "object-corrupt",
        cut_in_half,
    );
    // The full holds the rows of a table that the incremental did not dump.
    noticed(
        &scene,
        &full.made.archive(),
        &inc.made,
        "object-corrupt",
        cut_in_half,
    );
    scene.proof(&inc);
}

/// Defect 24.
#[test]
fn a_checksum_mismatch_refuses_before_touching_anything() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    let (full, inc) = chain(&scene);
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() * 3 / 4;
        bytes[middle] ^= 0x10;
    };
    noticed(
        &scene,
        &full.made.archive(),
        &full.made,
        "object-corrupt",
        flip,
    );
    noticed(
        &scene,
        &inc.made.archive(),
        &inc.made,
        "object-corrupt",
        flip,
    );
    let garbage = |bytes: &mut Vec<u8>| bytes.fill(b'x');
    noticed(
        &scene,
        &inc.made.archive(),
        &inc.made,
        "object-corrupt",
        garbage,
    );
    scene.proof(&inc);
}

/// Defect 24.
#[test]
fn another_backups_archive_under_the_name_is_refused() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    let (full, _) = chain(&scene);
    scene.sql("UPDATE base SET v = 'other'");
    let other = scene.backup("full");
    let other = fs::read(other.archive()).unwrap();
    let swap = |bytes: &mut Vec<u8>| other.clone_into(bytes);
    noticed(
        &scene,
        &full.made.archive(),
        &full.made,
        "object-corrupt",
        swap,
    );
}

/// Defect 27.
#[test]
fn a_missing_archive_is_found_before_anything_is_touched() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    let (full, inc) = chain(&scene);
    for lost in [&inc, &full] {
        let (archive, aside) = (lost.made.archive(), scene.respaldo.folder().join("aside"));
        fs::rename(&archive, &aside).unwrap();
        assert!(!scene.is_valid(&inc.made));
        scene.refuses_in_place(&inc.made, 14, "object-missing");
        let previewed = scene
            .respaldo
            .run(&["preview", "--id", &inc.made.id, "--json"]);
        let problems = previewed.json()["problemas"].as_array().unwrap().len();
        assert!(problems > 0, "the preview says so: {previewed:#?}");
        fs::rename(&aside, &archive).unwrap();
    }
    scene.restore_in_place(&inc);
}

/// Defect 24.
#[test]
fn a_server_out_of_reach_is_a_failure() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    let (_, inc) = chain(&scene);
    let closed = format!("postgresql://{OWNER}@127.0.0.1:1/tienda");
    let args = [
        "restore",
        "--json",
        "--id",
        &inc.made.name(),
        "--replace",
        "--yes",
        "--target-url",
        &closed,
    ];
    scene.refused(12, "target-unreachable", &args);
    let repository = scene.repository();
    let lost = Respaldo::for_url(&cluster, &closed)
        .env("RESPALDO_REPOSITORY__DIR", repository.to_str().unwrap());
    refused_by(
        &lost,
        12,
        "source-unreachable",
        &["backup", "inc", "--json"],
    );
    refused_by(
        &lost,
        12,
        "target-unreachable",
        &[
            "restore",
            "--json",
            "--id",
            &inc.made.name(),
            "--replace",
            "--yes",
        ],
    );
}

/// Defect 26.
#[test]
fn success_and_failure_do_not_depend_on_the_language() {
    let cluster = Cluster::start();
    let mut scene = Scene::open(&cluster);
    let (full, inc) = chain(&scene);
    speak_spanish(&cluster);
    let said = cluster.try_psql("postgres", "SELECT 1/0").unwrap_err();
    assert!(
        said.contains("división"),
        "the server does not speak Spanish: {said}"
    );
    let spanish = "es";
    scene.respaldo = scene
        .respaldo
        .env("LANGUAGE", spanish)
        .env("LC_MESSAGES", "C.UTF-8");

    noticed(
        &scene,
        &inc.made.archive(),
        &inc.made,
        "object-corrupt",
        cut_in_half,
    );
    scene.restore_in_place(&full);
    scene.sql("INSERT INTO base VALUES (0, 'x')");
    let next = scene.keep("inc");
    scene.proof(&next);

    cluster.psql("postgres", &format!("ALTER ROLE {OWNER} NOCREATEDB"));
    for language in ["es", "en"] {
        scene.respaldo = scene.respaldo.env("LANGUAGE", language);
        scene.refused(12, "rights-missing", &in_place(&next.made));
        let words = [
            "--lang",
            language,
            "restore",
            "--json",
            "--id",
            &next.made.id,
            "--replace",
            "--yes",
        ];
        scene.refused(12, "rights-missing", &words);
    }
}

/// Restarts the server so that its messages are Spanish.
fn speak_spanish(cluster: &Cluster) {
    let folder = cluster.data_dir().parent().unwrap().to_owned();
    let options = format!("-p {} -k {}", cluster.port(), folder.display());
    cluster.stop();
    let mut start = Command::new("runuser");
    start.args([
        "-u",
        "postgres",
        "--",
        "env",
        "LANGUAGE=es",
        "LC_ALL=C.UTF-8",
    ]);
    start
        .arg(cluster.bin("pg_ctl"))
        .args(["start", "-w", "-s", "-o", &options]);
    start
        .arg("-D")
        .arg(cluster.data_dir())
        .arg("-l")
        .arg(folder.join("log"));
    assert!(start.status().unwrap().success(), "{}", cluster.log());
}

/// Defect 34.
#[test]
fn a_restore_killed_anywhere_leaves_the_old_database_whole() {
    let cluster = Cluster::start();
    let scene = Scene::open(&cluster);
    let (_, inc) = chain(&scene);
    let today = scene.image();
    for step in [
        "restore.objects",
        "restore.load",
        "restore.indexes",
        "restore.verify",
        "restore.swap",
        "restore.commit",
    ] {
        scene.respaldo.kill_at_step(step, &in_place(&inc.made));
        respaldo_tests::assert_equal(&today, &scene.image());
        let writable = scene
            .sql("INSERT INTO t VALUES (-1, 'open') RETURNING id; DELETE FROM t WHERE id = -1");
        assert_eq!(writable, "-1", "killed at {step}");
    }
    let restored = scene.restore_in_place(&inc);
    let kept = restored["anterior"].as_str().unwrap();
    assert_eq!(
        scene.databases(),
        ["tienda", kept, "postgres"],
        "what the kills left is swept"
    );
}
