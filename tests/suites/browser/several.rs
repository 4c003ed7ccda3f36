//! Several databases under one service: what is chosen is what all pages are about.

use serde_json::json;

use super::person::Person;
use super::scene::{DB, PASSWORD, Scene};

const OTHER: &str = "deposito";

#[test]
fn pages_are_about_the_database_that_is_chosen_in_both_languages() {
    let scene = Scene::of_two(OTHER);
    let person = Person::come(&scene, "en");
    person.sets_up();
    let api = scene.api("ana", PASSWORD);
    assert_eq!(api.get("session")["bases"], json!([DB, OTHER]));
    let total = |base: &str| api.get(&format!("backups?base={base}"))["total"].clone();

    chooses(&person, OTHER);
    person.sees("overview.empty");
    person.turn_to("run");
    let full = person.say("kind.FULL", &[]);
    person.press_with("run.go", &[("kind", &full)]);
    person.sees("state.COMPLETADO");
    assert_eq!((total(OTHER), total(DB)), (json!(1), json!(0)));

    chooses(&person, DB);
    person.sees("overview.empty");
    person.inspects("several");

    // Another window keeps its own language, and knows the choice of neither.
    let person = Person::come(&scene, "es");
    person.logs_in("ana", PASSWORD);
    chooses(&person, OTHER);
    person.turn_to("history");
    person.browser.shows(&person.say("kind.FULL", &[]));
    person.has_no_complaints(&[]);
}

fn chooses(person: &Person<'_>, base: &str) {
    let label = person.say("menu.database", &[]);
    person.browser.named(&label).choose(base);
    let chosen = "return document.querySelector('header select')?.value === arguments[0]";
    person
        .browser
        .wait("the database to be chosen", chosen, &[json!(base)]);
    person.arrives("page.overview");
}
