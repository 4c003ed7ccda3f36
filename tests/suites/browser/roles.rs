//! A restore cannot be begun by mistake, by somebody who may not, or twice; and what a role may not do is said.

use serde_json::json;

use super::person::Person;
use super::scene::{PASSWORD, Scene};

#[test]
fn what_a_role_may_not_do_is_shown_and_refused_with_the_reason() {
    let scene = Scene::open("");
    let person = Person::come(&scene, "en");
    person.sets_up();
    let api = scene.api("ana", PASSWORD);
    api.backup("FULL");
    for (user, role) in [("vera", "VIEWER"), ("olga", "OPERATOR")] {
        api.post(
            "users",
            &json!({ "usuario": user, "clave": PASSWORD, "rol": role }),
        );
    }
    person.press("account.logout");

    person.logs_in("vera", PASSWORD);
    person.turn_to("run");
    let full = person.say("kind.FULL", &[]);
    refused(
        &person,
        &format!(
            "{} ({})",
            person.say("run.go", &[("kind", &full)]),
            needs(&person, "OPERATOR")
        ),
    );
    person.inspects("viewer-run");
    person.turn_to("history");
    let one = [("backup", format!("{full} 1"))];
    let one: Vec<(&str, &str)> = one
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    for (action, role) in [
        ("validate", "OPERATOR"),
        ("restore", "ADMIN"),
        ("export", "ADMIN"),
        ("delete", "ADMIN"),
    ] {
        refused(
            &person,
            &format!(
                "{}. {}",
                person.say(&format!("action_of.{action}"), &one),
                needs(&person, role)
            ),
        );
    }
    // The wizard may be looked at, and ends before it begins.
    person.browser.go(&scene.at("restore"));
    person.press("restore.newest");
    refused(
        &person,
        &format!(
            "{} ({})",
            person.say("target.plan", &[]),
            needs(&person, "ADMIN")
        ),
    );
    person.browser.wait(
        "no confirmation",
        "return document.querySelector('[data-typed]') === null",
        &[],
    );
    for page in ["users", "tokens", "audit", "settings", "doctor"] {
        person.browser.go(&scene.at(page));
        person.sees("role.ask");
    }
    person.inspects("viewer-doctor");
    person.press("account.logout");

    person.logs_in("olga", PASSWORD);
    person.turn_to("run");
    person.press_with("run.go", &[("kind", &full)]);
    person.sees("result.backup");
    person.turn_to("history");
    refused(
        &person,
        &format!(
            "{}. {}",
            person.say("action_of.delete", &one),
            needs(&person, "ADMIN")
        ),
    );
    person.has_no_complaints(&[]);
}

fn needs(person: &Person<'_>, role: &str) -> String {
    person.say(
        "role.needs",
        &[("role", &person.say(&format!("role.{role}"), &[]))],
    )
}

/// What is called so cannot be pressed, and pressing it says why.
fn refused(person: &Person<'_>, name: &str) {
    let button = person.browser.named(name);
    assert!(!button.is_open(), "{name} is open");
    button.click();
    person.browser.find(".toast.warn button").click();
}

#[test]
fn a_restore_begins_once_however_often_it_is_asked_for() {
    let scene = Scene::open("");
    let person = Person::come(&scene, "en");
    person.sets_up();
    let api = scene.api("ana", PASSWORD);
    api.backup("FULL");
    let browser = &person.browser;
    person.turn_to("restore");
    person.press("restore.newest");
    browser.find("[data-target]").fill("copia");
    person.press("target.plan");
    browser.find("[data-typed]").type_in("copia");
    let often = "const button = arguments[0]; const form = button.form;
        for (let n = 0; n < 5; n += 1) { button.click(); form.requestSubmit(); } return true";
    browser.script(
        &often.replace(
            "arguments[0]",
            "[...document.querySelectorAll('.danger')].pop()",
        ),
        &[],
    );
    person.sees("result.restore");
    assert_eq!(restores(&api), 1);
    // The wizard is not in the way back with its ticket, and a reload shows the result.
    browser.reload();
    person.sees("result.restore");
    browser.back();
    browser.wait(
        "another page",
        "return document.querySelector('[data-typed]') === null",
        &[],
    );
    assert_eq!(restores(&api), 1);
}

fn restores(api: &super::scene::Api) -> usize {
    let jobs = api.get("jobs");
    let all = jobs["elementos"].as_array().unwrap();
    all.iter().filter(|job| job["clase"] == "restore").count()
}
