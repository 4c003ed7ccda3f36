//! Every page, in both languages, from the first start on: empty at first, then with backups.

use std::collections::HashMap;

use respaldo_tests::Browser;

use super::person::Person;
use super::scene::{HOSTILE, PASSWORD, Scene};

/// Bytes that the first page may take over the network.
const FIRST_LOAD: f64 = 300.0 * 1024.0;

const PAGES: [&str; 14] = [
    "run",
    "history",
    "restore",
    "validation",
    "schedule",
    "retention",
    "storage",
    "plugins",
    "log",
    "doctor",
    "settings",
    "users",
    "tokens",
    "audit",
];

#[test]
fn every_page_in_english() {
    every_page("en");
}

#[test]
fn every_page_in_spanish() {
    every_page("es");
}

fn every_page(language: &str) {
    let scene = Scene::open("");
    let person = Person::come(&scene, language);
    person.sees("setup.lead");
    let bytes = weight(&person.browser);
    assert!(
        bytes > 0.0 && bytes < FIRST_LOAD,
        "the first page takes {bytes} bytes"
    );
    person.inspects("setup");
    person.sets_up();

    person.sees("overview.empty");
    person.inspects("overview-empty");
    for page in PAGES {
        person.turn_to(page);
        person.inspects(&format!("{page}-empty"));
    }

    let api = scene.api("ana", PASSWORD);
    let full = api.backup("FULL");
    scene
        .client()
        .exec("UPDATE shop.orders SET total = total + 1 WHERE id < 10");
    api.backup("DIFERENCIAL");
    scene.client().exec("DELETE FROM shop.product WHERE id < 5");
    let last = api.backup("INCREMENTAL");
    for page in PAGES {
        person.turn_to(page);
        person.inspects(page);
    }
    person.turn_to("overview");
    person.sees("overview.points");
    person.inspects("overview");

    let archive = last["nombre"].as_str().unwrap();
    person.turn_to("history");
    person.browser.named(archive).click();
    person.sees("backup.chain_text");
    person.browser.shows(HOSTILE);
    person.browser.find(".node.here");
    person.inspects("backup");

    // A name has a dot, and is no file all the same.
    let name = full["nombre"].as_str().unwrap();
    let name = name.strip_suffix(".backup").unwrap();
    person.browser.go(&scene.at(&format!("backup/{name}")));
    person.sees("backup.sources_text");
    person.browser.go(&scene.at("no/such/page"));
    person.sees("missing.text");
    person.inspects("missing");
    person.browser.go(&scene.at("backup/999999"));
    person.sees("problem.code");
    person.inspects("failure");
    person.browser.go(&scene.at("account"));
    person.arrives("page.account");
    person.inspects("account");
    person.press("account.logout");
    person.sees("login.lead");
    person.inspects("login");
    // The backup that does not exist is one the browser complains of.
    person.has_no_complaints(&["backups/999999"]);
}

/// Bytes that came over the network since this was asked last.
fn weight(browser: &Browser) -> f64 {
    let mut sizes = HashMap::new();
    for (method, event) in browser.traffic() {
        if method == "Network.loadingFinished" {
            let id = event["requestId"].as_str().unwrap_or_default().to_owned();
            sizes.insert(id, event["encodedDataLength"].as_f64().unwrap_or(0.0));
        }
    }
    sizes.values().sum()
}
