//! A shop, a service with its panel, and people of every role.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder, Response};
use respaldo_tests::ports::free_port;
use respaldo_tests::respaldo::wait_until;
use respaldo_tests::{Cluster, Respaldo, Service};
use serde_json::{Value, json};

pub const OWNER: &str = "dueno";
pub const DB: &str = "tienda";
pub const PASSWORD: &str = "una clave larga 1";
/// A table whose name is markup that would run a script.
pub const HOSTILE: &str = "<img src=x onerror=alert(1)>";
/// Longer than anything here takes on a machine with others at work.
pub const LONG: Duration = Duration::from_mins(2);

const TABLES: &str = r#"
    CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 3) g;
    CREATE TABLE u AS SELECT g AS id FROM generate_series(1, 300) g;
    CREATE TABLE "<img src=x onerror=alert(1)>" AS SELECT 1 AS id;
"#;

pub struct Scene {
    pub cluster: Cluster,
    pub respaldo: Respaldo,
    pub port: u16,
    /// `http` or `https`.
    scheme: &'static str,
    service: Option<Service>,
}

impl Scene {
    /// A database without backups, a service without users.
    pub fn bare() -> Self {
        Self::configured("", "http")
    }

    /// The same with more said in `[panel]` and below.
    pub fn configured(panel: &str, scheme: &'static str) -> Self {
        let mut scene = Self::prepared(scheme);
        scene.configure(panel);
        scene.start(&[]);
        scene
    }

    /// The same before the service begins.
    pub fn prepared(scheme: &'static str) -> Self {
        // HTTPS is spoken with what the product speaks it with.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self::beside(Cluster::start(), scheme)
    }

    /// A service over a cluster that was started otherwise; it looks around rarely.
    pub fn over(cluster: Cluster) -> Self {
        let mut scene = Self::beside(cluster, "http");
        scene.configure("");
        // What the service asks by itself is not what is counted.
        scene.start(&[
            ("RESPALDO_SUPERVISOR__BEAT_INTERVAL", "30"),
            ("RESPALDO_SUPERVISOR__HEALTH_INTERVAL", "3600"),
        ]);
        scene
    }

    fn beside(cluster: Cluster, scheme: &'static str) -> Self {
        let url = cluster.owned_database(DB, OWNER);
        cluster.psql_as(OWNER, DB, TABLES);
        let respaldo = Respaldo::for_url(&cluster, &url)
            .env("LC_ALL", "C")
            .quiet_hours();
        Self {
            cluster,
            respaldo,
            port: free_port(),
            scheme,
            service: None,
        }
    }

    pub fn configure(&self, panel: &str) {
        let text = format!(
            "[schedule]\ncatch_up = false\n[supervisor]\nhealth_interval = 1\nbeat_interval = 1\nstop_within = 5\n\
             [panel]\nlisten = '127.0.0.1:{}'\n{panel}\n",
            self.port
        );
        fs::write(self.respaldo.folder().join("respaldo.toml"), text).unwrap();
    }

    /// Starts the service, with variables besides, and waits until its panel listens.
    pub fn start(&mut self, variables: &[(&str, &str)]) {
        let listens = || TcpStream::connect(("127.0.0.1", self.port)).is_ok();
        self.service = Some(Service::start(&self.respaldo, variables, listens));
    }

    /// Waits until the engine is up.
    pub fn is_up(&self) {
        let up = || self.raw_health().contains("PROFESIONAL");
        assert!(wait_until(LONG, up), "{}", self.said());
    }

    fn raw_health(&self) -> String {
        let client = client();
        let answer = client.get(format!("{}/healthz", self.root())).send();
        answer.and_then(Response::text).unwrap_or_default()
    }

    /// Ends the service at once, as a machine that loses its power does.
    pub fn kill(&mut self) {
        self.service = None;
    }

    fn service(&self) -> &Service {
        self.service.as_ref().unwrap()
    }

    /// The process of the service.
    pub fn pid(&self) -> u32 {
        self.service().pid()
    }

    /// What the service said since it was started.
    pub fn said(&self) -> String {
        self.service().said()
    }

    pub fn root(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// The folder of the panel's files.
    pub fn state(&self) -> PathBuf {
        let repository = self.respaldo.folder().join("backups_incrementales");
        repository.join(".respaldo/panel")
    }

    /// The token of the first start.
    pub fn setup_token(&self) -> String {
        self.service().setup_token()
    }

    /// Somebody who is not logged in.
    pub fn nobody(&self) -> Person {
        Person {
            root: self.root(),
            client: client(),
            auth: Auth::None,
        }
    }

    /// The first administrator, who is made now.
    pub fn admin(&self) -> Person {
        let sent = json!({ "token": self.setup_token(), "usuario": "ana", "clave": PASSWORD });
        let answer = self
            .nobody()
            .request(Method::POST, "/setup")
            .json(&sent)
            .send()
            .unwrap();
        assert_eq!(answer.status(), 201);
        self.nobody().with_session(answer)
    }

    /// Somebody who logs in.
    pub fn login(&self, user: &str, password: &str) -> Person {
        let answer = self.nobody().try_login(user, password);
        assert_eq!(answer.status(), 200, "{user}");
        self.nobody().with_session(answer)
    }

    /// Somebody of a role, made by `admin` and logged in.
    pub fn person(&self, admin: &Person, role: &str) -> Person {
        let name = role.to_lowercase();
        admin.ok(
            Method::POST,
            "/users",
            &json!({ "usuario": name, "clave": PASSWORD, "rol": role }),
        );
        self.login(&name, PASSWORD)
    }

    /// Sends bytes as they are, and gives what comes back until the other side ends.
    pub fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        // The other side may have heard enough before all is said.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

fn client() -> Client {
    Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .timeout(LONG)
        .build()
        .unwrap()
}

/// How somebody is known.
#[derive(Clone)]
pub enum Auth {
    None,
    Session { cookie: String, csrf: String },
    Bearer(String),
}

/// Somebody who asks.
#[derive(Clone)]
pub struct Person {
    pub root: String,
    client: Client,
    pub auth: Auth,
}

/// The cookie that an answer sets.
pub fn cookie_of(answer: &Response) -> String {
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

impl Person {
    fn with_session(self, answer: Response) -> Self {
        let cookie = cookie_of(&answer);
        let csrf = answer.json::<Value>().unwrap()["csrf"]
            .as_str()
            .unwrap()
            .to_owned();
        Self {
            auth: Auth::Session { cookie, csrf },
            ..self
        }
    }

    /// The same with a token.
    pub fn bearer(&self, token: &str) -> Self {
        Self {
            auth: Auth::Bearer(token.to_owned()),
            ..self.clone()
        }
    }

    pub fn try_login(&self, user: &str, password: &str) -> Response {
        let sent = json!({ "usuario": user, "clave": password });
        self.request(Method::POST, "/session")
            .json(&sent)
            .send()
            .unwrap()
    }

    /// A request below `/api/v1`, as this person sends it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}/api/v1{path}", self.root));
        match &self.auth {
            Auth::None => request,
            Auth::Session { cookie, csrf } => request
                .header("cookie", cookie)
                .header("x-csrf-token", csrf),
            Auth::Bearer(token) => request.bearer_auth(token),
        }
    }

    /// Status and document.
    pub fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().unwrap();
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    pub fn get(&self, path: &str) -> Value {
        let (status, document) = self.ask(Method::GET, path, None);
        assert_eq!(status, 200, "GET {path}: {document}");
        document
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a method is a word, written where it is used"
    )]
    pub fn ok(&self, method: Method, path: &str, body: &Value) -> Value {
        let (status, document) = self.ask(method.clone(), path, Some(body));
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {document}"
        );
        document
    }

    /// Status and stable code of a refusal.
    pub fn refused(&self, method: Method, path: &str, body: &Value) -> (u16, String) {
        let (status, document) = self.ask(method, path, Some(body));
        assert!(status >= 400, "{path}: {status} {document}");
        (
            status,
            document["codigo"].as_str().unwrap_or_default().to_owned(),
        )
    }

    /// Begins a job and waits for its end.
    pub fn job(&self, path: &str, body: &Value) -> Value {
        let begun = self.ok(Method::POST, path, body);
        self.wait_for_job(begun["id"].as_str().unwrap())
    }

    pub fn wait_for_job(&self, id: &str) -> Value {
        let mut job = Value::Null;
        let over = wait_until(LONG, || {
            job = self.get(&format!("/jobs/{id}"));
            !["EN_COLA", "EN_PROGRESO"].contains(&job["estado"].as_str().unwrap())
        });
        assert!(over, "{job}");
        job
    }

    /// Makes a backup and gives its number.
    pub fn backup(&self, kind: &str) -> i64 {
        let job = self.job("/backups", &json!({ "tipo": kind }));
        assert_eq!(job["estado"], "COMPLETADO", "{job}");
        job["resultado"]["id"].as_i64().unwrap()
    }
}
