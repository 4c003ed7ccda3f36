//! Folders, made on demand and remembered.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Fault, FaultKind};
use url::Url;

use super::requests::Requests;
use crate::owner;

/// The folders that were there when they were last used.
#[derive(Default)]
pub(super) struct Folders {
    known: Mutex<HashSet<String>>,
}

impl Folders {
    /// Makes what is missing for a put under `key`.
    pub(super) async fn ready_for(
        &self,
        requests: &Requests,
        key: &ObjectKey,
    ) -> Result<(), Fault> {
        let folder = key
            .as_str()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        if !self.is_known(owner::FOLDER) {
            make_staging(requests).await?;
            self.know(owner::FOLDER);
        }
        if !folder.is_empty() && !self.is_known(folder) {
            make(requests, folder).await?;
            self.know(folder);
        }
        Ok(())
    }

    /// Looks again the next time.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn is_known(&self, folder: &str) -> bool {
        self.lock().contains(folder)
    }

    fn know(&self, folder: &str) {
        self.lock().insert(folder.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        // Whole names only, whoever panicked.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes what is missing of the root and of the staging folder.
pub(super) async fn make_staging(requests: &Requests) -> Result<(), Fault> {
    make(requests, owner::FOLDER).await
}

/// Makes a folder below the root with those above it. The innermost is tried first: mostly all the
/// others are there, and the topmost may be none of ours to make.
async fn make(requests: &Requests, folder: &str) -> Result<(), Fault> {
    let mut missing = vec![requests.below(folder)];
    while let Some(innermost) = missing.last() {
        if requests.make_folder(innermost).await? {
            missing.pop();
            continue;
        }
        let Some(above) = above(innermost).filter(|above| !missing.contains(above)) else {
            let subject = format!("the server lets nobody make {innermost}");
            return Err(Fault::bare(FaultKind::Denied, subject));
        };
        missing.push(above);
    }
    Ok(())
}

fn above(url: &Url) -> Option<Url> {
    let mut above = url.clone();
    above.path_segments_mut().ok()?.pop_if_empty().pop();
    (above.path() != "/").then_some(above)
}
