//! A month beside the existing application and its legacy service: nobody hinders anybody.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Weekday};
use respaldo_tests::Cluster;
use respaldo_tests::app_fixture::{self, AppService};
use respaldo_tests::respaldo::{Running, wait_until};
use serde_json::Value;

use super::scene::{Kept, OWNER, Scene, in_place};

/// Days of the month on which our service is at work, too.
const SERVED: [u32; 3] = [2, 9, 20];
const LONG: Duration = Duration::from_mins(2);

/// What the legacy service keeps of its daily dumps.
const DAILY_KEPT: usize = 7;

fn at(day: NaiveDate, hour: u32) -> NaiveDateTime {
    day.and_hms_opt(hour, 0, 0).unwrap()
}

/// Kinds of ours that are due on a day, the greatest alone.
fn due(day: NaiveDate) -> &'static str {
    match (day.day(), day.weekday()) {
        (1, _) => "full",
        (_, Weekday::Sun) => "dif",
        _ => "inc",
    }
}

/// Everything below a folder, folders and hidden files too: bytes, and when it was changed.
fn contents(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let changed = entry.metadata().unwrap().modified().unwrap();
        if path.is_dir() {
            found.extend(contents(&path));
            found.insert(path, (Vec::new(), changed));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, (bytes, changed));
        }
    }
    found
}

/// The service for a day; it looks every second.
fn serve(scene: &Scene<'_>) -> Running {
    let hasty = "[supervisor]\nretry_primary_after = 1\nhealth_interval = 1\nbeat_interval = 1\n\
                 stop_within = 60\n[panel]\nlisten = '127.0.0.1:0'\n";
    fs::write(scene.respaldo.folder().join("respaldo.toml"), hasty).unwrap();
    let service = scene.respaldo.spawn(&["-v", "serve"]);
    let is_up = || {
        let status = scene.respaldo.run(&["status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).unwrap_or_default();
        status["motor"] == "PROFESIONAL" && status["servicio"]["lidera"] == true
    };
    assert!(wait_until(LONG, is_up), "the service did not come up");
    service
}

/// A day of the application: its schema is loaded, there is business, its services make their backups.
fn day_of_the_application(scene: &Scene<'_>, service: &mut AppService, day: NaiveDate) {
    app_fixture::try_load(scene.cluster, &scene.db, OWNER).unwrap();
    let n = day.day();
    scene.sql(&format!(
        "INSERT INTO ref.lista_precio (nombre) VALUES ('lista {n}'); \
         UPDATE seguridad.config_sistema SET valor = 'dia {n}' WHERE clave = 'slogan'"
    ));
    let dump = service.legacy_backup("daily", at(day, 23));
    scene.sql("UPDATE seguridad.backup_config SET ultimo_daily = now()");
    prune(dump.parent().unwrap());
    if day.weekday() == Weekday::Sun {
        service.legacy_backup("weekly", at(day, 23));
    }
    if n == 1 {
        service.legacy_backup("monthly", at(day, 0));
        service.full_backup(at(day, 1));
    }
    service.incremental_backup(at(day, 22), &["ref.lista_precio"]);
    // Its panel purges rows whose files are gone; ours are all there.
    assert_eq!(service.purge_invalid(), Ok(0));
}

/// By the time in the name, as the application does.
fn prune(folder: &Path) {
    let files = fs::read_dir(folder).unwrap().flatten();
    let mut files: Vec<PathBuf> = files.map(|file| file.path()).collect();
    files.sort();
    let surplus = files.len().saturating_sub(DAILY_KEPT);
    for old in &files[..surplus] {
        fs::remove_file(old).unwrap();
    }
}

#[test]
fn a_month_beside_the_application_and_its_legacy_service_hinders_nobody() {
    let cluster = Cluster::start();
    let scene = Scene::with_application(&cluster);
    let folder = scene.respaldo.folder();
    let mut service = AppService::new(&cluster, &cluster.url_as(OWNER, &scene.db), folder);
    let backups = folder.join("backups");
    let first = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
    let mut points = Vec::new();
    for day in (0..31).map(|n| first + TimeDelta::days(n)) {
        day_of_the_application(&scene, &mut service, day);
        let theirs = contents(&backups);
        let service = SERVED.contains(&day.day()).then(|| serve(&scene));
        // Before the backup: the application took the table of events away, and a run of ours makes it again.
        let image = scene.image();
        let made = scene.backup(due(day));
        let kept = Kept { made, image };
        scene.respaldo.ok(&["validate", &kept.made.id]);
        scene.respaldo.ok(&["expire"]);
        scene.respaldo.ok(&["status"]);
        if let Some(service) = service {
            service.signal("TERM");
            service.wait(LONG).expect_code(0);
        }
        assert_eq!(
            contents(&backups),
            theirs,
            "{day}: a file of theirs was touched"
        );
        points.push(kept);
    }
    let kinds: Vec<&str> = points.iter().map(|kept| kept.made.kind()).collect();
    let of = |kind: &str| kinds.iter().filter(|made| **made == kind).count();
    // The first of March is a Sunday: four others follow, of which one is the 29th.
    assert_eq!(
        (of("FULL"), of("DIFERENCIAL"), of("INCREMENTAL")),
        (1, 4, 26)
    );
    for kept in [&points[7], &points[15], &points[30]] {
        scene.proof(kept);
    }

    // With the engine broken our own legacy service works in their folder, and prunes none of theirs.
    let theirs = contents(&backups);
    let broken = scene.respaldo.run_with(
        "RESPALDO_DETECTOR__USE",
        "none",
        &["backup", "inc", "--fallback"],
    );
    broken.expect_code(3);
    for _ in 0..3 {
        scene.respaldo.ok(&["legacy", "prune"]);
    }
    let after = contents(&backups);
    let files = theirs.iter().filter(|file| file.0.is_file());
    assert!(
        files
            .into_iter()
            .all(|file| after.get(file.0) == Some(file.1))
    );
    assert!(after.len() > theirs.len(), "our dump lies among theirs");
    scene.respaldo.ok(&in_place(&points.last().unwrap().made));
    app_fixture::try_load(&cluster, &scene.db, OWNER).unwrap();
    scene.backup("inc");
}
