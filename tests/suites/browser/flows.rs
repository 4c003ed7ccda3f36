//! Every flow, in both languages, by pointing and typing: what a page begins is done, and the page says how it ended.

use respaldo_tests::browser::keys;
use serde_json::json;

use super::person::Person;
use super::scene::{DB, HOSTILE, PASSWORD, Scene};

#[test]
fn every_flow_in_english() {
    every_flow("en");
}

#[test]
fn every_flow_in_spanish() {
    every_flow("es");
}

fn every_flow(language: &str) {
    let scene = Scene::open("");
    let person = Person::come(&scene, language);
    person.sets_up();
    backups(&person);
    history(&person);
    validation(&person);
    restores(&person);
    arrangements(&person);
    storage(&person);
    people(&person);
    deletion(&person);
    appearance(&person);
    person.has_no_complaints(&["session/password"]);
}

/// A backup of each kind is begun, followed table by table, and its result shown.
fn backups(person: &Person<'_>) {
    let changes = [
        "SELECT 1",
        "UPDATE shop.orders SET total = 0 WHERE id < 10",
        "DELETE FROM shop.product WHERE id < 5",
    ];
    for (kind, change) in ["FULL", "DIFERENCIAL", "INCREMENTAL"]
        .into_iter()
        .zip(changes)
    {
        person.scene.client().exec(change);
        let kind = person.say(&format!("kind.{kind}"), &[]);
        person.turn_to("run");
        person.press_with("run.go", &[("kind", &kind)]);
        person.sees("result.backup");
        person.sees("state.COMPLETADO");
        person.browser.shows(&kind);
    }
    person.browser.shows("shop.product");
    // The way back begins nothing again.
    person.browser.back();
    person.arrives("page.run");
    assert_eq!(person.scene.api("ana", PASSWORD).get("backups")["total"], 3);
    person.turn_to("overview");
    person.sees("overview.points");
    person.browser.find(".timeline svg");
}

/// Searched, filtered, sorted; validated, copied and exported from its row.
fn history(person: &Person<'_>) {
    let browser = &person.browser;
    person.turn_to("history");
    rows(person, 3);
    person.fill("search", "dif_");
    rows(person, 1);
    person.press("filters.reset");
    rows(person, 3);
    browser.named(&person.say("col.kind", &[])).choose("FULL");
    rows(person, 1);
    // What was asked for is in the address, and there after a reload.
    browser.reload();
    person.arrives("page.history");
    rows(person, 1);
    browser.named(&person.say("from", &[])).type_in("01012020");
    person.fill("search", "no such backup");
    person.sees("empty.search");
    person.press("filters.reset");
    rows(person, 3);
    browser.named(&person.say("col.size", &[])).click();
    let sorted = "return document.querySelector('[data-sort=tamano]').closest('th').getAttribute('aria-sort')";
    browser.wait(
        "it to be sorted",
        &format!("{sorted} === 'descending'"),
        &[],
    );

    let full = format!("{} 1", person.say("kind.FULL", &[]));
    person.press_with("action_of.validate", &[("backup", &full)]);
    browser
        .named(&person.say("validation.level", &[]))
        .choose("drill");
    person.sees("level_says.drill");
    person.press("validate.go");
    person.sees("result.validation");
    person.sees("proof.drilled");
    person.turn_to("history");
    person.press_with("action_of.upload", &[("backup", &full)]);
    person.sees("job.ended");
    person.turn_to("history");
    person.press_with("action_of.export", &[("backup", &full)]);
    person.sees("export.leaves");
    person.press("export.go");
    person.sees("result.export");
    let link = browser
        .named(&person.say("export.download", &[]))
        .attribute("href")
        .unwrap();
    let fetch = format!("const done = arguments[arguments.length - 1]; fetch('{link}').then((answer) => answer.arrayBuffer()).then((bytes) =>
        done(String.fromCharCode(...new Uint8Array(bytes).slice(0, 5))))");
    assert_eq!(browser.script_later(&fetch), "PGDMP");
}

fn rows(person: &Person<'_>, count: usize) {
    let script = "return !document.querySelector('[aria-busy=true]') && document.querySelectorAll('tbody tr').length === arguments[0]";
    person
        .browser
        .wait(&format!("{count} rows"), script, &[json!(count)]);
}

fn validation(person: &Person<'_>) {
    person.turn_to("validation");
    rows(person, 1);
    person.press("validation.all");
    person.press("validate.go");
    person.sees("result.validation");
    rows(person, 3);
    person.turn_to("log");
    person.sees("event.backup-completed");
}

/// Into a new database, some tables beside the live ones, and in place.
fn restores(person: &Person<'_>) {
    let (scene, browser) = (person.scene, &person.browser);
    scene.client().exec("DELETE FROM shop.orders");
    person.turn_to("restore");
    person.press("restore.newest");
    person.press("preview.each");
    browser.shows(HOSTILE);
    person.press("preview.live");
    person.sees("live.distinta");
    browser.find("[data-target]").fill("tienda_copia");
    person.press("target.plan");
    person.sees("restore.safe_new");
    let begin = browser.named(&person.say("restore.go", &[("target", "tienda_copia")]));
    assert!(!begin.is_open(), "nothing was typed yet");
    browser.find("[data-typed]").type_in("tienda_copi");
    assert!(!begin.is_open(), "not all was typed yet");
    browser.find("[data-typed]").type_in("a");
    person.inspects("restore-confirm");
    begin.click();
    person.sees("result.restore");
    person.inspects("restore-result");
    let count = "SELECT count(*) FROM shop.orders";
    assert_eq!(scene.cluster.psql("tienda_copia", count).trim(), "5000");

    person.turn_to("restore");
    person.press("restore.newest");
    person.press("target.tables");
    person.press("target.plan");
    person.sees("target.no_tables");
    browser.named("shop.orders").click();
    person.press("target.plan");
    person.sees("restore.safe_copy");
    browser.find("[data-typed]").type_in(DB);
    person.press_with("restore.go", &[("target", DB)]);
    person.sees("result.restore");
    assert_eq!(
        scene.client().one("SELECT count(*) FROM restored.orders"),
        "5000"
    );

    person.turn_to("restore");
    person.press("restore.by_time");
    let now = "const box = document.querySelector('[data-at]'); const at = new Date(Date.now() + 60000);
        at.setMinutes(at.getMinutes() - at.getTimezoneOffset()); box.value = at.toISOString().slice(0, 19); return true";
    browser.wait(
        "a box for a time",
        "return document.querySelector('[data-at]') !== null",
        &[],
    );
    browser.script(now, &[]);
    person.press("restore.time_go");
    person.press("target.replace");
    person.sees("target.replace_note");
    person.press("target.plan");
    person.sees("restore.keeps_old");
    // Whatever is changed above takes the confirmation back.
    person.press("target.drop_old");
    browser.wait(
        "no confirmation",
        "return document.querySelector('[data-typed]') === null",
        &[],
    );
    person.press("target.drop_old");
    person.press("target.plan");
    person.sees("restore.keeps_old");
    browser.find("[data-typed]").type_in(DB);
    person.press_with("restore.go", &[("target", DB)]);
    person.sees("restore.kept_as");
    assert_eq!(scene.client().one(count), "5000");
}

/// The hour changes, the minute stays; retention is rehearsed and changed.
fn arrangements(person: &Person<'_>) {
    let (scene, browser) = (person.scene, &person.browser);
    person.turn_to("schedule");
    browser.named(&person.say("schedule.day", &[])).choose("15");
    let weekday = browser.named(&person.say("schedule.weekday", &[]));
    weekday.choose("2");
    person.press("schedule.save");
    person.sees("schedule.saved");
    let schedule = scene.api("ana", PASSWORD).get("schedule");
    assert_eq!(schedule["FULL"]["day"], 15);
    assert_eq!(schedule["DIFERENCIAL"]["weekday"], 2);
    assert_eq!(
        schedule["DIFERENCIAL"]["minute"], 30,
        "minutes keep their values"
    );
    person.press("schedule.save");
    person.sees("unchanged");

    person.turn_to("retention");
    person.fill("retention_rule.inc_days", "9");
    person.press("retention.save");
    person.sees("retention.saved");
    person.sees("retention.nothing");
    assert_eq!(scene.api("ana", PASSWORD).get("retention")["inc_days"], 9);
}

fn storage(person: &Person<'_>) {
    let browser = &person.browser;
    person.turn_to("storage");
    person.press_with("sink.check_of", &[("sink", "local")]);
    person.sees("result.check");
    person.sees("check.kept");
    person.turn_to("storage");
    person.press_with("sink.sync_of", &[("sink", "local")]);
    person.sees("result.copies");
    person.turn_to("storage");
    person.press("cloud.enabled");
    person.press("cloud.save");
    person.sees("cloud.no_folder");
    let folder = person.scene.respaldo.folder().join("nube");
    person.fill("cloud.folder", folder.to_str().unwrap());
    person.press("cloud.save");
    person.sees("cloud.saved");
    assert_eq!(
        person.scene.api("ana", PASSWORD).get("cloud")["enabled"],
        true
    );
    person.turn_to("plugins");
    browser.shows("pg-stat");
}

/// Users and tokens are made and ended; what was done is in the audit; the password is changed.
fn people(person: &Person<'_>) {
    let browser = &person.browser;
    person.turn_to("users");
    person.press("users.add");
    person.fill("login.name", "eva");
    person.fill("login.password", PASSWORD);
    person.press("users.add");
    browser.shows("eva");
    person.press_with("user_action_of.block", &[("user", "eva")]);
    person.sees("users.blocked");
    person.press_with("user_action_of.unblock", &[("user", "eva")]);
    person.press_with("user_action_of.role_set", &[("user", "eva")]);
    browser
        .named(&person.say("users.role", &[]))
        .choose("VIEWER");
    person.press("save");
    person.sees("role.VIEWER");
    person.press_with("user_action_of.remove", &[("user", "eva")]);
    browser.find("[data-typed]").type_in("eva");
    person.press("user_action.remove");
    browser.wait(
        "eva to be gone",
        "return !document.querySelector('tbody').innerText.includes('eva')",
        &[],
    );

    person.turn_to("tokens");
    person.press("tokens.add");
    person.fill("col.name", "monitor");
    person.press("tokens.add");
    person.sees("tokens.once");
    // Escape closes what is in front.
    browser.press(&keys::ESCAPE.to_string());
    browser.wait(
        "the dialog to be closed",
        "return !document.querySelector('dialog')",
        &[],
    );
    person.press_with("tokens.remove_of", &[("name", "monitor")]);
    person.press("tokens.remove");
    person.sees("tokens.empty");

    person.turn_to("audit");
    browser.shows("/users");
    person.turn_to("doctor");
    person.sees("check.servidor");
    person.turn_to("settings");
    browser.shows("repository.dir");

    browser.go(&person.scene.at("account"));
    person.fill("password.now", "not the password");
    person.fill("password.new", PASSWORD);
    person.fill("password.again", PASSWORD);
    person.press("account.change");
    person.sees("problem.code");
    person.fill("password.now", PASSWORD);
    person.press("account.change");
    person.sees("account.changed");
}

/// What depends on a backup is shown, and its name has to be typed.
fn deletion(person: &Person<'_>) {
    let browser = &person.browser;
    person.turn_to("history");
    let named = |kind: &str, id: u32| format!("{} {id}", person.say(&format!("kind.{kind}"), &[]));
    let backups = person
        .scene
        .api("ana", PASSWORD)
        .get("backups?orden=fecha&dir=asc");
    let ids: Vec<u32> = (0..3)
        .map(|at| {
            backups["elementos"][at]["id"]
                .as_u64()
                .unwrap()
                .try_into()
                .unwrap()
        })
        .collect();
    let full = named("FULL", ids[0]);
    person.press_with("action_of.delete", &[("backup", &full)]);
    browser.shows(&named("DIFERENCIAL", ids[1]));
    browser.shows(&named("INCREMENTAL", ids[2]));
    person.inspects("delete");
    person.press("cancel");
    assert_eq!(
        browser.focused(),
        person.say("action_of.delete", &[("backup", &full)]),
        "the focus goes back"
    );
    let last = named("INCREMENTAL", ids[2]);
    person.press_with("action_of.delete", &[("backup", &last)]);
    browser.find("[data-typed]").type_in(&last);
    person.press("delete.go");
    rows(person, 2);
    person.press_with("action_of.delete", &[("backup", &full)]);
    browser.find("[data-typed]").type_in(&full);
    person.press_with("delete.go_all", &[("count", "2")]);
    person.sees("overview.empty");
}

/// The language and the theme are kept.
fn appearance(person: &Person<'_>) {
    let browser = &person.browser;
    let theme = "return document.documentElement.dataset.theme ?? ''";
    for next in ["light", "dark", "auto"] {
        let now = browser.script(theme, &[]);
        let now = match now.as_str().unwrap_or_default() {
            "" => "auto",
            other => other,
        };
        let named = person.say(
            "menu.theme",
            &[("theme", &person.say(&format!("theme.{now}"), &[]))],
        );
        browser.named(&named).click();
        let expected = if next == "auto" { "" } else { next };
        assert_eq!(browser.script(theme, &[]), expected);
    }
    let other = if browser.script("return document.documentElement.lang", &[]) == "en" {
        "es"
    } else {
        "en"
    };
    browser
        .named(&person.say("menu.language", &[]))
        .choose(other);
    let lang = "return document.documentElement.lang === arguments[0] && document.querySelector('.room h1') !== null";
    browser.wait("the other language", lang, &[json!(other)]);
    browser.reload();
    browser.wait("the other language to be kept", lang, &[json!(other)]);
}
