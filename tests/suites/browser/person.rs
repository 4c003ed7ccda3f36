//! Somebody at the pages: reads words in a language, presses what is named so, and complains of what is not right.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use respaldo_tests::Browser;
use respaldo_tests::browser::axe;
use serde_json::{Value, json};

use super::scene::{PASSWORD, Scene};
use super::sources;

/// Longest page of a phone.
const PHONE: (u32, u32) = (360, 740);
const DESK: (u32, u32) = (1280, 900);

pub struct Person<'a> {
    pub browser: Browser,
    pub scene: &'a Scene,
    language: String,
    words: BTreeMap<String, String>,
}

impl<'a> Person<'a> {
    /// Opens a window at the panel.
    pub fn come(scene: &'a Scene, language: &str) -> Self {
        let browser = Browser::open(language);
        browser.resize(DESK.0, DESK.1);
        browser.go(&scene.at(""));
        Self {
            browser,
            scene,
            language: language.to_owned(),
            words: sources::words(language),
        }
    }

    /// The text of a key, with its holes filled.
    pub fn say(&self, key: &str, holes: &[(&str, &str)]) -> String {
        let text = self
            .words
            .get(key)
            .unwrap_or_else(|| panic!("no word {key}"));
        holes.iter().fold(text.clone(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    /// Presses what is called so.
    pub fn press(&self, key: &str) {
        self.press_with(key, &[]);
    }

    pub fn press_with(&self, key: &str, holes: &[(&str, &str)]) {
        self.browser.named(&self.say(key, holes)).click();
    }

    /// Fills the box of a label.
    pub fn fill(&self, key: &str, text: &str) {
        self.browser.named(&self.say(key, &[])).fill(text);
    }

    /// Waits for words.
    pub fn sees(&self, key: &str) {
        self.browser.shows(&self.say(key, &[]));
    }

    /// Goes to a page of the menu.
    pub fn turn_to(&self, page: &str) {
        self.press(&format!("page.{page}"));
        self.arrives(&format!("page.{page}"));
    }

    /// Waits for the heading of a page, and that it has loaded.
    pub fn arrives(&self, key: &str) {
        let script = "return document.querySelector('.room h1')?.textContent === arguments[0] && !document.querySelector('.room .loading')";
        self.browser.wait(key, script, &[json!(self.say(key, &[]))]);
    }

    /// The first administrator is made, with the token the service printed.
    pub fn sets_up(&self) {
        self.fill("setup.token", &self.scene.setup_token());
        self.fill("login.name", "ana");
        self.fill("login.password", PASSWORD);
        self.fill("password.again", PASSWORD);
        self.press("setup.go");
        self.arrives("page.overview");
    }

    /// Logs in.
    pub fn logs_in(&self, user: &str, password: &str) {
        self.fill("login.name", user);
        self.fill("login.password", password);
        self.press("login.go");
        self.browser.find(".frame");
    }

    /// Looks at the page from all sides: both themes, a phone, and with the eyes of who does not see.
    pub fn inspects(&self, name: &str) {
        let loaded = "return !document.querySelector('.loading')";
        self.browser.wait("everything to be loaded", loaded, &[]);
        if self
            .browser
            .script("return typeof axe === 'undefined'", &[])
            == true
        {
            self.browser
                .script(&format!("{}; window.axe = axe;", axe()), &[]);
        }
        for theme in ["light", "dark"] {
            self.browser.script(
                "document.documentElement.dataset.theme = arguments[0]",
                &[json!(theme)],
            );
            let serious = self.stumbles();
            assert!(serious.is_empty(), "{name}, {theme}: {serious:#?}");
            self.browser
                .picture(&self.picture(&format!("{name}-{theme}")));
        }
        self.fits_on_a_phone(name);
        self.browser
            .script("delete document.documentElement.dataset.theme", &[]);
        assert_eq!(
            self.browser.script("return window.pwned ?? 0", &[]),
            0,
            "a script of a name ran"
        );
    }

    fn stumbles(&self) -> Vec<Value> {
        let look = "const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] }).then((found) => done(found.violations
              .filter((one) => ['serious', 'critical'].includes(one.impact))
              .map((one) => ({ id: one.id, help: one.help, at: one.nodes.slice(0, 3).map((node) => node.html + ' ' + node.failureSummary) }))))";
        self.browser.script_later(look).as_array().unwrap().clone()
    }

    fn fits_on_a_phone(&self, name: &str) {
        self.browser.resize(PHONE.0, PHONE.1);
        let wide = "return [document.documentElement.scrollWidth, [...document.querySelectorAll('body *')]
            .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.scroll'))
            .slice(0, 3).map((one) => one.outerHTML.slice(0, 200))]";
        let found = self.browser.script(wide, &[]);
        self.browser
            .picture(&self.picture(&format!("{name}-phone")));
        self.browser.resize(DESK.0, DESK.1);
        assert!(
            found[0].as_u64() <= Some(u64::from(PHONE.0)),
            "{name} is too wide for a phone: {found:#}"
        );
    }

    /// Where a picture is kept.
    pub fn picture(&self, name: &str) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        root.join(format!("target/screenshots/{}/{name}.png", self.language))
    }

    /// Nothing was refused by the page's policy, no script failed, and nothing was asked for elsewhere. Answers that
    /// refuse are complained of by the browser, too: `expected` are parts of those that the test provoked.
    pub fn has_no_complaints(&self, expected: &[&str]) {
        let complaints: Vec<String> = self
            .browser
            .complaints()
            .into_iter()
            .filter(|complaint| !expected.iter().any(|part| complaint.contains(part)))
            .collect();
        assert!(
            complaints.is_empty(),
            "the browser complains: {complaints:#?}"
        );
        let home = self.scene.at("");
        let elsewhere: Vec<String> = self
            .browser
            .traffic()
            .into_iter()
            .filter(|(method, _)| method == "Network.requestWillBeSent")
            .filter_map(|(_, event)| event["request"]["url"].as_str().map(str::to_owned))
            .filter(|url| {
                !url.starts_with(&home) && !url.starts_with("data:") && !url.starts_with("chrome")
            })
            .collect();
        assert!(elsewhere.is_empty(), "asked for elsewhere: {elsewhere:#?}");
    }
}
