//! The folder: what it is, and the files in it.

use chrono::{DateTime, Utc};
use reqwest::Method;
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Fault, FaultKind};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::OnceCell;

use super::api::{Api, Call, FIELDS, File};
use super::login::Grant;
use super::names::Role;
use super::owner;

const FOLDER_TYPE: &str = "application/vnd.google-apps.folder";
const PAGE_SIZE: &str = "1000";

/// A folder of Drive, through one login.
pub(super) struct Folder {
    api: Api,
    id: String,
    facts: OnceCell<Facts>,
}

/// What does not change while we run.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    mime_type: String,
    #[serde(default)]
    trashed: bool,
    /// The shared drive that it is in.
    pub(super) drive_id: Option<String>,
    #[serde(default)]
    capabilities: Capabilities,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Capabilities {
    can_add_children: Option<bool>,
}

/// Files, and the server's time when it told of them.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) files: Vec<(Role, File)>,
    pub(super) at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    files: Vec<File>,
    next_page_token: Option<String>,
    #[serde(default)]
    incomplete_search: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    storage_quota: Quota,
}

#[derive(Deserialize)]
struct Quota {
    limit: Option<String>,
    usage: Option<String>,
}

impl Folder {
    pub(super) fn new(api: Api, id: String) -> Self {
        Self {
            api,
            id,
            facts: OnceCell::new(),
        }
    }

    pub(super) fn api(&self) -> &Api {
        &self.api
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What it is; asked once. A folder that is not there is a fault of its own, never an empty one.
    pub(super) async fn facts(&self) -> Result<&Facts, Fault> {
        self.facts.get_or_try_init(|| self.ask()).await
    }

    async fn ask(&self) -> Result<Facts, Fault> {
        let subject = format!("look at the folder {} of Google Drive", self.id);
        let fields = "mimeType,trashed,driveId,capabilities(canAddChildren)";
        let url = self.api.file_url(&self.id, &[("fields", fields)]);
        let asked = self
            .api
            .answer(&Call::new(Method::GET, url), &subject)
            .await;
        let facts: Facts = match asked {
            Ok(answer) => answer.parse(&subject)?,
            Err(fault) if fault.kind == FaultKind::NotFound => return Err(self.missing(subject)),
            Err(fault) => return Err(fault),
        };
        facts
            .usable()
            .map_err(|why| Fault::new(FaultKind::Denied, subject, why))?;
        Ok(facts)
    }

    /// Drive does not tell what is not there from what may not be seen.
    fn missing(&self, subject: String) -> Fault {
        let who = match self.api.login().grant() {
            Grant::Person { .. } => "the account that consented".to_owned(),
            Grant::Account(account) => account.email().to_owned(),
        };
        let why = format!("there is no such folder, or it is not shared with {who}; see folder_id");
        Fault::new(FaultKind::Denied, subject, why)
    }

    /// Every file in it that is ours and passes; those in the trash are none. By parent, because
    /// that is what Drive answers truly at once: an index of names lags behind.
    pub(super) async fn seen(&self, keep: impl Fn(&Role) -> bool) -> Result<Seen, Fault> {
        self.search("", keep).await
    }

    /// The files that tell of a key: the object, and what may become it.
    pub(super) async fn of_key(&self, key: &ObjectKey) -> Result<Seen, Fault> {
        self.seen(|role| role.key() == Some(key)).await
    }

    /// The file that is the object of a key. Its name is looked up first, which costs one request
    /// however many files there are, and everything is looked through before it is missed.
    pub(super) async fn object(&self, key: &ObjectKey) -> Result<File, Fault> {
        let is_it = |role: &Role| *role == Role::Object(key.clone());
        let named = self.search(&format!(" and name = '{key}'"), is_it).await?;
        if let Some(file) = named.object() {
            return Ok(file.clone());
        }
        let seen = self.seen(is_it).await?;
        let missing = || Fault::bare(FaultKind::NotFound, format!("{key} is not there"));
        seen.object().cloned().ok_or_else(missing)
    }

    async fn search(&self, also: &str, keep: impl Fn(&Role) -> bool) -> Result<Seen, Fault> {
        let (mut seen, mut token) = (Seen::default(), None);
        loop {
            let page = self.page(also, token.as_deref(), &mut seen).await?;
            let ours = page.files.into_iter().filter_map(|file| {
                let role = Role::of(&file.name).filter(&keep)?;
                file.size.is_some().then_some((role, file))
            });
            seen.files.extend(ours);
            match page.next_page_token {
                Some(next) => token = Some(next),
                None => return Ok(seen),
            }
        }
    }

    async fn page(&self, also: &str, token: Option<&str>, seen: &mut Seen) -> Result<Page, Fault> {
        let subject = format!("list the folder {} of Google Drive", self.id);
        let facts = self.facts().await?;
        let query = format!(
            "'{}' in parents and trashed = false and mimeType != '{FOLDER_TYPE}'{also}",
            self.id
        );
        let fields = format!("nextPageToken,incompleteSearch,files({FIELDS})");
        let mut parameters = vec![
            ("q", query.as_str()),
            ("pageSize", PAGE_SIZE),
            ("fields", &fields),
            ("includeItemsFromAllDrives", "true"),
        ];
        match &facts.drive_id {
            Some(drive) => parameters.extend([("corpora", "drive"), ("driveId", drive)]),
            None => parameters.push(("corpora", "user")),
        }
        parameters.extend(token.map(|token| ("pageToken", token)));
        let url = self.api.url("drive/v3/files", &parameters);
        let asked = self
            .api
            .answer(&Call::new(Method::GET, url), &subject)
            .await;
        let answer = asked.map_err(never_missing)?;
        seen.at = seen.at.or(answer.date());
        let page: Page = answer.parse(&subject)?;
        match page.incomplete_search {
            true => Err(Fault::new(
                FaultKind::Unavailable,
                subject,
                "Drive did not search all",
            )),
            false => Ok(page),
        }
    }

    /// Gives a file the name of another role, in one step.
    pub(super) async fn rename(&self, file: &File, role: &Role) -> Result<(), Fault> {
        let name = role.name();
        let subject = format!("name a file of Google Drive {name}");
        let url = self.api.file_url(&file.id, &[("fields", FIELDS)]);
        let call = Call::new(Method::PATCH, url).json(&json!({ "name": name }));
        let answer = self
            .api
            .answer(&call, &subject)
            .await
            .map_err(never_missing)?;
        let named: File = answer.parse(&subject)?;
        match named.name == name {
            true => Ok(()),
            false => Err(Fault::new(
                FaultKind::Unavailable,
                subject,
                "it kept its name",
            )),
        }
    }

    /// Removes a file for good; Ok where there is none.
    pub(super) async fn remove(&self, file: &File) -> Result<(), Fault> {
        let subject = format!("delete {} from Google Drive", file.name);
        let call = Call::new(Method::DELETE, self.api.file_url(&file.id, &[]));
        match self.api.answer(&call, &subject).await {
            Err(fault) if fault.kind != FaultKind::NotFound => Err(fault),
            _ => Ok(()),
        }
    }

    /// Removes a file on which nobody worked any more after it was listed; says whether it did. Its
    /// put may have made it an object just before it ended, so it is looked at again: what is still
    /// staging now, nobody is left to publish.
    pub(super) async fn remove_leftover(&self, file: &File) -> Result<bool, Fault> {
        let subject = format!("look at {} in Google Drive", file.name);
        let url = self.api.file_url(&file.id, &[("fields", FIELDS)]);
        let now: File = match self
            .api
            .answer(&Call::new(Method::GET, url), &subject)
            .await
        {
            Err(fault) if fault.kind == FaultKind::NotFound => return Ok(false),
            asked => asked?.parse(&subject)?,
        };
        match Role::of(&now.name).is_some_and(|role| role.is_staging()) {
            true => self.remove(&now).await.map(|()| true),
            false => Ok(false),
        }
    }

    /// Room left for the account; of a shared drive nobody tells it.
    pub(super) async fn free_bytes(&self) -> Result<Option<u64>, Fault> {
        let subject = "ask Google Drive for the room left";
        let url = self
            .api
            .url("drive/v3/about", &[("fields", "storageQuota")]);
        let answer = self
            .api
            .answer(&Call::new(Method::GET, url), subject)
            .await?;
        let quota = answer.parse::<About>(subject)?.storage_quota;
        if self.facts().await?.drive_id.is_some() {
            return Ok(None);
        }
        let number = |text: Option<String>| text.and_then(|text| text.parse::<u64>().ok());
        let (limit, usage) = (number(quota.limit), number(quota.usage).unwrap_or(0));
        Ok(limit.map(|limit| limit.saturating_sub(usage)))
    }
}

impl Facts {
    fn usable(&self) -> Result<(), &'static str> {
        match self {
            _ if self.mime_type != FOLDER_TYPE => Err("it is no folder; see folder_id"),
            _ if self.trashed => Err("it lies in the trash: take it out, or see folder_id"),
            _ => Ok(()),
        }
    }

    /// Whether files can be made in it, as far as Drive tells.
    pub(super) fn takes_files(&self) -> bool {
        self.capabilities.can_add_children != Some(false)
    }
}

impl Seen {
    /// Files that are no objects and on which nobody works any more.
    pub(super) fn leftovers(&self) -> Vec<&File> {
        let staging = self.files.iter().filter(|(role, _)| role.is_staging());
        let abandoned = staging.filter(|(_, file)| owner::is_abandoned(file, self.at));
        abandoned.map(|(_, file)| file).collect()
    }

    /// Of several files of one key the one that is the object.
    pub(super) fn object(&self) -> Option<&File> {
        let objects = self.files.iter().filter(|(role, _)| !role.is_staging());
        objects.map(|(_, file)| file).min_by_key(|file| file.rank())
    }
}

/// What must be there and is not is no missing object: somebody took it away meanwhile.
fn never_missing(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::NotFound => Fault {
            kind: FaultKind::Unavailable,
            ..fault
        },
        _ => fault,
    }
}
