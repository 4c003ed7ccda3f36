//! A real browser: headless Chromium, driven by WebDriver. `scripts/browser.sh` fetches it.
//!
//! The protocol is JSON over HTTP, and a test needs a dozen of its commands. Whatever is waited for is looked for again
//! and again until [`PATIENCE`] is over; then the test fails with what the page said.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::ports::free_port;
use crate::stores::server::Server;

/// Longest wait for something to be on a page.
pub const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Name of an element's number in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A window of a browser. Closed, with its driver, when dropped.
#[derive(Debug)]
pub struct Browser {
    http: Client,
    session: String,
    _driver: Server,
}

/// Keys that have no letter.
#[expect(missing_docs, reason = "as they are called")]
pub mod keys {
    pub const TAB: char = '\u{e004}';
    pub const ENTER: char = '\u{e007}';
    pub const SHIFT: char = '\u{e008}';
    pub const ESCAPE: char = '\u{e00c}';
    pub const SPACE: char = ' ';
    pub const END: char = '\u{e010}';
    pub const HOME: char = '\u{e011}';
    pub const LEFT: char = '\u{e012}';
    pub const DOWN: char = '\u{e015}';
}

impl Browser {
    /// Opens a window of a browser that prefers a language, such as `es`.
    pub fn open(language: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = free_port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}"));
        let folder = tempfile::tempdir().unwrap();
        command.env("HOME", folder.path()).env("TZ", "UTC");
        let mut driver = Server::start(folder, &mut command);
        driver.wait_for_port(port);
        let http = Client::builder()
            .timeout(Duration::from_mins(3))
            .build()
            .unwrap();
        let root = format!("http://127.0.0.1:{port}/session");
        let answer = ask(&http, Method::POST, &root, Some(&capabilities(language)));
        let answer = answer.unwrap();
        let id = answer["sessionId"].as_str().unwrap().to_owned();
        Self {
            http,
            session: format!("{root}/{id}"),
            _driver: driver,
        }
    }

    fn attempt(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Refused> {
        ask(&self.http, method, &format!("{}{path}", self.session), body)
    }

    fn command(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let done = self.attempt(method, path, body);
        done.unwrap_or_else(|refused| panic!("{path}: {}: {}", refused.error, refused.message))
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.command(Method::POST, path, Some(body))
    }

    /// Goes to an address.
    pub fn go(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// The address shown.
    pub fn url(&self) -> String {
        let url = self.command(Method::GET, "/url", None);
        url.as_str().unwrap().to_owned()
    }

    /// Loads the page again.
    pub fn reload(&self) {
        self.post("/refresh", &json!({}));
    }

    /// Goes back, as the browser's button does.
    pub fn back(&self) {
        self.post("/back", &json!({}));
    }

    /// Gives the page so many pixels, as a phone or a desk has.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// A command of the developer tools.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", &body)
    }

    /// What a script of the page returns; `arguments` are its arguments.
    pub fn script(&self, script: &str, arguments: &[Value]) -> Value {
        let body = json!({ "script": script, "args": arguments });
        self.post("/execute/sync", &body)
    }

    /// What a script passes to its last argument.
    pub fn script_later(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        self.post("/execute/async", &body)
    }

    /// Waits until a script returns something true, and gives it.
    pub fn wait(&self, what: &str, script: &str, arguments: &[Value]) -> Value {
        let start = Instant::now();
        loop {
            let found = self.script(script, arguments);
            if !matches!(found, Value::Null | Value::Bool(false)) {
                return found;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{what} was awaited at {}; the page says:\n{}",
                self.url(),
                self.text("body")
            );
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Waits for the first element of a selector; in front of the page where a dialog is open.
    pub fn find(&self, selector: &str) -> Element<'_> {
        let script =
            "const place = [...document.querySelectorAll('dialog[open]')].pop() ?? document;
            return place.querySelector(arguments[0])";
        Element::wait_for(self, script, selector)
    }

    /// Waits for a button, link, summary or box with these words, as people see or hear them, that is not at work.
    pub fn named(&self, words: &str) -> Element<'_> {
        let script = "const place = [...document.querySelectorAll('dialog[open]')].pop() ?? document;
            const name = (e) => (e.getAttribute('aria-label') ?? e.labels?.[0]?.firstChild?.textContent ?? e.textContent).trim();
            const all = place.querySelectorAll('button, a[href], summary, input, select');
            return [...all].find((e) => name(e) === arguments[0] && e.getClientRects().length > 0 && !e.closest('[aria-busy=true]'))";
        Element::wait_for(self, script, words)
    }

    /// The text of the first element of a selector, as it is seen; empty where there is none.
    pub fn text(&self, selector: &str) -> String {
        let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
        let text = self.script(script, &[json!(selector)]);
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows these words.
    pub fn shows(&self, words: &str) {
        let script = "return document.body.innerText.includes(arguments[0])";
        self.wait(words, script, &[json!(words)]);
    }

    /// Presses keys one after the other, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let press = |key: char| {
            [
                json!({ "type": "keyDown", "value": key }),
                json!({ "type": "keyUp", "value": key }),
            ]
        };
        let actions: Vec<Value> = keys.chars().flat_map(press).collect();
        self.actions(&actions);
    }

    /// Presses a key while another is held.
    pub fn press_with(&self, held: char, key: char) {
        self.actions(&[
            json!({ "type": "keyDown", "value": held }),
            json!({ "type": "keyDown", "value": key }),
            json!({ "type": "keyUp", "value": key }),
            json!({ "type": "keyUp", "value": held }),
        ]);
    }

    fn actions(&self, actions: &[Value]) {
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// What has the focus, as people hear it: its label, else its text; empty for the page itself.
    pub fn focused(&self) -> String {
        let script = "const e = document.activeElement;
            if (!e || e === document.body) return '';
            return (e.getAttribute('aria-label') ?? e.labels?.[0]?.firstChild?.textContent ?? e.textContent).trim()";
        let name = self.script(script, &[]);
        name.as_str().unwrap_or_default().to_owned()
    }

    /// Keeps a picture of the whole page.
    pub fn picture(&self, path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let shot = self.devtools(
            "Page.captureScreenshot",
            &json!({ "captureBeyondViewport": true }),
        );
        let bytes = BASE64_STANDARD.decode(shot["data"].as_str().unwrap());
        fs::write(path, bytes.unwrap()).unwrap();
    }

    /// What the browser complained of since this was asked last: errors of scripts, refusals of the page's policy.
    pub fn complaints(&self) -> Vec<String> {
        let entries = self.log("browser");
        let worth = entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        worth
            .filter_map(|entry| entry["message"].as_str().map(str::to_owned))
            .collect()
    }

    /// What went over the network since this was asked last: method and parameters of each event.
    pub fn traffic(&self) -> Vec<(String, Value)> {
        let event = |entry: &Value| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            Some((
                message["method"].as_str()?.to_owned(),
                message["params"].clone(),
            ))
        };
        self.log("performance").iter().filter_map(event).collect()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("/se/log", &json!({ "type": kind }));
        entries.as_array().cloned().unwrap_or_default()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its driver is killed next, and would leave the browser behind.
        let _ = self.http.delete(&self.session).send();
    }
}

/// Something on a page. Where the page was drawn anew meanwhile, it is what stands in its place.
#[derive(Debug)]
pub struct Element<'a> {
    browser: &'a Browser,
    script: &'static str,
    argument: String,
    id: RefCell<String>,
}

impl<'a> Element<'a> {
    fn wait_for(browser: &'a Browser, script: &'static str, argument: &str) -> Self {
        let id = RefCell::default();
        let argument = argument.to_owned();
        let element = Self {
            browser,
            script,
            argument,
            id,
        };
        element.look();
        element
    }

    fn look(&self) {
        let arguments = [json!(self.argument)];
        let found = self.browser.wait(&self.argument, self.script, &arguments);
        found[ELEMENT]
            .as_str()
            .unwrap()
            .clone_into(&mut self.id.borrow_mut());
    }

    /// Does something with it; again, where it is another by now or something is before it for a moment.
    fn with<T>(&self, act: impl Fn(&str) -> Result<T, Refused>) -> T {
        let start = Instant::now();
        loop {
            let done = act(&self.id.borrow());
            match done {
                Ok(value) => return value,
                Err(refused) => assert!(
                    refused.passes() && start.elapsed() < PATIENCE,
                    "{}: {refused:?}",
                    self.argument
                ),
            }
            thread::sleep(LOOK_EVERY);
            self.look();
        }
    }

    fn script(&self, script: &str, more: &[Value]) -> Value {
        self.with(|id| {
            let mut arguments = vec![json!({ ELEMENT: id })];
            arguments.extend_from_slice(more);
            let body = json!({ "script": script, "args": arguments });
            self.browser
                .attempt(Method::POST, "/execute/sync", Some(&body))
        })
    }

    fn post(&self, what: &str, body: &Value) {
        self.with(|id| {
            let path = format!("/element/{id}/{what}");
            self.browser.attempt(Method::POST, &path, Some(body))
        });
    }

    /// Points at it and clicks.
    pub fn click(&self) {
        self.script("arguments[0].scrollIntoView({ block: 'center' })", &[]);
        self.post("click", &json!({}));
    }

    /// Types into it, after what is there.
    pub fn type_in(&self, text: &str) {
        self.post("value", &json!({ "text": text }));
    }

    /// Types into it instead of what is there.
    pub fn fill(&self, text: &str) {
        self.post("clear", &json!({}));
        self.type_in(text);
    }

    /// Chooses an option by its value.
    pub fn choose(&self, value: &str) {
        let script = "const [box, value] = arguments; box.value = value;
            for (const kind of ['input', 'change']) box.dispatchEvent(new Event(kind, { bubbles: true }));
            return box.value === value";
        let chosen = self.script(script, &[json!(value)]);
        assert_eq!(chosen, true, "there is no option {value}");
    }

    /// Whether it can be pressed.
    pub fn is_open(&self) -> bool {
        let script = "return !arguments[0].disabled && arguments[0].getAttribute('aria-disabled') !== 'true'";
        self.script(script, &[]) == true
    }

    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<String> {
        let value = self.script(
            "return arguments[0].getAttribute(arguments[1])",
            &[json!(name)],
        );
        value.as_str().map(str::to_owned)
    }

    /// Gives it the focus.
    pub fn focus(&self) {
        self.script("arguments[0].focus()", &[]);
    }
}

/// What the browser did not do.
#[derive(Debug)]
struct Refused {
    error: String,
    message: String,
}

impl Refused {
    /// Whether it is of the moment: the page was just drawn anew, or something slides over it.
    fn passes(&self) -> bool {
        let moments = [
            "stale element reference",
            "element click intercepted",
            "element not interactable",
        ];
        moments.contains(&self.error.as_str())
    }
}

fn capabilities(language: &str) -> Value {
    // Containers and continuous integration run as root and with a small /dev/shm.
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--window-size=1280,900",
        "--disable-background-networking",
        "--no-first-run",
        "--hide-scrollbars",
    ];
    let options = json!({ "args": arguments, "prefs": { "intl.accept_languages": language } });
    let logs = json!({ "browser": "ALL", "performance": "ALL" });
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": logs,
    } } })
}

fn ask(http: &Client, method: Method, url: &str, body: Option<&Value>) -> Result<Value, Refused> {
    let mut request = http.request(method, url);
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = request.send().unwrap();
    let is_done = answer.status().is_success();
    let answer: Value = answer.json().unwrap();
    let value = answer["value"].clone();
    let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    match is_done {
        true => Ok(value),
        false => Err(Refused {
            error: word("error"),
            message: word("message"),
        }),
    }
}

/// The script that looks for what people who do not see or do not point would stumble over.
pub fn axe() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path: PathBuf = root.join("target/browser/node_modules/axe-core/axe.min.js");
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run scripts/browser.sh", path.display()))
}
