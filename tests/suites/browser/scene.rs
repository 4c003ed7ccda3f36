//! A shop, a service that looks after it, and the first administrator.

use std::fs;
use std::time::Duration;

use respaldo_tests::ports::free_port;
use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Client, Cluster, Respaldo, Service};
use serde_json::Value;

pub const OWNER: &str = "dueno";
pub const DB: &str = "tienda";
/// The administrator's password.
pub const PASSWORD: &str = "una clave larga 1";
/// A table whose name is markup that would run a script.
pub const HOSTILE: &str = "<img src=x onerror=window.pwned=1>";
/// Longer than anything here takes on a machine with others at work.
const LONG: Duration = Duration::from_mins(2);

const TABLES: &str = r#"
    CREATE SCHEMA shop;
    CREATE TABLE shop.customer (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE shop.orders (id int PRIMARY KEY, customer int REFERENCES shop.customer, total numeric(10, 2));
    CREATE TABLE shop.product (id int PRIMARY KEY, name text, price numeric(10, 2));
    CREATE TABLE shop."<img src=x onerror=window.pwned=1>" (id int PRIMARY KEY);
    INSERT INTO shop.customer SELECT g, 'customer ' || g FROM generate_series(1, 500) g;
    INSERT INTO shop.orders SELECT g, 1 + g % 500, g FROM generate_series(1, 5000) g;
    INSERT INTO shop.product SELECT g, 'product ' || g, g FROM generate_series(1, 200) g;
    INSERT INTO shop."<img src=x onerror=window.pwned=1>" SELECT generate_series(1, 3);
"#;

pub struct Scene {
    pub cluster: Cluster,
    pub respaldo: Respaldo,
    port: u16,
    base_path: String,
    service: Option<Service>,
}

impl Scene {
    /// A shop without backups and a service without users, whose panel is below a path (empty: none).
    pub fn open(base_path: &str) -> Self {
        let mut scene = Self::prepared(base_path);
        scene.configure("");
        scene.start(&[]);
        scene
    }

    /// The same with a second database beside it, under one service.
    pub fn of_two(other: &str) -> Self {
        let mut scene = Self::prepared("");
        scene.cluster.owned_database(other, OWNER);
        let entry = |name| {
            let url = scene.cluster.url_as(OWNER, name);
            format!("[[databases]]\nname = '{name}'\ndatabase.url = '{url}'\n")
        };
        let databases = [DB, other].map(entry).concat();
        scene.configure(&databases);
        scene.start(&[]);
        scene
    }

    fn prepared(base_path: &str) -> Self {
        let cluster = Cluster::start();
        let url = cluster.owned_database(DB, OWNER);
        cluster.psql_as(OWNER, DB, TABLES);
        let respaldo = Respaldo::for_url(&cluster, &url)
            .env("LC_ALL", "C")
            .quiet_hours();
        Self {
            cluster,
            respaldo,
            port: free_port(),
            base_path: base_path.to_owned(),
            service: None,
        }
    }

    fn configure(&self, databases: &str) {
        let text = format!(
            "[schedule]\ncatch_up = false\n[supervisor]\nhealth_interval = 1\nbeat_interval = 1\nstop_within = 30\n\
             [panel]\nlisten = '127.0.0.1:{}'\nbase_path = '{}'\n{databases}",
            self.port, self.base_path
        );
        fs::write(self.respaldo.folder().join("respaldo.toml"), text).unwrap();
    }

    /// The address of a page.
    pub fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{}/{path}", self.port, self.base_path)
    }

    /// Starts the service, with variables besides, and waits until its panel answers.
    pub fn start(&mut self, variables: &[(&str, &str)]) {
        let session = self.at("api/v1/session");
        let answers = || {
            let answer = http().get(&session).send();
            answer.is_ok_and(|answer| answer.status().is_success())
        };
        self.service = Some(Service::start(&self.respaldo, variables, answers));
    }

    /// Ends the service at once, as a machine that loses its power does.
    pub fn kill(&mut self) {
        self.service = None;
    }

    /// The token of the first start, which the service said.
    pub fn setup_token(&self) -> String {
        self.service.as_ref().unwrap().setup_token()
    }

    /// A session of the owner.
    pub fn client(&self) -> Client {
        Client::connect(&self.cluster.url_as(OWNER, DB))
    }

    /// A client of the API that is logged in as somebody.
    pub fn api(&self, user: &str, password: &str) -> Api {
        Api::log_in(&self.at("api/v1"), user, password)
    }
}

/// Asks as a program does. The library wants to know how to encrypt, though nothing here is.
fn http() -> reqwest::blocking::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::blocking::Client::new()
}

/// The API, for what a test prepares without the pages.
pub struct Api {
    root: String,
    cookie: String,
    csrf: String,
}

impl Api {
    fn log_in(root: &str, user: &str, password: &str) -> Self {
        let http = http();
        let body = serde_json::json!({ "usuario": user, "clave": password });
        let answer = http
            .post(format!("{root}/session"))
            .json(&body)
            .send()
            .unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let session: Value = answer.json().unwrap();
        Self {
            root: root.to_owned(),
            cookie,
            csrf: session["csrf"].as_str().unwrap().to_owned(),
        }
    }

    /// Asks for a document.
    pub fn get(&self, path: &str) -> Value {
        let http = http();
        let request = http
            .get(format!("{}/{path}", self.root))
            .header("Cookie", &self.cookie);
        request.send().unwrap().json().unwrap()
    }

    /// Makes something.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let http = http();
        let request = http.post(format!("{}/{path}", self.root)).json(body);
        let request = request
            .header("Cookie", &self.cookie)
            .header("X-CSRF-Token", &self.csrf);
        request.send().unwrap().json().unwrap()
    }

    /// Makes a backup and waits for it; gives its record.
    pub fn backup(&self, kind: &str) -> Value {
        let job = self.post("backups", &serde_json::json!({ "tipo": kind }));
        let id = job["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no job: {job}"))
            .to_owned();
        let mut last = job;
        let done = wait_until(LONG, || {
            last = self.get(&format!("jobs/{id}"));
            !["EN_COLA", "EN_PROGRESO"].contains(&last["estado"].as_str().unwrap())
        });
        assert!(done && last["estado"] == "COMPLETADO", "{last}");
        last["resultado"].clone()
    }
}
