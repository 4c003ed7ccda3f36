//! The service ends in the middle of a job and comes back: the page says so, goes on, and tells what became of it. The
//! panel is below a path here, as behind a reverse proxy.

use std::fs;

use super::person::Person;
use super::scene::{PASSWORD, Scene};

#[test]
fn a_page_survives_a_restart_of_the_service_in_the_middle_of_a_job() {
    let mut scene = Scene::open("/respaldos");
    let token = scene.setup_token();
    scene.kill();
    let gate = scene.respaldo.folder().join("gate");
    let fault = format!("backup.dump=wait:{}", gate.display());
    scene.start(&[("RESPALDO_FAULTS", &fault)]);
    assert_ne!(token, scene.setup_token(), "each start has its own");

    let person = Person::come(&scene, "es");
    person.sets_up();
    person.turn_to("run");
    let full = person.say("kind.FULL", &[]);
    person.press_with("run.go", &[("kind", &full)]);
    person.sees("job.cancel");
    person.sees("step.backup.dump");
    person.inspects("job-running");
    let Person { browser, .. } = person;
    let job = browser.url();
    assert!(job.contains("/respaldos/job/"), "{job}");

    scene.kill();
    let words = super::sources::words("es");
    browser.shows(&words["job.lost"]);
    fs::write(&gate, "").unwrap();
    scene.start(&[]);
    // Sessions are gone with the process: the page asks for a login, and goes on where it was.
    browser.shows(&words["login.ended"]);
    browser.named(&words["login.name"]).fill("ana");
    browser.named(&words["login.password"]).fill(PASSWORD);
    browser.named(&words["login.go"]).click();
    browser.shows(&words["state.INTERRUMPIDO"]);
    browser.shows(&words["interrupted.other"]);
    assert_eq!(browser.url(), job);
    assert_eq!(
        scene.api("ana", PASSWORD).get("backups?estado=COMPLETADO")["total"],
        0
    );
}
