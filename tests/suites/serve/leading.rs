//! Several services of one database: one leads.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use respaldo_tests::respaldo::{Running, wait_until};
use respaldo_tests::{Client, Proxy, Respaldo};
use uuid::Uuid;

use super::scene::{DB, LONG, OWNER, Scene, configured, end, leader};

/// Within which another must lead.
const TAKE_OVER: Duration = Duration::from_secs(30);
const KILLS: usize = 20;

/// Another machine with the same storage.
fn machine(scene: &Scene, url: &str) -> Respaldo {
    let repository = scene.respaldo.folder().join("backups_incrementales");
    let machine = Respaldo::for_url(&scene.cluster, url)
        .env("LC_ALL", "C")
        .quiet_hours()
        .env(
            "RESPALDO_REPOSITORY__DIR",
            &repository.display().to_string(),
        );
    configured(&machine, "");
    machine
}

/// Whether a service said how things stand with it: each has a file of its own.
fn is_up(scene: &Scene, service: &Running) -> bool {
    let folder = scene
        .respaldo
        .folder()
        .join("backups_incrementales/.respaldo");
    let end = format!(".{}.json", service.pid());
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    names
        .into_iter()
        .any(|name| name.starts_with("serve-") && name.ends_with(&end))
}

fn wait_for_a_leader(scene: &Scene) {
    let lock = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1919251312 AND objid = 2 AND granted";
    let held = || scene.cluster.psql("postgres", lock).trim() == "1";
    assert!(wait_until(LONG, held), "nobody leads");
}

#[test]
fn when_the_leader_is_cut_off_the_other_leads_within_thirty_seconds_and_makes_what_is_due() {
    let scene = Scene::open();
    let proxy = Proxy::before(scene.cluster.port());
    let far = machine(
        &scene,
        &format!("postgresql://{OWNER}@127.0.0.1:{}/{DB}", proxy.port()),
    );
    let cut_off = far.spawn(&["serve"]);
    wait_for_a_leader(&scene);
    scene.wait_for_backups(1);
    let near = scene.serve();
    assert!(wait_until(LONG, || is_up(&scene, &near)));
    assert_eq!(leader(&scene.respaldo), Some(cut_off.pid().into()));

    proxy.cut();
    let begin = Instant::now();
    let led = wait_until(TAKE_OVER, || {
        leader(&scene.respaldo) == Some(near.pid().into())
    });
    assert!(led, "nobody leads after {:?}", begin.elapsed());
    let listed = scene.respaldo.ok(&["list", "--json"]).json();
    scene.respaldo.ok(&["delete", &listed[0]["id"].to_string()]);
    scene.wait_for_backups(1);
    cut_off.kill();
    end(near);
    assert_eq!(scene.made(), ["FULL"]);
}

#[test]
fn a_run_whose_connections_are_cut_ends_and_a_later_one_is_made() {
    let scene = Scene::open();
    let proxy = Proxy::before(scene.cluster.port());
    let url = format!("postgresql://{OWNER}@127.0.0.1:{}/{DB}", proxy.port());
    let far = machine(&scene, &url);
    let mut held = far.hold_at_step("backup.dump", &["-v", "serve"]);
    proxy.cut_those_there_are();
    std::fs::write(far.folder().join("gate"), "").unwrap();
    scene.wait_for_backups(1);
    assert!(!held.running().has_ended());
    held.kill();
}

#[test]
fn the_leader_killed_twenty_times_under_load_leaves_one_backup_for_each_due_time() {
    let scene = Scene::open();
    let fill =
        "INSERT INTO t SELECT g FROM generate_series(1, 400000) g; ALTER TABLE t ADD COLUMN n int";
    scene.cluster.psql_as(OWNER, DB, fill);
    let url = scene.cluster.url_as(OWNER, DB);
    let machines = [machine(&scene, &url), machine(&scene, &url)];
    let load = Load::on(&url);
    let mut services: Vec<Option<Running>> =
        machines.iter().map(|m| Some(m.spawn(&["serve"]))).collect();
    for round in 0..KILLS {
        let leader = leading(&scene, &services);
        // What is due again: everything that was made is taken away.
        remove_all(&scene);
        let moment = Duration::from_millis(u64::from(Uuid::new_v4().as_fields().0 % 2500));
        thread::sleep(moment);
        services[leader].take().unwrap().kill();
        scene.wait_for_backups(1);
        thread::sleep(Duration::from_millis(1500));
        assert_eq!(
            scene.made(),
            ["FULL"],
            "round {round}, killed after {moment:?}"
        );
        assert_eq!(
            archives(scene.respaldo.folder()),
            1,
            "round {round}: something half"
        );
        services[leader] = Some(machines[leader].spawn(&["serve"]));
    }
    drop(load);
    let validated = scene
        .respaldo
        .run(&["validate", "--all", "--level", "readable", "--json"]);
    validated.expect_code(0);
    services.into_iter().flatten().for_each(end);
}

/// Which of the services holds the lead.
fn leading(scene: &Scene, services: &[Option<Running>]) -> usize {
    let row = "SELECT pid FROM seguridad.respaldo_leader WHERE state <> 'resigned' \
               AND backend IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 2)";
    let mut found = None;
    let led = wait_until(LONG, || {
        let pid = scene.cluster.try_psql(DB, row).unwrap_or_default();
        let is = |service: &Option<Running>| {
            service
                .as_ref()
                .is_some_and(|service| service.pid().to_string() == pid.trim())
        };
        found = services.iter().position(is);
        found.is_some()
    });
    assert!(led, "no service of ours leads");
    found.unwrap()
}

fn remove_all(scene: &Scene) {
    let gone = wait_until(LONG, || {
        let listed = scene.respaldo.run(&["list", "--json"]).json();
        let ids: Vec<String> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["id"].to_string())
            .collect();
        ids.iter().all(|id| {
            scene
                .respaldo
                .run(&["delete", id, "--with-dependents"])
                .is_done()
        })
    });
    assert!(gone, "the backups cannot be taken away");
}

/// Archives with a manifest, and those without.
fn archives(folder: &Path) -> usize {
    let full = folder.join("backups_incrementales/full");
    let files = std::fs::read_dir(full).unwrap().flatten();
    files
        .filter(|file| file.path().extension().is_some_and(|e| e == "backup"))
        .count()
}

/// A session that changes rows until dropped.
struct Load {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Load {
    fn on(url: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, url) = (Arc::clone(&stop), url.to_owned());
        let thread = thread::spawn(move || {
            let mut client = Client::connect(&url);
            let mut n = 0;
            while !flag.load(Ordering::SeqCst) {
                n += 1;
                client.exec(&format!("UPDATE t SET n = {n} WHERE id = {}", n % 1000));
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
