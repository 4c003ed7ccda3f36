//! How blocks of no list are dropped.
//!
//! The store itself keeps them for a week. It drops them at once where an object is made under their
//! key without them, and has no other request for it. So an empty object is made of none of them, under
//! the condition that nothing is there, and deleted, under the condition that it is still that one.
//! It says of itself what it is: until it is deleted, also where a crash came before that, our readers
//! pass over it and our writers take its place. A real object is never touched.
//!
//! Where nothing may be deleted - a policy of the container keeps all, or the token has no right to -
//! it would take the key for good. So another one is made and deleted first, under a name that is no key;
//! if that cannot be deleted, the blocks are left to the store.
//!
//! Source: the pages "Put Block" and "Put Block List" of the service's REST reference.

use reqwest::Method;
use reqwest::header::HeaderMap;
use respaldo_domain::object::ObjectKey;
use respaldo_engine::ports::{Fault, FaultKind};

use super::super::place;
use super::super::store::{Put, Unfinished, Upload};
use super::super::wire::Ask;
use super::{Azure, block_list, carrying};

/// What the object that ended an upload bears, with the mark of that upload.
const ENDED: &str = "x-ms-meta-respaldo_ended";

/// Whether an answer tells of an object that ended an upload.
pub(super) fn is_of(headers: &HeaderMap) -> bool {
    headers.contains_key(ENDED)
}

/// Makes an object of no blocks that says what it is.
fn making_none(ask: Ask, upload: &Upload) -> Ask {
    let ask = ask.query("comp", "blocklist").header(ENDED, &upload.id);
    carrying(ask, block_list(&[]).into())
}

impl Azure {
    /// Drops the blocks of an upload, unless there is an object already: then it has them, or its
    /// own list dropped them.
    pub(super) async fn end(&self, upload: &Upload) -> Result<(), Fault> {
        let key = &upload.put.key;
        if !self.may_delete(upload).await? {
            tracing::info!(%key, "nothing may be deleted: its blocks stay until the store drops them");
            return Ok(());
        }
        let ask = self.object(Method::PUT, key);
        let ask = making_none(ask, upload).header("if-none-match", "*");
        match self.send("end an upload of", key, &ask).await {
            Err(fault) if fault.kind != FaultKind::Exists => Err(fault),
            _ => self.clear(key).await.map(drop),
        }
    }

    /// Whether an object that was made now can be deleted again. The name is the upload's own, so that
    /// who ends it after a crash deletes this one, too.
    async fn may_delete(&self, upload: &Upload) -> Result<bool, Fault> {
        let name = self.place.names(&format!(".respaldo-ending-{}", upload.id));
        let trial = |method| Ask::new(method, place::below(&self.container, &name));
        let subject = format!("try whether {} lets objects go", self.place.address());
        let make = making_none(trial(Method::PUT), upload);
        let tried = match self.wire.send(self, &subject, &make).await {
            Ok(_) => self.wire.send(self, &subject, &trial(Method::DELETE)).await,
            refused => refused,
        };
        match tried {
            // It may be there from an earlier try, and be kept.
            Err(fault) if fault.kind == FaultKind::Denied => Ok(false),
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(true),
            tried => tried.map(|_| true),
        }
    }

    /// Deletes what ended an upload under this key; says whether the key is free now because of it.
    pub(super) async fn clear(&self, key: &ObjectKey) -> Result<bool, Fault> {
        let found = match self.look(key).await {
            Err(fault) if fault.kind == FaultKind::NotFound => return Ok(false),
            found => found?,
        };
        let Some(tag) = found.header("etag").filter(|_| is_of(&found.headers)) else {
            return Ok(false);
        };
        let ask = self
            .object(Method::DELETE, key)
            .header("x-ms-delete-snapshots", "include")
            .header("if-match", tag);
        match self.send("delete the end of an upload of", key, &ask).await {
            Err(fault) if fault.kind == FaultKind::Denied => {
                let location = self.place.location(key);
                tracing::warn!(location, error = ?fault, "an empty object, which is passed over, is left");
                Ok(false)
            }
            // Somebody else deleted it, and may have put an object in its place.
            Err(fault) if matches!(fault.kind, FaultKind::NotFound | FaultKind::Exists) => Ok(true),
            deleted => deleted.map(|_| true),
        }
    }

    /// What ended uploads and was not deleted.
    pub(super) async fn endings(&self) -> Result<Vec<Unfinished>, Fault> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let listing = self.listing("", after.as_deref()).await?;
            found.extend(listing.endings().filter_map(|(name, ending)| {
                let key = self.place.key(name)?;
                Some(Unfinished {
                    upload: Upload {
                        put: Put::new(&key, 0),
                        id: ending.mark.to_owned(),
                    },
                    begun_at: ending.made_at,
                })
            }));
            match listing.next() {
                Some(next) if after.as_deref() != Some(next) => after = Some(next.to_owned()),
                _ => return Ok(found),
            }
        }
    }
}
