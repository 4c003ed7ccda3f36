//! Without pointing at anything: the login and a whole restore by the keyboard, and dialogs that keep the focus.

use respaldo_tests::Browser;
use respaldo_tests::browser::keys;

use super::person::Person;
use super::scene::{PASSWORD, Scene};

/// Presses until something is reached, at most.
const STEPS: usize = 80;

/// Goes from one thing to the next until what is called so has the focus.
fn reach(person: &Person<'_>, name: &str) {
    reach_by(person, name, |browser| {
        browser.press(&keys::TAB.to_string());
    });
}

/// The same, backwards.
fn reach_back(person: &Person<'_>, name: &str) {
    reach_by(person, name, |browser| {
        browser.press_with(keys::SHIFT, keys::TAB);
    });
}

fn reach_by(person: &Person<'_>, name: &str, step: impl Fn(&Browser)) {
    let mut passed = Vec::new();
    for _ in 0..STEPS {
        let now = person.browser.focused();
        if now == name {
            return;
        }
        passed.push(now);
        step(&person.browser);
    }
    panic!("{name} is not reached by the keyboard; passed: {passed:?}");
}

#[test]
fn a_login_and_a_restore_by_the_keyboard_alone() {
    let scene = Scene::open("");
    let person = Person::come(&scene, "en");
    person.sets_up();
    scene.api("ana", PASSWORD).backup("FULL");
    person.press("account.logout");
    person.sees("login.lead");
    let browser = &person.browser;
    let enter = keys::ENTER.to_string();

    reach(&person, &person.say("login.name", &[]));
    browser.press("ana");
    reach(&person, &person.say("login.password", &[]));
    browser.press(PASSWORD);
    browser.press(&enter);
    person.arrives("page.overview");
    // The heading has the focus, so that it is read out. The first thing of the page is the way past the menu.
    let heading = "return document.activeElement.tagName === 'H1'";
    browser.wait("the heading to be reached", heading, &[]);
    reach_back(&person, &person.say("menu.skip", &[]));
    browser.press(&enter);
    browser.wait("the menu to be skipped", heading, &[]);
    reach_back(&person, &person.say("menu.skip", &[]));
    reach(&person, &person.say("page.restore", &[]));
    browser.press(&enter);
    person.arrives("page.restore");
    // The slider stands for pointing at the timeline.
    reach(&person, &person.say("timeline.pick", &[]));
    browser.press(&keys::HOME.to_string());
    browser.press(&keys::END.to_string());
    if browser.text(".chosen").is_empty() {
        reach(&person, &person.say("restore.newest", &[]));
        browser.press(&keys::SPACE.to_string());
    }
    browser.find("[data-target]");
    reach(&person, &person.say("target.name", &[]));
    browser.press_with('\u{e009}', 'a');
    browser.press("copia");
    reach(&person, &person.say("target.plan", &[]));
    browser.press(&enter);
    browser.find("[data-typed]");
    reach(&person, &person.say("confirm.type", &[("text", "copia")]));
    // Enter begins nothing before all is typed.
    browser.press("copi");
    browser.press(&enter);
    assert!(browser.url().ends_with("/restore"), "{}", browser.url());
    browser.press("a");
    reach(&person, &person.say("restore.go", &[("target", "copia")]));
    browser.press(&enter);
    person.sees("result.restore");
    assert_eq!(
        scene
            .cluster
            .psql("copia", "SELECT count(*) FROM shop.orders")
            .trim(),
        "5000"
    );
    dialogs(&person);
    person.has_no_complaints(&[]);
}

/// The focus stays in a dialog, Escape closes it, and the focus is where it was.
fn dialogs(person: &Person<'_>) {
    let browser = &person.browser;
    person.turn_to("history");
    let full = format!("{} 1", person.say("kind.FULL", &[]));
    let delete = person.say("action_of.delete", &[("backup", &full)]);
    browser.named(&delete).focus();
    browser.press(&keys::ENTER.to_string());
    let opened = "return document.querySelector('dialog[open]') !== null";
    browser.wait("a dialog", opened, &[]);
    for _ in 0..8 {
        let inside = "const e = document.activeElement; return e === document.body || e.closest('dialog') !== null";
        assert_eq!(
            browser.script(inside, &[]),
            true,
            "the focus left the dialog for {}",
            browser.focused()
        );
        browser.press(&keys::TAB.to_string());
    }
    browser.press(&keys::ESCAPE.to_string());
    browser.wait(
        "the dialog to be closed",
        "return !document.querySelector('dialog')",
        &[],
    );
    assert_eq!(browser.focused(), delete);
}
