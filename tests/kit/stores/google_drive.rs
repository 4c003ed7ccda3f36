//! A fake of Google Drive's API (version 3) with its token endpoint, as Google documents them:
//! resumable uploads, names that need not be unique, shared drives, quotas, errors in Google's shape,
//! and faults that are planned. Bodies lie in temporary files.
//!
//! It does not know simple and multipart uploads, `or`, `not` and parentheses in queries, and
//! permissions of single files.
#![expect(
    clippy::result_large_err,
    reason = "handlers give an answer either way; one of them refuses"
)]

mod body;
mod dispatch;
mod fields;
mod files;
mod oauth;
mod plan;
mod query;
mod refusal;
mod state;
mod uploads;

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use plan::Plans;
pub use plan::{Mishap, Operation};
use state::{Drive, Entry};

/// The client that a person's login goes through.
pub const CLIENT_ID: &str = "client.apps.example";
/// Its secret.
pub const CLIENT_SECRET: &str = "secret-of-the-client";
/// What the person's consent gave.
pub const REFRESH_TOKEN: &str = "1//token-of-the-person";
/// The service account.
pub const ACCOUNT: &str = "backups@project.iam.gserviceaccount.example";
/// Whom it may act as, once delegation is allowed.
pub const PERSON: &str = "person@domain.example";

const KEY: &str = include_str!("google_drive/key.pem");
const OTHER_KEY: &str = include_str!("google_drive/other_key.pem");

/// A server on a port of its own; gone when dropped.
pub struct GoogleDrive {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

/// What the handlers share.
struct Shared {
    address: String,
    drive: Mutex<Drive>,
    plans: Mutex<Plans>,
}

impl Shared {
    fn drive(&self) -> MutexGuard<'_, Drive> {
        self.drive.lock().unwrap()
    }

    fn plans(&self) -> MutexGuard<'_, Plans> {
        self.plans.lock().unwrap()
    }

    fn token_url(&self) -> String {
        format!("{}/token", self.address)
    }
}

impl GoogleDrive {
    /// A server with nothing in it.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let shared = Arc::new(Shared {
            address: format!("http://{}", listener.local_addr().unwrap()),
            drive: Mutex::new(Drive::new()),
            plans: Mutex::default(),
        });
        let threads = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        let runtime = threads.unwrap();
        let router = Router::new()
            .fallback(dispatch::any)
            .with_state(Arc::clone(&shared));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        Self {
            shared,
            runtime: Some(runtime),
        }
    }

    /// Where it is: scheme, host and port.
    pub fn base_url(&self) -> &str {
        &self.shared.address
    }

    /// Where it gives out tokens.
    pub fn token_url(&self) -> String {
        self.shared.token_url()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.base_url().rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The JSON key of the service account.
    pub fn account_key(&self) -> String {
        self.key_file(KEY)
    }

    /// A key that is none of the service account's.
    pub fn foreign_key(&self) -> String {
        self.key_file(OTHER_KEY)
    }

    fn key_file(&self, pem: &str) -> String {
        let json = json!({
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "k1",
            "private_key": pem,
            "client_email": ACCOUNT,
            "token_uri": self.token_url(),
        });
        json.to_string()
    }

    /// A new folder on the person's drive, which the service account may write in.
    pub fn folder(&self) -> String {
        self.shared.drive().add_folder("backups", "root", None)
    }

    /// A new folder in a shared drive.
    pub fn shared_folder(&self) -> String {
        let mut drive = self.shared.drive();
        drive.add_folder("backups", "shared-1", Some("shared-1".to_owned()))
    }

    /// Puts a file there by hand, an unfinished one of somebody perhaps.
    pub fn add(&self, folder: &str, name: &str, bytes: &[u8]) -> String {
        let mut drive = self.shared.drive();
        let content = drive.write_content(bytes);
        let metadata = json!({ "name": name, "parents": [folder] });
        drive.add_file(&metadata, Some(content))
    }

    /// Gives a file a hidden property.
    pub fn set_property(&self, id: &str, name: &str, value: &str) {
        let property = (name.to_owned(), value.to_owned());
        self.change(id, |entry| entry.properties.extend([property]));
    }

    /// Makes a file so much older.
    pub fn age(&self, id: &str, by: Duration) {
        self.change(id, |entry| entry.created -= by);
    }

    /// Puts a file into the trash, as a person does.
    pub fn trash(&self, id: &str) {
        self.change(id, |entry| entry.trashed = true);
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Entry)) {
        change(self.shared.drive().files.get_mut(id).unwrap());
    }

    /// Ids of the files of this name.
    pub fn ids(&self, folder: &str, name: &str) -> Vec<String> {
        let drive = self.shared.drive();
        let named = drive.children(folder).filter(|entry| entry.name == name);
        named.map(|entry| entry.id.clone()).collect()
    }

    /// Names of the files in a folder, those in the trash too, in order.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let drive = self.shared.drive();
        let mut names: Vec<String> = drive
            .children(folder)
            .map(|entry| entry.name.clone())
            .collect();
        names.sort();
        names
    }

    /// Hidden properties of a file.
    pub fn properties(&self, id: &str) -> Vec<(String, String)> {
        let drive = self.shared.drive();
        drive.files[id].properties.clone().into_iter().collect()
    }

    /// Turns one byte of a stored file into another; its checksums stay.
    pub fn corrupt(&self, id: &str, at: u64) {
        self.shared.drive().files[id].corrupt(at);
    }

    /// Room for so many bytes more.
    pub fn limit_room(&self, bytes: u64) {
        let mut drive = self.shared.drive();
        drive.limit = Some(drive.usage() + bytes);
    }

    /// Largest page of a list, whatever was asked for.
    pub fn limit_pages(&self, files: usize) {
        self.shared.drive().max_page = files;
    }

    /// Life of the tokens given out from now on, in seconds.
    pub fn limit_tokens(&self, seconds: u64) {
        self.shared.drive().token_seconds = seconds;
    }

    /// Ends every token that there is.
    pub fn end_tokens(&self) {
        self.shared.drive().tokens.clear();
    }

    /// Whether the service account may act as the person.
    pub fn allow_delegation(&self) {
        self.shared.drive().delegation = true;
    }

    /// Withdraws the person's consent.
    pub fn withdraw_consent(&self) {
        self.shared.drive().consent = false;
    }

    /// Searches by name find nothing from now on, as an index that lags behind.
    pub fn lag_names(&self) {
        self.shared.drive().names_lag = true;
    }

    /// From now on the account may only look, or change but not delete.
    pub fn limit_rights(&self, may_add: bool, may_delete: bool) {
        let mut drive = self.shared.drive();
        (drive.may_add, drive.may_delete) = (may_add, may_delete);
    }

    /// Forgets all uploads that are not at their end.
    pub fn expire_sessions(&self) {
        self.shared.drive().sessions.clear();
    }

    /// Uploads that began and are neither at their end nor given up.
    pub fn open_sessions(&self) -> usize {
        let drive = self.shared.drive();
        drive
            .sessions
            .values()
            .filter(|session| session.file.is_none())
            .count()
    }

    /// The next `times` such operations, after `skipped` more, go wrong like this.
    pub fn plan(&self, operation: Operation, skipped: usize, times: usize, mishap: Mishap) {
        self.shared.plans().add(operation, skipped, times, mishap);
    }

    /// Fails when something planned did not happen.
    pub fn ensure_all_happened(&self) {
        let left = self.shared.plans().left();
        assert!(left.is_empty(), "planned and never happened: {left:?}");
    }

    /// How often an operation was asked for.
    pub fn count(&self, operation: Operation) -> usize {
        self.shared.plans().count(operation)
    }
}

impl Drop for GoogleDrive {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
